"""Where a profile's master key is kept, and how it is found again at every start.

`key.json` in the data folder says which way was taken: an account in the system's key store, a
wrapped copy that a passphrase opens, or both. It holds no key. A profile that has databases never
gets a new key: without the old one they could not be read again.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.domain.errors import EnvironmentLacks, StoreFault
from app.secrets import passphrase as wrapping
from app.secrets.keystore import KeyStore, StoreSilent
from app.secrets.master import MasterKey

log = logging.getLogger(__name__)

Prompt = Callable[[str], str | None]
"""Asks a person for a passphrase with the given words; None when nobody can be asked."""

_ADVISED_LENGTH = 8


@dataclass(frozen=True, slots=True)
class Custody:
    """What finding the key needs to know. `in_use` is True once databases exist.

    `demo` profiles keep a random passphrase beside the key file: they protect nothing.
    """

    key_file: Path
    in_use: bool
    environ: Mapping[str, str] = field(repr=False)
    store: KeyStore
    prompt: Prompt = lambda _words: None
    demo: bool = False

    @property
    def demo_file(self) -> Path:
        """The passphrase a demo profile keeps inside itself."""
        return self.key_file.with_name("demo-passphrase")


def unlock(custody: Custody) -> MasterKey:
    """The profile's master key; a profile without databases gets its first one.

    Raises:
        EnvironmentLacks: no key store and no passphrase, a wrong passphrase, or a key that is gone.
        StoreFault: the key file cannot be read.
    """
    known = _read(custody.key_file)
    if known is None and custody.in_use:
        raise _lost(custody.key_file, "The file that says where its key is kept is missing.")
    if known is not None and (master := _open(custody, known)) is not None:
        return master
    return _first_key(custody)


def is_demo(key_file: Path) -> bool:
    """Whether the folder of this key file is a demo profile."""
    known = _read(key_file)
    return known is not None and known.get("demo") is True


def _open(custody: Custody, known: dict[str, Any]) -> MasterKey | None:
    silence = None
    if "account" in known and custody.environ.get("PLANTROOM_KEYSTORE") != "passphrase":
        try:
            secret = custody.store.get(known["account"])
        except StoreSilent as silent:
            silence = silent.reason
        else:
            if secret is not None:
                master = _checked(custody, known, secret)
                _add_passphrase(custody, known, master)
                return master
            silence = "its entry for this profile is gone"
            if not custody.in_use and "passphrase" not in known:
                return None
    if "passphrase" not in known:
        raise EnvironmentLacks(
            "key.store_silent",
            "The key of this profile is in the system's key store, but "
            f"{silence or 'PLANTROOM_KEYSTORE says not to use it'}.",
            where=str(custody.key_file.parent),
            do="Unlock the key store or sign in to the desktop where the profile was made; "
            "without that key its data cannot be read.",
            retry=True,
        )
    return _open_with_passphrase(custody, known, silence)


def _open_with_passphrase(
    custody: Custody, known: dict[str, Any], silence: str | None
) -> MasterKey:
    given = _passphrase(custody, "Passphrase of this profile: ")
    if given is None:
        raise _nobody_to_ask(custody, silence)
    try:
        return wrapping.unwrap(known["passphrase"], given)
    except wrapping.WrongPassphrase:
        raise EnvironmentLacks(
            "key.wrong_passphrase",
            "The passphrase does not open this profile.",
            where=str(custody.key_file.parent),
            do="Try again, and look at capital letters and the keyboard's language.",
            retry=True,
        ) from None


def _checked(custody: Custody, known: dict[str, Any], secret: bytes) -> MasterKey:
    try:
        master = MasterKey(secret)
    except ValueError:
        master = None
    if master is None or not master.matches(str(known.get("check", ""))):
        raise _lost(custody.key_file, "The key in the system's key store is not this profile's.")
    return master


def _first_key(custody: Custody) -> MasterKey:
    master = MasterKey.random()
    known: dict[str, Any] = {"version": 1, "check": master.check()}
    if custody.demo:
        known["demo"] = True
        known["passphrase"] = wrapping.wrap(master, _demo_passphrase(custody))
        _write(custody.key_file, known)
        return master
    silence = "PLANTROOM_KEYSTORE says not to use it"
    if custody.environ.get("PLANTROOM_KEYSTORE") != "passphrase":
        try:
            return _first_key_in_store(custody, known, master)
        except StoreSilent as silent:
            silence = silent.reason
    given = _chosen_passphrase(custody)
    if given is None:
        raise _nobody_to_ask(custody, silence)
    if len(given) < _ADVISED_LENGTH:
        # Whoever chose it has their reasons, and a script cannot be asked again.
        log.warning(
            "The passphrase has fewer than %d characters, and only it protects this profile's "
            "keys. Four random words are good.",
            _ADVISED_LENGTH,
        )
    known.pop("account", None)
    known["passphrase"] = wrapping.wrap(master, given)
    _write(custody.key_file, known)
    return master


def _first_key_in_store(custody: Custody, known: dict[str, Any], master: MasterKey) -> MasterKey:
    account = secrets.token_hex(8)
    custody.store.put(account, master.expose())
    if custody.store.get(account) != master.expose():
        raise StoreSilent("it did not give back what it was given")
    known["account"] = account
    _write(custody.key_file, known)
    _add_passphrase(custody, known, master)
    return master


def _add_passphrase(custody: Custody, known: dict[str, Any], master: MasterKey) -> None:
    """A passphrase in the environment opens the profile too on days the key store is silent."""
    if "passphrase" in known:
        return
    if given := _environment_passphrase(custody.environ):
        _write(custody.key_file, {**known, "passphrase": wrapping.wrap(master, given)})


def _passphrase(custody: Custody, words: str) -> str | None:
    if custody.demo_file.exists():
        return custody.demo_file.read_text(encoding="ascii").strip()
    return _environment_passphrase(custody.environ) or custody.prompt(words) or None


def _chosen_passphrase(custody: Custody) -> str | None:
    """A new profile's passphrase; a person types it twice, since a slip could not be opened."""
    if given := _environment_passphrase(custody.environ):
        return given
    given = custody.prompt("Choose a passphrase for this profile: ")
    if given and custody.prompt("The same passphrase again: ") != given:
        raise EnvironmentLacks(
            "key.passphrases_differ",
            "The two passphrases are not the same.",
            do="Try again; nothing was made yet.",
            retry=True,
        )
    return given or None


