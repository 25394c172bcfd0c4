"""Rows and search words as the fold of the journal: the only writer of a record's table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from app.records.field import KINDS, Kind
from app.records.fold import Folded, fold_record
from app.records.operation import Operation, upcast
from app.store.journal import operations_of
from app.store.tables import kind_table


class Projection:
    """Sets rows inside the writer's transaction."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def set(
        self,
        kind: Kind,
        record: str,
        operations: Sequence[Operation],
        new: Sequence[Operation],
        *,
        first: bool = False,
    ) -> None:
        """Make the row of a record the fold of all its `operations`.

        `new` are those that were not folded in before; `first` says that there is no row yet.
        """
        table = kind_table(kind.name)
        folded = fold_record(kind, operations)
        find = None
        if table.search and self._words_touched(kind, new):
            find = self._set_words(kind, record, folded, first=first)
        self._connection.execute(table.upsert, table.row(record, folded, find))

    def refold(self, kinds: Iterable[str] | None = None) -> int:
        """Fold every record anew, after a declaration changed; returns how many."""
        count = 0
        for name in KINDS if kinds is None else kinds:
            records = self._connection.execute(
                "SELECT DISTINCT record FROM journal WHERE kind=? AND act<>'note'", (name,)
            ).fetchall()
            for (record,) in records:
                operations = operations_of(self._connection, name, record)
                self.set(KINDS[name], record, operations, operations)
            count += len(records)
        return count

    @staticmethod
    def _words_touched(kind: Kind, new: Sequence[Operation]) -> bool:
        searched = (*kind_table(kind.name).search, "deleted")
        return any(name in upcast(kind, o).fields for o in new for name in searched)

    def _set_words(self, kind: Kind, record: str, folded: Folded, *, first: bool) -> int:
        """Search words of a record; a deleted one has none. Returns the row of the index."""
        states = folded.states
        words = ""
        if not states["deleted"].value:
            held = (states[name].value for name in kind_table(kind.name).search)
            words = " ".join(text for text in held if isinstance(text, str) and text)
        known = None if first else self._find_row(kind, record)
        if known is not None:
            self._connection.execute("UPDATE find SET words=? WHERE rowid=?", (words, known))
            return known
        added = self._connection.execute(
            "INSERT INTO find(record,kind,site,words) VALUES(?,?,?,?)",
            (record, kind.name, folded.site, words),
        )
        return int(added.lastrowid)

    def _find_row(self, kind: Kind, record: str) -> int | None:
        row = self._connection.execute(
            f'SELECT find FROM "{kind.name}" WHERE id=?',  # noqa: S608 - a declared name
            (record,),
        ).fetchone()
        return None if row is None else row[0]
