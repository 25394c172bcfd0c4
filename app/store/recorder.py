"""The writer, synchronous: one transaction at a time, journal first, rows as its fold.

`StoredRecords` runs it on the thread recorder-console; tests may call it directly.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from app.domain.errors import InvalidRequest
from app.records.field import KINDS
from app.records.operation import REFUSED, Operation
from app.records.port import Actor, FieldSealer, Tx
from app.runtime.clock import Clock
from app.store.engines import Database
from app.store.journal import Journal
from app.store.projection import Projection
from app.store.sealing import SiteKeys
from app.store.tables import ACCEPTED, SETTLED, UNSENT
from app.store.transaction import Said, WriteTx

R = TypeVar("R")

MACHINE = Actor("", "Plantroom")
"""Author of the lines the program itself writes."""


class Recorder:
    """Everything that writes to the console's file, except schema changes."""

    def __init__(self, database: Database, console: str, clock: Clock, sealer: FieldSealer) -> None:
        self.database = database
        self.keys = SiteKeys(sealer)
        self.journal = Journal(database.driver, console, clock)
        self.committed = self.journal.tip

    @contextlib.contextmanager
    def commit(self) -> Iterator[None]:
        """One transaction; the journal's tip goes back when it fails."""
        before = self.journal.tip
        try:
            with self.database.writing():
                self.journal.begin()
                yield
        except BaseException:
            self.journal.tip = before
            raise
        self.committed = self.journal.tip

    def transact(self, who: Actor, work: Callable[[Tx], R], reason: str = "") -> tuple[R, Said]:
        """Run `work` in one transaction; what it returned, and what it said."""
        with self.commit():
            tx = WriteTx(self.database, self.journal, self.keys, who, reason)
            result = work(tx)
        return result, tx.said

    def apply(self, site: str, page: Iterable[Operation], upto: int) -> Said:
        """A page of the feed and its cursor in one commit. Union, then fold; no replay."""
        fresh: list[Operation] = []
        with self.commit():
            for operation in page:
                known = self.journal.number_taken(operation.id)
                if known is None:
                    self.journal.reserve(operation.id)
                    self.journal.append(operation, waiting=SETTLED)
                    fresh.append(operation)
                elif known[1] is None:
                    self.journal.settle(known[0], operation.seq)
                    fresh.append(operation)
            self._project(fresh)
            self.database.driver.execute(
                "INSERT INTO cursor VALUES(?,?) ON CONFLICT(site) DO UPDATE SET seq=excluded.seq",
                (site, upto),
            )
        return Said(fresh)

    def adopt(self, operations: Sequence[Operation], keys: Iterable[tuple[str, bytes]]) -> Said:
        """Put back operations of this console that the file had lost; they are unsent again."""
        with self.commit():
            for site, wrapped in keys:
                self.keys.keep(self.database.driver, site, wrapped)
            for operation in operations:
                self.journal.reserve(operation.id)
                self.journal.append(operation, waiting=UNSENT)
            self._project(operations)
        return Said(list(operations))

    def accept(self, operations: Iterable[str]) -> None:
        """The server has taken these; it will number them in its feed."""
        with self.commit():
            self.database.driver.executemany(
                f"UPDATE journal SET waiting={ACCEPTED} WHERE op=? AND waiting={UNSENT}",  # noqa: S608
                [(operation,) for operation in operations],
            )

    def refuse(self, operation: str, reason: str) -> Said:
        """The server said no. The operation is kept and shown, and leaves the fold.

        A line of its own in the chain says so: a verdict beside the chain could be forged.
        """
        execute = self.database.driver.execute
        with self.commit():
            row = execute(
                "SELECT kind,record,verdict FROM journal WHERE op=?", (operation,)
            ).fetchone()
            if row is not None and row[2] == REFUSED:
                return Said()  # the same answer, once more
            if row is None:
                raise InvalidRequest(
                    "records.no_such_operation", "There is no such operation.", where=operation
                )
            execute(
                f"UPDATE journal SET verdict=?,verdict_reason=?,waiting={SETTLED} WHERE op=?",  # noqa: S608
                (REFUSED, reason, operation),
            )
            tx = WriteTx(self.database, self.journal, self.keys, MACHINE, reason)
            tx.note("operation.refused", row[1], {"operation": operation})
            kind, record, _ = row
            past = self.journal.of_record(kind, record)
            if kind in KINDS:
                Projection(self.database.driver).set(KINDS[kind], record, past, past)
        return Said([o for o in past if o.id == operation])

    def _project(self, fresh: Sequence[Operation]) -> None:
        """Fold each record these operations touch. Unknown kinds stay in the journal alone."""
        touched: dict[tuple[str, str], list[Operation]] = {}
        for operation in fresh:
            touched.setdefault((operation.kind, operation.record), []).append(operation)
        projection = Projection(self.database.driver)
        for (kind, record), new in touched.items():
            if kind in KINDS:
                past = self.journal.of_record(kind, record)
                projection.set(KINDS[kind], record, past, new)
