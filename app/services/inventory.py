"""Reads tinytuya's `devices.json` and `snapshot.json`, whatever state the file is in.

Shapes, from tinytuya 1.20 (`wizard.py`, `Cloud.py`, `scanner.py`): `devices.json` is a list; a
sub-device has `sub`, `node_id` and `parent` (`gateway_id` when straight from the cloud; an empty
`parent` means the wizard did not find it). `snapshot.json` is ``{"timestamp", "devices"}`` whose
rows say `ver` for `version`, may say `gwId` for `id`, write 0 or "" for what is unknown, and carry
`dps`. A row is taken or skipped with a sentence; no sentence quotes a value, since a value in the
wrong column can be a key.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.domain.errors import InvalidRequest
from app.domain.points import MAX_POINTS, PointSpec, parse_mapping

MAX_BYTES = 64 * 1024 * 1024
MAX_ROWS = 100_000
KEY_LENGTH = 16
PROTOCOLS = ("3.1", "3.2", "3.3", "3.4", "3.5")
MAX_NAME = 120
MAX_PLACE_DEPTH = 8
MAX_PRODUCTS = 1_000

_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_BROADCAST = ipaddress.IPv4Address("255.255.255.255")
_EXPORT_AGAIN = "Export the inventory again with tinytuya's wizard."
_KINDS_OF_JSON = {
    dict: "a table",
    list: "a list",
    str: "text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    type(None): "nothing",
}


@dataclass(frozen=True, slots=True)
class InventoryDevice:
    """One usable row. Empty text and None mean the file does not say; `row` counts from 1.

    `mapping` is the vendor's mapping in one tidy shape, safe to keep in a record. `notes` are
    sentences about what was left out of an otherwise good row.
    """

    row: int
    id: str
    name: str
    key: str = field(default="", repr=False)
    ip: str | None = None
    port: int | None = None
    version: str | None = None
    category: str = ""
    product_id: str = ""
    mac: str = ""
    node_id: str | None = None
    parent: str | None = None
    mapping: Mapping[str, Any] = field(default_factory=dict, repr=False)
    place: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SkippedRow:
    """A row that cannot be used, and why."""

    row: int
    id: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Inventory:
    """A file's rows, told apart. `name` is the file's name without its folder."""

    name: str
    devices: tuple[InventoryDevice, ...]
    skipped: tuple[SkippedRow, ...]

    @property
    def rows(self) -> int:
        """How many rows the file has."""
        return len(self.devices) + len(self.skipped)


class _RowFault(Exception):
    """The row cannot be used; the message is the sentence."""


def read_inventory(path: Path) -> Inventory:
    """The inventory in the file at `path`; reads at most 64 MiB.

    Raises:
        InvalidRequest: no such file, too large, not JSON, not an inventory.
    """
    try:
        if not path.is_file():
            raise InvalidRequest(
                "inventory.not_found",
                "It is a folder, not a file." if path.is_dir() else "There is no such file.",
                where=path.name,
                do="Check the path.",
            )
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "its name cannot be used"
        raise InvalidRequest(
            "inventory.unreadable",
            f"The file cannot be read: {reason}.",
            where=path.name,
            do="Check its permissions.",
        ) from None
    return parse_inventory(content, path.name)


def parse_inventory(content: bytes, name: str) -> Inventory:
    """The inventory in `content`; `name` is the file's name for sentences.

    Raises:
        InvalidRequest: too large, not JSON, nested too deeply, not an inventory, too many rows.
    """
    if len(content) > MAX_BYTES:
        raise InvalidRequest(
            "inventory.too_large",
            f"The file is larger than {MAX_BYTES // 1024 // 1024} MiB.",
            where=name,
            do="Split it into several files.",
        )
    rows = _rows(_load(content, name), name)
    devices: dict[str, InventoryDevice] = {}
    skipped: list[SkippedRow] = []
    mappings = _Mappings()
    for number, row in enumerate(rows, start=1):
        rows[number - 1] = None  # a large file is not kept in memory twice
        try:
            device = _device(number, row, mappings)
            if device.id in devices:
                first = devices[device.id].row
                raise _RowFault(f"Row {first} has the same id; that one is used.")
            devices[device.id] = device
        except _RowFault as fault:
            skipped.append(SkippedRow(number, _shown_id(row), str(fault)))
    return _judge_parents(name, devices, skipped)


def mapping_document(points: Mapping[str, PointSpec]) -> dict[str, Any]:
    """`points` in the shape an inventory's `mapping` has, so that `parse_mapping` reads it back."""
    return {dp: _point_document(spec) for dp, spec in points.items()}


def clean_text(text: str, limit: int) -> str:
    """`text` on one line, without control characters or surrogates, at most `limit` long."""
    text = text[: limit * 4]
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(text.split())[:limit].rstrip()


