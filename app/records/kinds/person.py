"""A person who can be the author of a change."""

from __future__ import annotations

from dataclasses import dataclass

from app.records.field import Record, ask, auto, record

ROLES = ("viewer", "technician", "operator", "manager", "admin")


@record("person")
@dataclass(frozen=True, kw_only=True)
class Person(Record):
    """`role` says what they may do, each including the ones before it."""

    name: str = auto("", required=True, search=True)
    role: str = ask("technician", choices=ROLES)
