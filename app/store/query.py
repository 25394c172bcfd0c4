"""A `Query` as SQL, through SQLAlchemy Core: one text for SQLite and for a server's database."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, false, func, or_, select, true

from app.domain.errors import InvalidRequest
from app.records.field import Cell, Merge
from app.records.operation import canonical
from app.records.query import Page, Query, Where
from app.store import door
from app.store.tables import KindTable, kind_table, uncell

MAX_PAGE = 10_000


def find(connection: Connection, query: Query) -> Page:
    """Run a query.

    Raises:
        InvalidRequest: it names a kind or field that is not declared, or a cursor not ours.
    """
    door.declared(query.kind)
    kind = kind_table(query.kind)
    order = _order(query)
    conditions = [_condition(kind, where) for where in query.where]
    if query.deleted is not None:
        conditions.append(kind.table.c.deleted == int(query.deleted))
    if query.undecided:
        conditions.append(kind.table.c.waits == 1)
    paged = [*conditions, _after(kind, order, query.after)] if query.after else conditions
    limit = max(1, min(query.limit, MAX_PAGE))
    names = [*query.columns, *(name for name, _ in order)]
    statement = (
        select(*(_column(kind, name) for name in names))
        .where(and_(true(), *paged))
        .order_by(*(_ordering(kind, name, falling) for name, falling in order))
        .limit(limit + 1)
    )
    rows = connection.execute(statement).all()
    total = _count(connection, kind, conditions) if query.count else None
    width = len(query.columns)
    following = canonical(list(rows[limit - 1][width:])) if len(rows) > limit else None
    shown = tuple(_typed(kind, query.columns, row[:width]) for row in rows[:limit])
    return Page(query.columns, shown, following, total)


def _count(connection: Connection, kind: KindTable, conditions: list[ColumnElement[bool]]) -> int:
    counted = select(func.count()).select_from(kind.table).where(and_(true(), *conditions))
    return int(connection.execute(counted).scalar_one())


def _order(query: Query) -> list[tuple[str, bool]]:
    order = [(name.removeprefix("-"), name.startswith("-")) for name in query.order]
    return order if any(name == "id" for name, _ in order) else [*order, ("id", False)]


def _column(kind: KindTable, name: str) -> ColumnElement[Any]:
    if name not in kind.kind.specs and name not in ("id", "site", "waits"):
        raise InvalidRequest(
            "records.no_such_field",
            f"A {kind.kind.name} has no field '{name}'.",
            where=f"{kind.kind.name}.{name}",
            do=f"It has {', '.join(kind.kind.specs)}.",
        )
    return kind.table.c[name]


def _ordering(kind: KindTable, name: str, falling: bool) -> ColumnElement[Any]:
    column = _column(kind, name)
    return column.desc() if falling else column.asc()


def _condition(kind: KindTable, where: Where) -> ColumnElement[bool]:
    column, value = _column(kind, where.field), where.value
    spec = kind.kind.specs.get(where.field)
    if where.test == "has":
        if spec is None or spec.merge is not Merge.TAGS:
            raise InvalidRequest("records.not_a_set", "Only a set holds words.", where=where.field)
        word = func.json_each(column).table_valued("value")
        return select(word.c.value).where(word.c.value == value).exists()
    if where.test == "starts":
        return column.startswith(value, autoescape=True)
    if where.test == "in":
        return column.in_(list(value))
    if value is None:
        return column.is_(None) if where.test == "=" else column.is_not(None)
    if spec is not None and spec.cell is Cell.FLAG:
        value = int(value)
    tests: dict[str, ColumnElement[bool]] = {
        "=": column == value,
        "!=": or_(column != value, column.is_(None)),
        "<": column < value,
        "<=": column <= value,
        ">": column > value,
        ">=": column >= value,
    }
    return tests[where.test]


def _after(kind: KindTable, order: list[tuple[str, bool]], cursor: str) -> ColumnElement[bool]:
    """Rows that follow the cursor's in this order; empty sorts before everything."""
    try:
        last = json.loads(cursor)
        pairs = list(zip(order, last, strict=True))
    except (ValueError, TypeError):
        raise InvalidRequest(
            "records.wrong_cursor",
            "This is not where a page of this list ended.",
            do="Begin at the first page.",
        ) from None
    ways: list[ColumnElement[bool]] = []
    equal: list[ColumnElement[bool]] = []
    for (name, falling), value in pairs:
        column = _column(kind, name)
        beyond: ColumnElement[bool]
        if value is None:
            beyond = false() if falling else column.is_not(None)
        else:
            beyond = or_(column < value, column.is_(None)) if falling else column > value
        ways.append(and_(true(), *equal, beyond))
        equal.append(column.is_(None) if value is None else column == value)
    return or_(false(), *ways)


def _typed(kind: KindTable, columns: tuple[str, ...], row: Any) -> tuple[Any, ...]:
    specs = kind.kind.specs
    return tuple(
        uncell(specs[name], held) if name in specs else held
        for name, held in zip(columns, row, strict=True)
    )