def _load(content: bytes, name: str) -> object:
    try:
        text = content.decode(json.detect_encoding(content[:4])).removeprefix("\ufeff")
        if not text.strip():
            raise _not_json(f"{name}, character 1", "The file is empty.")
        return json.loads(text)
    except UnicodeDecodeError as error:
        raise _not_json(f"{name}, byte {error.start + 1}") from None
    except json.JSONDecodeError as error:
        raise _not_json(f"{name}, character {error.pos + 1}") from None
    except ValueError:
        raise _not_json(name) from None
    except RecursionError:
        raise InvalidRequest(
            "inventory.too_deep", "The file is nested too deeply.", where=name, do=_EXPORT_AGAIN
        ) from None


def _not_json(where: str, what: str = "The file is not JSON.") -> InvalidRequest:
    return InvalidRequest("inventory.not_json", what, where=where, do=_EXPORT_AGAIN)


def _rows(document: object, name: str) -> list[Any]:
    if isinstance(document, dict):
        document = document.get("devices")
    if not isinstance(document, list):
        raise InvalidRequest(
            "inventory.not_an_inventory",
            "The file is JSON, but holds no list of devices.",
            where=name,
            do="Give it tinytuya's devices.json or snapshot.json.",
        )
    if len(document) > MAX_ROWS:
        raise InvalidRequest(
            "inventory.too_many_rows",
            f"The file has {len(document)} rows; {MAX_ROWS} at most.",
            where=name,
            do="Split it into several files.",
        )
    return document


