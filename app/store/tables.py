"""Tables of the console's file. A kind's table follows from its declaration.

Shared tables carry no UNIQUE, CHECK or foreign key beyond the id: what another console sends must
always fit. `METADATA` is what Alembic compares a file with.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from app.records.field import KINDS, Cell, Kind, Merge, Record, Spec
from app.records.fold import Folded
from app.records.operation import canonical

METADATA = MetaData()

UNSENT, ACCEPTED, SETTLED = 1, 2, 0
"""Delivery of a line: not sent, taken by the server, numbered by the server (or local)."""

JOURNAL = Table(
    "journal",
    METADATA,
    Column("pos", Integer, primary_key=True),
    Column("op", Text, nullable=False, unique=True),
    Column("tx", Text, nullable=False),
    Column("act", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("record", Text, nullable=False),
    Column("site", Text, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("known_us", BigInteger, nullable=False),
    Column("author", Text, nullable=False),
    Column("schema", Integer, nullable=False),
    Column("body", Text),
    Column("body_hash", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    # delivery, outside the chain: it changes after the line was written
    Column("seq", BigInteger),
    Column("verdict", Text),
    Column("verdict_reason", Text),
    Column("waiting", Integer, nullable=False),
)
Index("journal_record", JOURNAL.c.record, JOURNAL.c.pos)
Index("journal_tx", JOURNAL.c.tx)
Index("journal_unsent", JOURNAL.c.pos, sqlite_where=JOURNAL.c.waiting == UNSENT)
Index("journal_refused", JOURNAL.c.pos, sqlite_where=JOURNAL.c.verdict == "refused")

CURSOR = Table(
    "cursor",
    METADATA,
    Column("site", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False),
)
JOB = Table(
    "job",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
)
LOCAL = Table(
    "local",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
SITE_KEY = Table(
    "site_key",
    METADATA,
    Column("site", Text, primary_key=True),
    Column("wrapped", LargeBinary, nullable=False),
)
FIND = (
    "CREATE VIRTUAL TABLE find USING fts5("
    "record UNINDEXED, kind UNINDEXED, site UNINDEXED, words, tokenize='unicode61')"
)

_TYPES = {
    Cell.TEXT: Text,
    Cell.INTEGER: BigInteger,
    Cell.REAL: Float,
    Cell.FLAG: Integer,
    Cell.JSON: Text,
}


class KindTable:
    """A kind's table, the statements that run all day as ready text, and cells to and fro."""

    def __init__(self, kind: Kind, metadata: MetaData) -> None:
        self.kind = kind
        self.specs = tuple(kind.specs.values())
        self.search = tuple(spec.name for spec in self.specs if spec.search)
        self.table = Table(
            kind.name,
            metadata,
            Column("id", Text, primary_key=True),
            Column("site", Text, nullable=False),
            *(Column(spec.name, _TYPES[spec.cell]) for spec in self.specs),
            Column("heads", Text, nullable=False),
            Column("seen", Text, nullable=False),
            Column("also", Text),
            Column("waits", Integer),
            Column("find", Integer),
            # `deleted` is in every index: a board that reads it from rows is ten times slower
            *(Index(f"{kind.name}_{s.name}", s.name, "deleted") for s in self.specs if s.index),
            Index(f"{kind.name}_waits", "waits", sqlite_where=Column("waits") == 1),
            sqlite_with_rowid=False,
        )
        names = [column.name for column in self.table.columns]
        listed = ",".join(f'"{name}"' for name in names)
        kept = ("id", "find")
        sets = ",".join(f'"{name}"=excluded."{name}"' for name in names if name not in kept)
        sets += ",find=coalesce(excluded.find,find)"
        marks = ",".join("?" * len(names))
        self.upsert = (
            f'INSERT INTO "{kind.name}"({listed}) VALUES({marks})'
            f" ON CONFLICT(id) DO UPDATE SET {sets}"
        )
        read = ",".join(f'"{name}"' for name in names if name not in ("waits", "find"))
        self.select = f'SELECT {read} FROM "{kind.name}"'  # noqa: S608 - declared names
        self.select_one = f"{self.select} WHERE id=?"

    def row(self, record: str, folded: Folded, find: int | None) -> tuple[Any, ...]:
        """Values for `upsert`: the fold, and nothing but the fold."""
        states = folded.states
        heads = {name: state.heads for name, state in states.items() if state.heads}
        also = {name: state.also for name, state in states.items() if state.also}
        return (
            record,
            folded.site,
            *(cell(spec, states[spec.name].value) for spec in self.specs),
            canonical(heads),
            canonical(folded.seen),
            canonical(also) if also else None,
            1 if folded.asks else None,
            find,
        )

    def value(self, row: Sequence[Any]) -> Record:
        """The typed value of a row of `select`."""
        record, site, *cells = row[: 2 + len(self.specs)]
        heads, seen, also = row[2 + len(self.specs) :]
        values = {
            spec.name: uncell(spec, held) for spec, held in zip(self.specs, cells, strict=True)
        }
        return self.kind.cls(
            id=record,
            site=site,
            heads={name: tuple(ids) for name, ids in json.loads(heads).items()},
            seen=tuple(json.loads(seen)),
            also=_kept(json.loads(also)) if also else {},
            **values,
        )

    def folded_value(self, record: str, folded: Folded) -> Record:
        """The typed value of a fold, for looks into the past."""
        return self.value(self.row(record, folded, None)[:-2])


def cell(spec: Spec, value: Any) -> Any:
    """A value as its column holds it.

    What a newer program sent and this one has no column type for stays in the journal and is
    empty here, until a program that knows it refolds.
    """
    if value is None or not spec.fits(value):
        return canonical(None) if spec.cell is Cell.JSON else None
    if spec.cell is Cell.JSON:
        return canonical(value)
    if spec.cell is Cell.FLAG:
        return int(value)
    return float(value) if spec.cell is Cell.REAL else value


def uncell(spec: Spec, held: Any) -> Any:
    """A column's content as the value it stands for. NULL in a column added later: the initial."""
    if held is None:
        return None if spec.optional else spec.initial
    if spec.cell is Cell.JSON:
        value = json.loads(held)
        if value is None and not spec.optional:
            return spec.initial
        return tuple(value) if spec.merge is Merge.TAGS else value
    return bool(held) if spec.cell is Cell.FLAG else held


def _kept(also: dict[str, list[list[Any]]]) -> dict[str, tuple[tuple[str, Any], ...]]:
    return {name: tuple((op, value) for op, value in pairs) for name, pairs in also.items()}


_TABLES: dict[str, KindTable] = {}


def kind_table(name: str) -> KindTable:
    """The table of a declared kind; KeyError for an unknown one."""
    if name not in _TABLES:
        _TABLES[name] = KindTable(KINDS[name], METADATA)
    return _TABLES[name]


def declare_tables() -> MetaData:
    """METADATA with the table of every declared kind in it."""
    for name in KINDS:
        kind_table(name)
    return METADATA


def statements(kind: str) -> list[str]:
    """The text that makes a kind's table and indexes, for a revision to hold as it is today."""
    table = kind_table(kind).table
    made: list[CreateTable | CreateIndex] = [
        CreateTable(table),
        *(CreateIndex(index) for index in table.indexes),
    ]
    return sorted(str(one.compile(dialect=sqlite.dialect())).strip() for one in made)[::-1]
