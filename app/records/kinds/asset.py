"""An asset: the pump, the riser-4 position. History, labels and alarms belong to it."""

from __future__ import annotations

from dataclasses import dataclass

from app.records.field import Record, ask, auto, record, tags


@record("asset")
@dataclass(frozen=True, kw_only=True)
class Asset(Record):
    """What stays when its hardware is replaced; a binding says which device feeds it.

    `place` is a place id; `label` what is printed on the thing; `category` and `profile` what
    the program knows this sort of thing by.
    """

    name: str = auto("", required=True, search=True)
    label: str = ask("", search=True, index=True)
    place: str | None = auto(None, index=True)
    category: str = auto("")
    profile: str = auto("")
    tags: tuple[str, ...] = tags()
    note: str = auto("", search=True)
