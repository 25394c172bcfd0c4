"""The journal on the writer's side: numbers, hybrid time, the hash chain, and reading it back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.records.operation import GENESIS, Operation, body_hash, link, number, read_operation
from app.runtime.clock import Clock
from app.store.tables import SETTLED, UNSENT

MAX_DRAG_US = 120_000_000
"""A remote stamp further ahead than this does not drag our own time along: its clock is wrong."""

COLUMNS = "op,tx,act,kind,record,site,at_us,author,schema,body,seq,verdict"
_OF_RECORD = (
    f"SELECT {COLUMNS} FROM journal"  # noqa: S608 - a constant of this module
    " WHERE record=? AND kind=? AND act<>'note' ORDER BY pos"
)
_INSERT = (
    "INSERT INTO journal(pos,op,tx,act,kind,record,site,at_us,known_us,author,schema,body,"
    "body_hash,hash,seq,verdict,waiting) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
)


def operation_of(row: Sequence[Any]) -> Operation:
    """The operation in a row of `COLUMNS`. A body erased by law leaves an operation without fields.

    The header and the chain remain, so the rest of the journal still verifies.
    """
    return read_operation(row[:9], row[9], row[10], row[11])


def operations_of(connection: Any, kind: str, record: str) -> list[Operation]:
    """Every operation of a record, in the order they came here. Takes a driver connection."""
    return [operation_of(row) for row in connection.execute(_OF_RECORD, (record, kind))]


@dataclass(frozen=True, slots=True)
class Tip:
    """Where the journal ends: position, chain hash, last numbers, last hybrid time."""

    pos: int = 0
    hash: bytes = GENESIS
    shared: int = 0
    local: int = 0
    at_us: int = 0


class Journal:
    """Appends lines inside the writer's transaction. `tip` is put back when that fails."""

    def __init__(self, connection: Any, console: str, clock: Clock) -> None:
        self._connection = connection
        self.console = console
        self._clock = clock
        self.tip = self._read_tip()
        self._moment_us = 0

    def _read_tip(self) -> Tip:
        execute = self._connection.execute
        last = execute("SELECT pos,hash,known_us FROM journal ORDER BY pos DESC LIMIT 1").fetchone()
        if last is None:
            return Tip()
        shared, local = 0, 0
        own = (f"{self.console}:", f"{self.console};")  # the character after ':' ends the range
        for (op,) in execute("SELECT op FROM journal WHERE op>=? AND op<?", own):
            if op.rpartition(":")[2].startswith("L"):
                local = max(local, number(op)[1])
            else:
                shared = max(shared, number(op)[1])
        pos, chained, known_us = last
        # what somebody put there instead is for the audit to name, not for the start to fail on
        return Tip(
            pos,
            chained if isinstance(chained, bytes) else b"",
            shared,
            local,
            known_us if isinstance(known_us, int) else 0,
        )

    def begin(self) -> None:
        """A transaction begins: all it says is said at this moment, some microseconds apart.

        A look at a time in milliseconds then never shows half of it.
        """
        self._moment_us = self._clock.now_ms() * 1000

    def now_us(self) -> int:
        """The next hybrid time: the moment's, or just after the last one where it jumped back."""
        at_us = max(self._moment_us, self.tip.at_us + 1)
        self.tip = replace(self.tip, at_us=at_us)
        return at_us

    def next_id(self, *, local: bool = False) -> str:
        """The next operation id of this console."""
        if local:
            self.tip = replace(self.tip, local=self.tip.local + 1)
            return f"{self.console}:L{self.tip.local}"
        self.tip = replace(self.tip, shared=self.tip.shared + 1)
        return f"{self.console}:{self.tip.shared}"

    def append(self, operation: Operation, *, waiting: int) -> None:
        """Write one line and chain it."""
        ahead = operation.at_us - self._moment_us > MAX_DRAG_US
        known_us = max(self.tip.at_us, self._moment_us, 0 if ahead else operation.at_us)
        body = operation.body()
        hashed = body_hash(body)
        chained = link(self.tip.hash, operation.header(known_us), hashed)
        pos = self.tip.pos + 1
        o = operation
        header = (o.id, o.tx, o.act, o.kind, o.record, o.site, o.at_us, known_us, o.author)
        rest = (o.schema, body, hashed, chained, o.seq, o.verdict, waiting)
        self._connection.execute(_INSERT, (pos, *header, *rest))
        self.tip = replace(self.tip, pos=pos, hash=chained, at_us=known_us)

    def reserve(self, operation: str) -> None:
        """Count on after this operation if it is one of ours that the file had lost."""
        console, n = number(operation)
        if console == self.console and n > self.tip.shared:
            self.tip = replace(self.tip, shared=n)

    def of_record(self, kind: str, record: str) -> list[Operation]:
        """Every operation of a record as the open transaction sees them."""
        return operations_of(self._connection, kind, record)

    def of_transaction(self, tx: str) -> list[tuple[Operation, bool]]:
        """The operations of a transaction, newest first, each with whether it left this console."""
        rows = self._connection.execute(
            f"SELECT {COLUMNS},waiting FROM journal"  # noqa: S608 - a constant of this module
            " WHERE tx=? AND act<>'note' ORDER BY pos DESC",
            (tx,),
        )
        return [(operation_of(row[:-1]), row[-1] != UNSENT) for row in rows.fetchall()]

    def unsent(self) -> Iterator[Operation]:
        """Operations that wait to be sent, in order."""
        rows = self._connection.execute(
            f"SELECT {COLUMNS} FROM journal"  # noqa: S608 - a constant of this module
            f" WHERE waiting={UNSENT} ORDER BY pos"
        )
        return (operation_of(row) for row in rows)

    def unsent_ids(self) -> set[str]:
        """Ids of the operations that wait to be sent."""
        rows = self._connection.execute(f"SELECT op FROM journal WHERE waiting={UNSENT}")  # noqa: S608
        return {op for (op,) in rows}

    def number_taken(self, operation: str) -> tuple[int, int | None] | None:
        """(position, server number) of a line that is here already."""
        row = self._connection.execute(
            "SELECT pos,seq FROM journal WHERE op=?", (operation,)
        ).fetchone()
        return None if row is None else (row[0], row[1])

    def settle(self, pos: int, seq: int | None) -> None:
        """The server has numbered the line at `pos`."""
        self._connection.execute(
            f"UPDATE journal SET seq=?, waiting={SETTLED} WHERE pos=?",  # noqa: S608
            (seq, pos),
        )
