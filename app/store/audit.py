"""Proof that the journal is whole and the rows are its fold; names the first broken link.

What it finds: an edited, dropped, inserted or swapped line; a line of ours that is missing; a
journal cut at its end, by the anchor kept outside the file; a refusal that was never made; a
change marked as sent that never was; a row somebody changed behind the journal's back. What it
cannot find, because no copy is kept elsewhere: a person with this computer's key who rewrites
journal, rows and anchor together. The server's countersignature is for that.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from app.records.field import KINDS, Kind
from app.records.fold import fold_record
from app.records.operation import (
    GENESIS,
    REFUSED,
    Operation,
    body_hash,
    canonical,
    link,
    number,
    read_operation,
)
from app.store.engines import Database
from app.store.journal import COLUMNS
from app.store.outbox import Anchor
from app.store.tables import SETTLED, kind_table

PAGE = 2_000
CUT = "journal.cut"
"""Event of the line that says the journal had lost its end when the program started."""
REBUILT = "journal.rebuilt"
"""Event of the line that says a new file was filled from the outbox copy."""
CUT_TOLD = "journal.cut_told"
"""Event of the line that says a person was told of the cut its `operation` is about."""

REFUSAL = "operation.refused"


@dataclass(frozen=True, slots=True)
class Broken:
    """The first link that does not hold: an operation, and what is wrong in one sentence."""

    operation: str
    sentence: str


@dataclass(frozen=True, slots=True)
class AuditReport:
    """Whether everything holds, and how many lines were checked.

    Attributes:
        untold: whether `broken` is a cut nobody was told of; `tell` it, and it counts as repaired.
        repaired: cuts that were told of before, and rebuilt files. They stay in the journal and in
            every report.
    """

    ok: bool
    links: int
    broken: Broken | None = None
    untold: bool = False
    repaired: tuple[Broken, ...] = ()


class Audit:
    """Checks in pages, so that no reader's transaction lasts long. A job for a large journal."""

    def __init__(
        self, database: Database, console: str, anchor: Callable[[], Anchor | None]
    ) -> None:
        self._database = database
        self._console = console
        self._anchor = anchor

    def verify(self) -> AuditReport:
        """Walk the chain, then compare every row with its refold.

        Raises:
            StoreFault: the file could not be read.
        """
        walk = _Walk(self._console, self._anchor())
        for line in self._lines():
            walk.links += 1
            if (broken := _checked(walk, line)) is not None:
                return AuditReport(False, walk.links, broken)
        broken = walk.end() or self._first_wrong_row()
        repaired = (*walk.rebuilt, *(cut for cut in walk.cuts if cut.operation in walk.told))
        if broken is None and (untold := [cut for cut in walk.cuts if cut not in repaired]):
            return AuditReport(False, walk.links, untold[0], True, repaired)
        return AuditReport(broken is None, walk.links, broken, False, repaired)

    def _lines(self) -> Iterator[tuple[Any, ...]]:
        last = 0
        while True:
            with self._database.executing() as execute:
                page = execute(
                    f"SELECT pos,{COLUMNS},known_us,body_hash,hash,waiting"  # noqa: S608 - constants
                    " FROM journal WHERE pos>? ORDER BY pos LIMIT ?",
                    (last, PAGE),
                ).fetchall()
            if not page:
                return
            yield from page
            last = page[-1][0]

    def _first_wrong_row(self) -> Broken | None:
        for kind in KINDS.values():
            last = ""
            while last is not None:
                with self._database.executing() as execute:
                    page = execute(
                        "SELECT DISTINCT record FROM journal"
                        " WHERE kind=? AND act<>'note' AND record>? ORDER BY record LIMIT 200",
                        (kind.name, last),
                    ).fetchall()
                    for (record,) in page:
                        if (broken := self._wrong_row(execute, kind, record)) is not None:
                            return broken
                if len(page) < 200:
                    break
                last = page[-1][0]
            if (broken := self._row_without_journal(kind)) is not None:
                return broken
        return None

    def _wrong_row(self, execute: Any, kind: Kind, record: str) -> Broken | None:
        table = kind_table(kind.name)
        rows = execute(
            f"SELECT {COLUMNS} FROM journal"  # noqa: S608 - a constant
            " WHERE record=? AND kind=? AND act<>'note' ORDER BY pos",
            (record, kind.name),
        ).fetchall()
        operations = [read_operation(row[:9], row[9], row[10], row[11]) for row in rows]
        expected = table.row(record, fold_record(kind, operations), None)[:-2]
        held = execute(table.select_one, (record,)).fetchone()
        if held is not None and tuple(held) == expected:
            return None
        last = max(operations, key=Operation.order).id
        if held is None:
            return Broken(last, f"The row of {kind.name} {record} is missing.")
        fields = ("id", "site", *kind.specs, "heads", "seen", "also")
        wrong = [
            name for name, have, want in zip(fields, held, expected, strict=True) if have != want
        ]
        return Broken(
            last,
            f"{', '.join(wrong)} of {kind.name} {record} is not what the journal says; the row"
            " was changed outside the program.",
        )

    def _row_without_journal(self, kind: Kind) -> Broken | None:
        with self._database.executing() as execute:
            row = execute(
                f'SELECT id FROM "{kind.name}" WHERE id NOT IN'  # noqa: S608 - a declared name
                " (SELECT record FROM journal WHERE kind=? AND act<>'note') LIMIT 1",
                (kind.name,),
            ).fetchone()
        if row is None:
            return None
        return Broken("", f"The {kind.name} {row[0]} stands in its table but not in the journal.")


