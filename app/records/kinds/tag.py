"""A tag that was given a colour. Tags on assets are words; this only dresses them."""

from __future__ import annotations

from dataclasses import dataclass

from app.records.field import Record, auto, record


@record("tag")
@dataclass(frozen=True, kw_only=True)
class Tag(Record):
    """`colour` is ``#rrggbb`` or empty."""

    name: str = auto("", required=True, search=True, index=True)
    colour: str = auto("")