def _environment_passphrase(environ: Mapping[str, str]) -> str | None:
    if given := environ.get("PLANTROOM_PASSPHRASE"):
        return given
    if not (named := environ.get("PLANTROOM_PASSPHRASE_FILE")):
        return None
    try:
        return Path(named).read_text(encoding="utf-8").rstrip("\r\n") or None
    except (OSError, UnicodeDecodeError) as error:
        raise EnvironmentLacks(
            "key.passphrase_file",
            "The file PLANTROOM_PASSPHRASE_FILE names cannot be read.",
            where=named,
            do="Correct the name or the rights of the file.",
        ) from error


def _demo_passphrase(custody: Custody) -> str:
    made = secrets.token_urlsafe(24)
    _write_private(custody.demo_file, made + "\n")
    return made


def _read(key_file: Path) -> dict[str, Any] | None:
    try:
        known = json.loads(key_file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise _unreadable(key_file) from error
    if not isinstance(known, dict) or known.get("version") != 1:
        raise _unreadable(key_file)
    return known


def _write(key_file: Path, known: dict[str, Any]) -> None:
    _write_private(key_file, json.dumps(known, indent=1) + "\n")


def _write_private(path: Path, text: str) -> None:
    """Whole or not at all, for its owner alone, on the disk before anything builds on it."""
    part = path.with_name(path.name + ".part")
    try:
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise EnvironmentLacks(
            "data.not_writable",
            f"The data folder cannot be written: {(error.strerror or '').lower()}.",
            where=str(path.parent),
            do="Free some space or give yourself the right to write there.",
            retry=True,
        ) from error


def _unreadable(key_file: Path) -> StoreFault:
    return StoreFault(
        "key.file_unreadable",
        "The file that says where this profile's key is kept cannot be read.",
        where=str(key_file),
        do="Restore it from a backup; do not delete it.",
    )


def _lost(key_file: Path, what: str) -> EnvironmentLacks:
    return EnvironmentLacks(
        "key.lost",
        f"{what} Its data cannot be read without that key.",
        where=str(key_file.parent),
        do="Restore the profile with its key from a backup. Nothing was changed.",
    )


def _nobody_to_ask(custody: Custody, silence: str | None) -> EnvironmentLacks:
    return EnvironmentLacks(
        "key.no_passphrase",
        f"The system's key store cannot be used: {silence}; and no passphrase was given."
        if silence
        else "This profile is opened with a passphrase, and none was given.",
        where=str(custody.key_file.parent),
        do="Start from a terminal to be asked for one, or set PLANTROOM_PASSPHRASE or "
        "PLANTROOM_PASSPHRASE_FILE.",
    )