class _Walk:
    """One pass over the journal's lines, in order."""

    def __init__(self, console: str, anchor: Anchor | None) -> None:
        self.links = 0
        self._console = console
        self._anchor = anchor
        self._hash = GENESIS
        self._pos = 0
        self._next = {False: 1, True: 1}
        self._last = ""
        self._refused: dict[str, None] = {}
        self._refusals: set[str] = set()
        self.cuts: list[Broken] = []
        self.rebuilt: list[Broken] = []
        self.told: set[str] = set()

    def check(self, line: tuple[Any, ...]) -> Broken | None:
        """One line: its place, its body, its link, its number."""
        pos, *row = line
        known_us, hashed, chained, waiting = row[12:]
        operation = read_operation(row[:9], None, row[10], row[11])
        identity, body = operation.id, row[9]
        broken = self._number(identity)
        if broken is not None:
            return broken
        if body is not None and not (isinstance(body, str) and body_hash(body) == hashed):
            return Broken(identity, f"What operation {identity} says was changed.")
        # a column holds whatever somebody put there; text where a hash was is no hash
        expected = link(self._hash, operation.header(known_us), _hash(hashed))
        if pos != self._pos + 1 or expected != chained:
            return Broken(
                identity,
                f"Operation {identity} does not follow the line before it; its header was"
                " changed, or a line was dropped, inserted or moved here.",
            )
        if self._unsent_marked_sent(operation, waiting):
            return Broken(
                identity,
                f"Operation {identity} is marked as sent, but no server has taken it; it would"
                " never leave this console.",
            )
        self._hash, self._pos, self._last = expected, pos, operation.id
        self._remember(operation, body)
        return self._anchored(operation)

    def end(self) -> Broken | None:
        """What only shows once all lines were seen."""
        if self._anchor is not None and self._anchor.pos > self._pos:
            return Broken(
                self._last,
                f"The journal ends after operation {self._last}, {self._anchor.pos - self._pos}"
                " lines before the end this console remembers.",
            )
        forged = next((op for op in self._refused if op not in self._refusals), None)
        if forged is not None:
            return Broken(forged, f"Operation {forged} is marked refused, but nobody refused it.")
        return None

    def _unsent_marked_sent(self, operation: Operation, waiting: Any) -> bool:
        ours = number(operation.id)[0] == self._console and operation.act != "note"
        return (
            ours and waiting == SETTLED and operation.seq is None and operation.verdict != REFUSED
        )

    def _number(self, operation: str) -> Broken | None:
        console, n = number(operation)
        if console != self._console:
            return None
        local = operation.rpartition(":")[2].startswith("L")
        expected = self._next[local]
        self._next[local] = n + 1
        if n == expected:
            return None
        missing = f"{console}:{'L' if local else ''}{expected}"
        return Broken(missing, f"Operation {missing} is missing where {operation} stands.")

    def _remember(self, operation: Operation, body: str | None) -> None:
        if operation.verdict == REFUSED:
            self._refused[operation.id] = None
        if operation.act != "note" or body is None:
            return
        data = read_operation(_header(operation), body).data
        if operation.kind == REFUSAL:
            self._refusals.add(str(data.get("operation")))
        elif operation.kind == CUT_TOLD:
            self.told.add(operation.record)
        elif operation.kind == CUT:
            sentence = (
                "The journal had lost its end when the program started: it reached line"
                f" {data.get('reached')} of {data.get('anchor')};"
                f" {data.get('put_back')} operations were put back from the outbox copy."
            )
            self.cuts.append(Broken(operation.id, sentence))
        elif operation.kind == REBUILT:
            sentence = (
                "The database file was gone when the program started, and was made anew from the"
                f" outbox copy: {data.get('put_back')} of its {data.get('anchor')} lines were put"
                " back, those of device commands and other notes were not."
            )
            self.rebuilt.append(Broken(operation.id, sentence))

    def _anchored(self, operation: Operation) -> Broken | None:
        if self._anchor is None or self._anchor.pos != self._pos:
            return None
        if self._anchor.hash == self._hash:
            return None
        return Broken(
            operation.id,
            f"The journal up to operation {operation.id} is not the one this console wrote.",
        )


def _checked(walk: _Walk, line: tuple[Any, ...]) -> Broken | None:
    try:
        return walk.check(line)
    except (TypeError, ValueError, AttributeError):  # a value of a type no line has
        return Broken(str(line[1]), f"Operation {line[1]} holds what the program never writes.")


def _hash(held: Any) -> bytes:
    return held if isinstance(held, bytes) else b""


def _header(o: Operation) -> list[Any]:
    return [o.id, o.tx, o.act, o.kind, o.record, o.site, o.at_us, o.author, o.schema]


def declarations() -> str:
    """A text that differs when a declared kind folds or stores differently: rows are refolded."""
    described = {
        name: [
            kind.schema,
            sorted(kind.was.items()),
            [[s.name, s.merge, s.cell, s.initial, s.optional, s.search] for s in specs],
        ]
        for name, kind in KINDS.items()
        for specs in [tuple(itertools.chain(kind.specs.values()))]
    }
    return body_hash(canonical(described)).hex()
