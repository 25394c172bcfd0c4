"""A place inside a site: building, floor, room or zone, nested."""

from __future__ import annotations

from dataclasses import dataclass

from app.records.field import Record, auto, record

PLACE_KINDS = ("building", "floor", "room", "zone")


@record("place")
@dataclass(frozen=True, kw_only=True)
class Place(Record):
    """`parent` is a place id, None at the top. `position` orders places under one parent."""

    name: str = auto("", required=True, search=True)
    parent: str | None = auto(None, index=True)
    kind: str = auto("room", choices=PLACE_KINDS)
    position: int = auto(0)
