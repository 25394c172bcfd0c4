"""A question to the store as a value: kind, conditions, order, cursor. No SQL here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Test = Literal["=", "!=", "<", "<=", ">", ">=", "in", "has", "starts"]


@dataclass(frozen=True, slots=True)
class Where:
    """One condition. `has`: the set holds this word; `starts`: the text begins with this.

    ``=`` and ``!=`` with None ask whether the field is empty.
    """

    field: str
    test: Test
    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Rows of one kind, as tuples in the order of `columns`.

    Attributes:
        where: all of them must hold.
        order: field names, ``-name`` for falling; the id breaks ties.
        after: the `next` of the page before; None for the first page.
        deleted: False leaves deleted records out, True asks for them alone, None for all.
        undecided: True asks only for records on which a person must decide.
        count: True fills `Page.total`.
    """

    kind: str
    columns: tuple[str, ...] = ("id",)
    where: tuple[Where, ...] = ()
    order: tuple[str, ...] = ()
    after: str | None = None
    limit: int = 100
    deleted: bool | None = False
    undecided: bool = False
    count: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, and the cursor to the following ones; `total` only where it was asked for."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    next: str | None = None
    total: int | None = None

    def items(self) -> tuple[Mapping[str, Any], ...]:
        """The rows with their column names."""
        return tuple(dict(zip(self.columns, row, strict=True)) for row in self.rows)
