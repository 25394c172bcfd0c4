"""The port `Records` over the console's file: writes on one thread, reads anywhere."""

from __future__ import annotations

import json
import logging
import queue
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from typing import TypeVar

from app.domain.errors import StoreFault
from app.records.field import KINDS, K, kind_of
from app.records.fold import as_of, fold_record
from app.records.operation import REFUSED, Edit, Operation
from app.records.port import Actor, Attention, Change, Hit, Note, Tx
from app.records.query import Page, Query
from app.records.undo import taken_back
from app.runtime.events import MAX_IDS, AppFault, Changed, EventBus
from app.runtime.threads import NamedThread
from app.store import door
from app.store.engines import Database
from app.store.journal import COLUMNS, operation_of
from app.store.outbox import Anchor, OutboxCopy
from app.store.query import find
from app.store.recorder import Recorder
from app.store.search import search
from app.store.tables import UNSENT, kind_table
from app.store.transaction import Said

log = logging.getLogger(__name__)

R = TypeVar("R")
THREAD = "recorder-console"
HERE, SERVER = "here", "server"
SEALED = "(sealed)"
_PAGE = 500
_Task = Callable[[], None]


class Writer:
    """The thread recorder-console: tasks one after another; no task can end it."""

    def __init__(self, outbox: OutboxCopy, bus: EventBus) -> None:
        self._queue: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._outbox = outbox
        self._bus = bus
        self._lock = threading.Lock()
        self._open = False
        self._thread: NamedThread | None = None
        self.make_up: Callable[[], None] | None = None

    def start(self) -> None:
        """Begin to take tasks."""
        self._thread = NamedThread(THREAD, self._run, self._bus)
        self._thread.start()
        self._open = True

    def stop(self, timeout_s: float = 10.0) -> None:
        """Do what was asked before, then end."""
        with self._lock:
            if not self._open:
                return
            self._open = False
            self._queue.put(None)
        if self._thread is not None:
            self._thread.join_within(timeout_s)

    def submit(self, task: Callable[[], R]) -> Future[R]:
        """Run `task` after everything asked before it."""
        future: Future[R] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = task()
            except BaseException as error:  # noqa: BLE001 - whatever a task raises is its caller's
                future.set_exception(error)
            else:
                future.set_result(result)

        with self._lock:
            if self._open:
                self._queue.put(run)
                return future
        future.set_exception(
            StoreFault("store.closed", "The records are closed.", do="Start the program again.")
        )
        return future

    def _run(self) -> None:
        while True:
            try:
                task = self._queue.get(timeout=self._outbox.due_in_s())
            except queue.Empty:
                self._sync()
                continue
            if task is None:
                break
            task()
            if self._outbox.due_in_s() == 0.0:
                self._sync()
        self._outbox.sync()

    def _sync(self) -> None:
        self._outbox.sync()
        if self._outbox.behind and self.make_up is not None:
            try:
                self.make_up()
            except StoreFault:
                self._outbox.try_again()  # it was logged when it began
            except Exception as error:  # the thread must outlive what it cannot foresee
                log.exception("The outbox copy could not be made up")
                self._bus.publish(AppFault(THREAD, error))