class _Mappings:
    """Tidies each mapping once: devices of one product repeat it word for word."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {}

    def tidy(self, mapping: object) -> tuple[dict[str, Any], tuple[str, ...]]:
        """The mapping in its tidy shape, and notes on what was left out."""
        if not mapping:
            return {}, ()
        try:
            key = json.dumps(mapping)
        except RecursionError:
            raise _RowFault("Its mapping is nested too deeply.") from None
        found = self._known.get(key)
        if found is None:
            notes: list[str] = []
            found = _mapping(mapping, notes), tuple(notes)
            if len(self._known) < MAX_PRODUCTS:
                self._known[key] = found
        return found


def _device(number: int, row: object, mappings: _Mappings) -> InventoryDevice:
    if not isinstance(row, dict):
        raise _RowFault(f"The row is {_KINDS_OF_JSON[type(row)]}, not a device.")
    device_id = row.get("id") or row.get("gwId")
    if not device_id:
        raise _RowFault("The row has no id.")
    if not isinstance(device_id, str) or not _ID.fullmatch(device_id):
        raise _RowFault("The id is not a Tuya device id: letters and digits, 64 at most.")
    notes: list[str] = []
    parent, node_id = _parent(row, device_id)
    version = None if parent else _version(row, notes)
    mapping, left_out = mappings.tidy(row.get("mapping"))
    return InventoryDevice(
        row=number,
        id=device_id,
        name=_text(row, "name", MAX_NAME),
        key=_key(row),
        ip=None if parent else _ip(row),
        port=None if parent else _port(row),
        version=version,
        category=_text(row, "category", 32),
        product_id=_text(row, "product_id", 64),
        mac=_text(row, "mac", 32),
        node_id=node_id,
        parent=parent,
        mapping=mapping,
        place=_place(row),
        notes=(*notes, *left_out),
    )


def _parent(row: Mapping[str, Any], own_id: str) -> tuple[str | None, str | None]:
    """(gateway's id, node id) of a sub-device; (None, None) for a device with its own socket."""
    parent = row.get("parent") or row.get("gateway_id")
    node_id = row.get("node_id") or row.get("cid")
    lost = row.get("parent") == "" and bool(node_id)
    if not (parent or lost or row.get("sub") is True):
        return None, None
    if not parent:
        raise _RowFault("It is a sub-device, but the file does not say of which gateway.")
    if not isinstance(parent, str) or not _ID.fullmatch(parent):
        raise _RowFault("The gateway's id is not a Tuya device id.")
    if parent == own_id:
        raise _RowFault("It names itself as its gateway.")
    if not node_id:
        raise _RowFault("It is a sub-device without a node_id, so its gateway cannot be asked.")
    if not isinstance(node_id, str) or not _ID.fullmatch(node_id):
        raise _RowFault("The node_id is not a sub-device's id.")
    return parent, node_id


def _text(row: Mapping[str, Any], field_name: str, limit: int) -> str:
    value = row.get(field_name)
    if value is None or isinstance(value, bool):
        return ""
    if isinstance(value, int | float):
        value = str(value) if value else ""
    if not isinstance(value, str):
        raise _RowFault(f"The {field_name} is {_KINDS_OF_JSON[type(value)]}, not text.")
    return clean_text(value, limit)


def _key(row: Mapping[str, Any]) -> str:
    key = row.get("key") or row.get("local_key") or ""
    if not isinstance(key, str):
        raise _RowFault(f"The key is {_KINDS_OF_JSON[type(key)]}, not text.")
    if key and len(key) != KEY_LENGTH:
        raise _RowFault(f"The key has {len(key)} characters; a local key has {KEY_LENGTH}.")
    if not all(0x20 < ord(c) < 0x100 for c in key):
        raise _RowFault("The key has characters that no local key has.")
    return key


def _ip(row: Mapping[str, Any]) -> str | None:
    ip = row.get("ip")
    if not ip:
        return None
    try:
        if not isinstance(ip, str):
            raise TypeError
        address = ipaddress.IPv4Address(ip.strip())
    except (ValueError, TypeError):
        raise _RowFault("The ip is not an IPv4 address.") from None
    if (
        address.is_multicast
        or address.is_unspecified
        or address == ipaddress.IPv4Address(2**32 - 1)
    ):
        raise _RowFault("The ip is not the address of one device.")
    return str(address)


def _port(row: Mapping[str, Any]) -> int | None:
    port = row.get("port")
    if port is None or port == "":
        return None
    if isinstance(port, str) and port.isascii() and port.isdigit() and len(port) <= 5:
        port = int(port)
    if isinstance(port, bool) or not isinstance(port, int) or not 0 < port < 65536:
        raise _RowFault("The port is not a number from 1 to 65535.")
    return port


def _version(row: Mapping[str, Any], notes: list[str]) -> str | None:
    version = row.get("version") or row.get("ver")
    if not version or version in ("0", "0.0"):
        return None
    if isinstance(version, int | float | str) and not isinstance(version, bool):
        text = str(version).strip().lower().removeprefix("v")
        if text in PROTOCOLS:
            return text
    notes.append("Its protocol version is not one of 3.1 to 3.5; the announced one will be used.")
    return None


def _mapping(mapping: object, notes: list[str]) -> dict[str, Any]:
    if not isinstance(mapping, dict):
        notes.append("Its mapping is not a table of data points and was left out.")
        return {}
    numbered = {
        dp: entry
        for dp, entry in mapping.items()
        if dp.isascii() and dp.isdigit() and len(dp) <= 3 and 0 < int(dp) <= 255
    }
    good = {dp: entry for dp, entry in numbered.items() if isinstance(entry, dict)}
    if len(good) < len(mapping):
        left = len(mapping) - len(good)
        entries = "1 entry" if left == 1 else f"{left} entries"
        notes.append(f"{entries} of its mapping left out.")
    if len(good) > MAX_POINTS:
        notes.append("Its mapping names too many data points and was left out.")
        return {}
    return mapping_document(parse_mapping(good, where=""))


def _point_document(spec: PointSpec) -> dict[str, Any]:
    values: dict[str, Any] = {
        "unit": clean_text(spec.unit, 16),
        "scale": spec.scale or None,
        "min": spec.minimum,
        "max": spec.maximum,
        "step": spec.step,
        "range": [clean_text(choice, 64) for choice in spec.choices],
    }
    return {
        "code": clean_text(spec.code, 64),
        "type": spec.type,
        "values": {name: value for name, value in values.items() if value not in (None, "", [])},
        "mode": "rw" if spec.writable else "ro",
    }


def _place(row: Mapping[str, Any]) -> tuple[str, ...]:
    place = row.get("place")
    if not place:
        return ()
    if isinstance(place, str):
        place = place.split("/")
    if not isinstance(place, list) or not all(isinstance(name, str) for name in place):
        raise _RowFault("The place is not a list of names.")
    return place_path(place)


def place_path(names: Iterable[str]) -> tuple[str, ...]:
    """Names of nested places, outermost first, tidied; empty ones are left out."""
    tidy = (clean_text(name, MAX_NAME) for name in names)
    return tuple(name for name in tidy if name)[:MAX_PLACE_DEPTH]


def _shown_id(row: object) -> str:
    device_id = (row.get("id") or row.get("gwId")) if isinstance(row, dict) else None
    if isinstance(device_id, str) and _ID.fullmatch(device_id):
        return device_id
    return ""


def _judge_parents(
    name: str, devices: Mapping[str, InventoryDevice], skipped: list[SkippedRow]
) -> Inventory:
    """Skip sub-devices of sub-devices: no gateway passes a request on to another gateway."""
    good = []
    for device in devices.values():
        gateway = devices.get(device.parent or "")
        if gateway is not None and gateway.parent is not None:
            sentence = "Its gateway is itself a sub-device in this file."
            skipped.append(SkippedRow(device.row, device.id, sentence))
        else:
            good.append(device)
    skipped.sort(key=lambda row: row.row)
    return Inventory(name=name, devices=tuple(good), skipped=tuple(skipped))
