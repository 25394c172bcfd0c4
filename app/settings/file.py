"""settings.toml: read leniently, written so that a person's comments and unknown keys stay."""

from __future__ import annotations

import os
from dataclasses import Field, dataclass, fields
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import ParseError, TOMLKitError

from app.domain.errors import ConsoleError, InvalidRequest
from app.settings.profile import folder_fault
from app.settings.schema import SCHEMA, LogSettings, NetworkSettings, Settings, SiteSettings

MAX_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings as far as the file could be read, and a sentence for each thing that could not."""

    settings: Settings
    problems: tuple[str, ...] = ()


def load(path: Path) -> Loaded:
    """Read the file. What is missing or wrong takes its default and is told; never raises.

    A console that keeps a building must come up even when a comma is missing in its settings.
    """
    try:
        document = _parse(path)
    except ConsoleError as error:
        return Loaded(Settings(), (error.sentence(),))
    problems: list[str] = []
    settings = Settings(
        site=_group(SiteSettings, document, "site", problems),
        network=_group(NetworkSettings, document, "network", problems),
        log=_group(LogSettings, document, "log", problems),
    )
    return Loaded(settings, tuple(problems))


def save(path: Path, group: str, name: str, value: bool | float | str) -> None:
    """Set one value in the file and leave everything else as the person wrote it.

    Raises:
        InvalidRequest: no such setting, a value it does not take, or a file that is not TOML.
        EnvironmentLacks: the file cannot be written.
    """
    _check_known(group, name, value)
    document = _parse(path)
    document.setdefault("schema", SCHEMA)
    document.setdefault(group, tomlkit.table())[name] = value
    part = path.with_suffix(".toml.part")
    try:
        with part.open("w", encoding="utf-8") as file:
            file.write(tomlkit.dumps(document))
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise folder_fault(path.parent, error) from error


def _parse(path: Path) -> tomlkit.TOMLDocument:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return tomlkit.document()
    except OSError as error:
        raise folder_fault(path, error) from error
    if len(raw) > MAX_BYTES:
        raise _malformed(path, "it is larger than 1 MB")
    try:
        return tomlkit.parse(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise _malformed(path, f"byte {error.start + 1} is not UTF-8") from None
    except ParseError as error:
        raise _malformed(path, str(error)) from None
    except TOMLKitError as error:
        raise _malformed(path, str(error)) from None


def _malformed(path: Path, reason: str) -> InvalidRequest:
    return InvalidRequest(
        "settings.malformed",
        f"The settings file cannot be read, so defaults are used: {reason}.",
        where=str(path),
        do="Correct it or move it away; it is left as it is.",
    )


def _group(kind: type[Any], document: tomlkit.TOMLDocument, name: str, told: list[str]) -> Any:
    table = document.get(name)
    if table is None:
        return kind()
    if not isinstance(table, dict):
        told.append(f"The setting '{name}' is not a group of settings; defaults are used.")
        return kind()
    values = {}
    for field in fields(kind):
        if field.name not in table:
            continue
        raw = table[field.name]
        value = raw.unwrap() if hasattr(raw, "unwrap") else raw
        if reason := _wrong(field, value):
            told.append(f"The setting {name}.{field.name} {reason}; {field.default!r} is used.")
        else:
            values[field.name] = value
    return kind(**values)


def _wrong(field: Field[Any], value: object) -> str | None:
    if isinstance(field.default, bool) or isinstance(value, bool):
        return None if type(value) is type(field.default) else "must be true or false"
    if isinstance(field.default, int | float):
        if not isinstance(value, int | float):
            return "must be a number"
        if isinstance(field.default, int) and not isinstance(value, int):
            return "must be a whole number"
        low, high = field.metadata["low"], field.metadata["high"]
        if low is not None and not low <= value <= high:
            return f"must lie between {low:g} and {high:g}"
        return None
    return None if isinstance(value, str) else "must be text"


def _check_known(group: str, name: str, value: object) -> None:
    kind = {"site": SiteSettings, "network": NetworkSettings, "log": LogSettings}.get(group)
    known = {field.name: field for field in fields(kind)} if kind else {}
    if name not in known:
        raise InvalidRequest(
            "settings.unknown",
            f"There is no setting {group}.{name}.",
            do="See the settings page for the names.",
        )
    if reason := _wrong(known[name], value):
        raise InvalidRequest("settings.value", f"{group}.{name} {reason}.", where=f"{group}.{name}")
