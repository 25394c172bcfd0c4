"""A device: one piece of hardware, as people describe it. What it reports is a reading."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.records.field import Record, ask, auto, record


@record("device")
@dataclass(frozen=True, kw_only=True)
class Device(Record):
    """`tuya_id` is the vendor's id, `parent` its gateway's; `node_id` its number there (`cid`).

    `ip`, `port` and `version` are what was entered or imported, a first guess; those seen at
    work are readings. `interval_s` is the expected report interval a person set, None otherwise.
    `paused` means: leave this device alone.
    """

    tuya_id: str = auto("", required=True, search=True, index=True)
    name: str = auto("", search=True)
    category: str = auto("")
    product_id: str = auto("")
    mac: str = auto("")
    version: str | None = auto(None)
    ip: str | None = auto(None)
    port: int | None = auto(None)
    node_id: str | None = auto(None)
    parent: str | None = auto(None, index=True)
    local_key: str | None = ask(None, sealed=True)
    mapping: Mapping[str, Any] = auto({})
    interval_s: float | None = auto(None, unit="s")
    paused: bool = ask(False)
    retired: bool = ask(False)