class StoredRecords:
    """Every record and its past. See the port for what each call promises."""

    def __init__(
        self,
        database: Database,
        recorder: Recorder,
        writer: Writer,
        outbox: OutboxCopy,
        bus: EventBus,
    ) -> None:
        self._database = database
        self._recorder = recorder
        self._writer = writer
        self._outbox = outbox
        self._bus = bus

    # --- writes, on the thread recorder-console

    def transact(self, who: Actor, work: Callable[[Tx], R], *, reason: str = "") -> Future[R]:
        """Run `work` in one transaction."""

        def task() -> R:
            before = self._recorder.journal.tip.pos
            result, said = self._recorder.transact(who, work, reason)
            if self._recorder.journal.tip.pos != before:
                self._committed(said, HERE, unsent=True)
            return result

        return self._writer.submit(task)

    def apply(self, site: str, page: Sequence[Operation], upto: int) -> Future[None]:
        """Take in a page of the server's feed and its cursor."""
        return self._writer.submit(
            lambda: self._committed(self._recorder.apply(site, page, upto), SERVER)
        )

    def accept(self, operations: Iterable[str]) -> Future[None]:
        """The server has taken these operations."""
        taken = tuple(operations)
        return self._writer.submit(lambda: self._recorder.accept(taken))

    def refuse(self, operation: str, reason: str) -> Future[None]:
        """The server said no to an operation; it is kept and shown."""
        return self._writer.submit(
            lambda: self._committed(self._recorder.refuse(operation, reason), SERVER)
        )

    def _committed(self, said: Said, origin: str, *, unsent: bool = False) -> None:
        """After the commit: the second copy gets its line, then everybody hears of it, once."""
        tip = self._recorder.journal.tip
        copied = said.operations if unsent else ()
        self._outbox.append(copied, said.site_keys, Anchor(tip.pos, tip.hash))
        if said.operations:
            ids = frozenset(operation.record for operation in said.operations)
            kinds = frozenset(operation.kind for operation in said.operations)
            self._bus.publish(Changed(kinds, ids if len(ids) <= MAX_IDS else None, origin))

    # --- reads, on any thread

    def get(self, kind: type[K], id: str) -> K | None:  # noqa: A002 - the field is called id
        """The record, deleted or not."""
        table = kind_table(kind_of(kind).name)
        with self._database.executing() as execute:
            row = execute(table.select_one, (id,)).fetchone()
        return None if row is None else table.value(row)  # type: ignore[return-value]

    def find(self, query: Query) -> Page:
        """Rows as tuples."""
        with self._database.reading() as connection:
            return find(connection, query)

    def all(self, kind: type[K], site: str | None = None) -> Sequence[K]:
        """Every record of a small kind that is not deleted, in order of id."""
        table = kind_table(kind_of(kind).name)
        found: list[K] = []
        last, more = "", True
        while more:
            with self._database.executing() as execute:
                rows = execute(
                    f"{table.select} WHERE id>? AND deleted=0 AND (? IS NULL OR site=?)"
                    " ORDER BY id LIMIT ?",
                    (last, site, site, _PAGE),
                ).fetchall()
            found.extend(table.value(row) for row in rows)  # type: ignore[misc]
            more = len(rows) == _PAGE
            last = rows[-1][0] if rows else last
        return found

    def history(
        self,
        kind: str,
        id: str,  # noqa: A002 - the field is called id
        field: str | None = None,
    ) -> Sequence[Change]:
        """What was said about a record or one of its fields, oldest first."""
        declared = door.declared(kind)
        with self._database.executing() as execute:
            rows = execute(
                f"SELECT {COLUMNS},verdict_reason FROM journal"  # noqa: S608 - a constant
                " WHERE record=? AND kind=? AND act<>'note' ORDER BY pos",
                (id, kind),
            ).fetchall()
        operations = [operation_of(row[:-1]) for row in rows]
        gone = taken_back(declared, operations)
        changes: list[Change] = []
        for operation, row in zip(operations, rows, strict=True):
            for name, edit in operation.fields.items():
                name = declared.was.get(name, name)  # noqa: PLW2901 - its name of today
                if field in (None, name):
                    spec = declared.specs.get(name)
                    sealed = spec is not None and spec.sealed and edit.value is not None
                    shown = edit._replace(value=SEALED) if sealed else edit
                    back = name in gone.get(operation.id, ())
                    changes.append(_change(operation, name, shown, row[-1], taken_back=back))
        return changes

    def notes(self, about: str, limit: int = 100) -> Sequence[Note]:
        """Journal lines without a row about this id, newest first."""
        with self._database.executing() as execute:
            rows = execute(
                f"SELECT {COLUMNS} FROM journal"  # noqa: S608 - a constant
                " WHERE record=? AND act='note' ORDER BY pos DESC LIMIT ?",
                (about, limit),
            ).fetchall()
        return [
            Note(o.id, o.at_us // 1000, o.author, o.kind, o.record, o.data, o.reason)
            for o in map(operation_of, rows)
        ]

    def as_of(
        self,
        kind: type[K],
        id: str,  # noqa: A002 - the field is called id
        at_ms: int,
        *,
        known: bool = False,
    ) -> K | None:
        """The record at a time, by its authors' clocks or by what this console knew."""
        declared = kind_of(kind)
        until_us = at_ms * 1000 + 999
        with self._database.executing() as execute:
            rows = execute(
                f"SELECT {COLUMNS},known_us FROM journal"  # noqa: S608 - a constant
                " WHERE record=? AND kind=? AND act<>'note' ORDER BY pos",
                (id, declared.name),
            ).fetchall()
        if known:
            operations = [operation_of(row[:-1]) for row in rows if row[-1] <= until_us]
        else:
            operations = as_of((operation_of(row[:-1]) for row in rows), until_us)
        if not operations:
            return None
        folded = fold_record(declared, operations)
        return kind_table(declared.name).folded_value(id, folded)  # type: ignore[return-value]

    def search(self, words: str, *, kinds: Sequence[str] = (), limit: int = 50) -> Sequence[Hit]:
        """Records whose searched fields hold all these words."""
        with self._database.reading() as connection:
            return search(connection.connection.driver_connection, words, kinds, limit)

    def waiting(self) -> int:
        """Operations not sent yet."""
        with self._database.executing() as execute:
            row = execute(
                f"SELECT count(*) FROM journal WHERE waiting={UNSENT}"  # noqa: S608 - a constant
            ).fetchone()
        return int(row[0])

    def needs_attention(self, limit: int = 100) -> Sequence[Attention]:
        """Fields to decide on, and operations that were refused."""
        found: list[Attention] = []
        with self._database.executing() as execute:
            for op, kind, record, reason in execute(
                "SELECT op,kind,record,verdict_reason FROM journal"
                " WHERE verdict=? ORDER BY pos DESC LIMIT ?",
                (REFUSED, limit),
            ):
                found.append(Attention(kind, record, operation=op, reason=reason or ""))
            for kind, declared in KINDS.items():
                for record, also in execute(
                    f'SELECT id,also FROM "{kind}" WHERE waits=1 LIMIT ?',  # noqa: S608
                    (limit,),
                ):
                    fields = tuple(n for n in json.loads(also) if declared.specs[n].asks)
                    found.append(Attention(kind, record, fields))
        return found[:limit]


def _change(
    operation: Operation, name: str, edit: Edit, verdict_reason: str | None, *, taken_back: bool
) -> Change:
    return Change(
        operation=operation.id,
        tx=operation.tx,
        act=operation.act,
        at_ms=operation.at_us // 1000,
        author=operation.author,
        field=name,
        value=edit.value,
        seen=edit.seen,
        undoes=operation.undoes,
        verdict=operation.verdict,
        reason=verdict_reason or operation.reason,
        taken_back=taken_back,
    )
