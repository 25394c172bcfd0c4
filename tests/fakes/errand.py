"""A kind with every merge rule, declared for as long as a test runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from app.records import field as declarations
from app.records.field import Record, ask, auto, kind_of, record, tags, transition
from app.store import tables

MOVES = {
    "requested": ("approved", "rejected"),
    "approved": ("in_progress", "cancelled"),
    "in_progress": ("on_hold", "completed"),
    "on_hold": ("in_progress",),
    "completed": ("in_progress",),
    "rejected": (),
    "cancelled": (),
}


@contextmanager
def declared() -> Iterator[type[Record]]:
    """The kind `errand`; its table is in `METADATA` inside the block and gone after it."""

    @record("errand")
    @dataclass(frozen=True, kw_only=True)
    class Errand(Record):
        title: str = auto("", required=True, search=True)
        label: str = ask("", index=True)
        due_ms: int | None = auto(None, index=True)
        status: str = transition(MOVES, "requested", index=True)
        tags: tuple[str, ...] = tags()
        door_code: str | None = ask(None, sealed=True)

    tables.kind_table("errand")
    try:
        yield Errand
    finally:
        declarations._BY_CLASS.pop(Errand)
        declarations.KINDS.pop("errand")
        tables.METADATA.remove(tables._TABLES.pop("errand").table)


def name_of(cls: type[Record]) -> str:
    return kind_of(cls).name
