"""A binding: which device feeds an asset, from when until when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.records.field import Record, ask, auto, record


@record("binding")
@dataclass(frozen=True, kw_only=True)
class Binding(Record):
    """`device` is the vendor's device id. `from_ms` and `until_ms` are UTC milliseconds.

    `points` maps data point numbers to point names of the asset; empty means by the device's
    mapping. `until_ms` None means it still holds.
    """

    asset: str = auto("", required=True, index=True)
    device: str = auto("", required=True, index=True)
    from_ms: int = auto(0, unit="ms")
    until_ms: int | None = ask(None, unit="ms")
    points: Mapping[str, Any] = auto({})
