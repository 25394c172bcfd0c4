"""Two consoles and a server under faults: no edit may be lost in silence.

A ledger of what each person had on the form and what they then said is the oracle. It does not
use the fold. Faults: lost requests, lost answers, late duplicates, a crash between applying a
page and its commit, clocks an hour apart, forms left open while others edit, changes the server
refuses. The server is a stand-in of thirty lines.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from fakes.errand import MOVES, declared
from fakes.sealer import FakeSealer
from sqlalchemy.schema import CreateTable

import app.records.fold as fold_module
from app.domain.errors import ConsoleError
from app.records.fold import State
from app.records.operation import Operation, number
from app.records.port import Actor
from app.runtime.clock import ManualClock
from app.store.engines import Database
from app.store.journal import COLUMNS, operation_of
from app.store.migrations.versions.first_0001 import STATEMENTS
from app.store.recorder import Recorder
from app.store.tables import UNSENT, kind_table

HISTORIES = 200
STEPS = 130
HOUR_S = 3_600


class PowerGone(Exception):
    """Stands for the process ending in the middle of a transaction."""


class Server:
    """Numbers operations, answers repeats the same, refuses what a guest may not do."""

    def __init__(self) -> None:
        self.log: list[Operation] = []
        self.last: dict[str, int] = {}
        self.refused: dict[str, str] = {}

    def push(self, operations: list[Operation]) -> list[tuple[str, str | None]]:
        answers = []
        for operation in operations:
            console, n = number(operation.id)
            known = self.last.get(console, 0)
            assert n <= known + 1, f"gap: wanted {console}:{known + 1}, got {operation.id}"
            if n == known + 1:
                self.last[console] = n
                if operation.author == "guest" and "label" in operation.fields:
                    self.refused[operation.id] = "Guests do not label."
                else:
                    self.log.append(replace(operation, seq=len(self.log) + 1))
            answers.append((operation.id, self.refused.get(operation.id)))
        return answers

    def feed(self, after: int) -> list[Operation]:
        return self.log[after : after + 7]


class Console:
    """A recorder on a database in memory, driven from the test's own thread."""

    def __init__(self, name: str, clock: ManualClock, kind: type) -> None:
        self.name = name
        self.kind = kind
        self.database = Database(None, None)
        for statement in STATEMENTS:
            self.database.driver.execute(statement)
        self.database.writer.execute(CreateTable(kind_table("errand").table))
        self.recorder = Recorder(self.database, name, clock, FakeSealer())
        self.sql = self.database.driver.execute

    def get(self, record: str) -> Any:
        return self.recorder.transact(Actor("nobody"), lambda tx: tx.get(self.kind, record))[0]

    def known(self, record: str) -> frozenset[str]:
        return frozenset(r[0] for r in self.sql("SELECT op FROM journal WHERE record=?", (record,)))

    def unsent(self) -> list[Operation]:
        rows = self.sql(
            f"SELECT {COLUMNS} FROM journal WHERE waiting={UNSENT} ORDER BY pos LIMIT 5"
        )
        return [operation_of(row) for row in rows]

    def row(self, record: str) -> dict[str, Any]:
        cursor = self.sql("SELECT * FROM errand WHERE id=?", (record,))
        return dict(zip([d[0] for d in cursor.description], cursor.fetchone(), strict=True))


@dataclass
class Form:
    """What a person looked at: the value, and every operation that had come by then."""

    seen: Any
    known: frozenset[str]


@dataclass
class Entry:
    """What a person did, and the form they did it from."""

    operation: Operation
    form: Form | None


@dataclass
class History:
    """One history from a seed; `twin` is the mistake the oracle must notice, if any."""

    seed: int
    kind: type
    twin: str = ""
    entries: list[Entry] = field(default_factory=list)
    records: list[str] = field(default_factory=list)
    late: list[list[Operation]] = field(default_factory=list)
    forms: dict[tuple[str, str], Form] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.server = Server()
        self.clocks = [ManualClock(), ManualClock()]
        for clock in self.clocks:
            clock.jump(self.random.choice((-HOUR_S, 0, HOUR_S)))
        names = ("a", "b")
        self.consoles = [
            Console(name, clock, self.kind) for name, clock in zip(names, self.clocks, strict=True)
        ]

    def run(self) -> None:
        for _ in range(STEPS):
            console, x = self.random.choice(self.consoles), self.random.random()
            for clock in self.clocks:
                clock.advance(self.random.random() * 600)
            if x < 0.6:
                self.act(console)
            elif x < 0.78:
                self.push(console)
            elif x < 0.96:
                self.pull(console)
            elif self.late:
                self.server.push(self.late.pop())
        for _ in range(3):
            for console in self.consoles:
                while self.push(console, faults=False):
                    pass
                while self.pull(console, faults=False):
                    pass

    def close(self) -> None:
        for console in self.consoles:
            console.database.close()

    # --- what people do

    def act(self, console: Console) -> None:
        if not self.records or self.random.random() < 0.04:
            title = f"t{self.random.random()}"
            made, said = console.recorder.transact(
                Actor("ann"), lambda tx: tx.create(self.kind, "s", title=title)
            )
            self.records.append(made)
            self.entries.append(Entry(said.operations[0], None))
            return
        record = self.random.choice(self.records)
        form = self.forms.get((console.name, record))
        if form is None:
            if (seen := console.get(record)) is None:
                return
            form = self.forms[console.name, record] = Form(seen, console.known(record))
            if self.random.random() < 0.6:
                return  # the form stays open; others go on
        self.save(console, record, form)

    def save(self, console: Console, record: str, form: Form) -> None:
        what = self.random.choice(
            ("title", "title", "label", "label", "status", "tags", "delete", "restore", "undo")
        )
        who = Actor(self.random.choice(("ann", "ann", "guest")))
        seen = form.seen
        if self.twin == "row":  # the tempting mistake
            seen = replace(seen, heads=console.get(record).heads)
        if what == "undo":
            form = Form(console.get(record), console.known(record))  # undo looks at what is there
        try:
            _, said = console.recorder.transact(who, lambda tx: self.say(tx, what, seen, console))
        except ConsoleError:
            return  # said to the person; nothing was promised
        self.forms.pop((console.name, record), None)
        self.entries.extend(Entry(operation, form) for operation in said.operations)

    def say(self, tx: Any, what: str, seen: Any, console: Console) -> None:
        if what in ("title", "label"):
            tx.edit(seen, **{what: f"{console.name}{self.random.random():.9f}"})
        elif what == "status":
            tx.edit(seen, status=self.random.choice(MOVES[seen.status] or (seen.status,)))
        elif what == "tags":
            wanted = {*seen.tags[1:], self.random.choice("xyz")}
            tx.edit(seen, tags=tuple(sorted(wanted)))
        elif what == "delete":
            tx.delete(seen)
        elif what == "restore":
            tx.restore(seen)
        else:
            row = console.sql(
                "SELECT tx FROM journal WHERE record=? AND op GLOB ? ORDER BY pos DESC LIMIT 1",
                (seen.id, f"{console.name}:[0-9]*"),
            ).fetchone()
            if row is not None:
                tx.undo(row[0], fields=self.random.choice((None, None, ("title", "tags"))))

    # --- what the network does

    def push(self, console: Console, *, faults: bool = True) -> bool:
        operations = console.unsent()
        if not operations:
            return False
        fate = self.random.random() if faults else 1.0
        if fate < 0.15:
            return True  # the request is lost
        if fate < 0.25:
            self.late.append(operations)  # and a copy of it arrives much later
        answers = self.server.push(operations)
        if fate < 0.4:
            return True  # the answer is lost
        for operation, reason in answers:
            if reason:
                console.recorder.refuse(operation, reason)
            else:
                console.recorder.accept([operation])
        return True

    def pull(self, console: Console, *, faults: bool = True) -> bool:
        row = console.sql("SELECT seq FROM cursor").fetchone()
        after = row[0] if row else 0
        page = self.server.feed(after)
        if not page:
            return False
        upto = after + len(page)
        if faults and self.random.random() < 0.1:
            with pytest.raises(PowerGone):
                console.recorder.apply("s", _dying(page), upto)
            return True
        console.recorder.apply("s", page, upto)
        if faults and self.random.random() < 0.1:
            console.recorder.apply("s", page, upto)  # the same page once more
        return True

    # --- the oracle

    def losses(self) -> list[str]:
        """Every promise that was broken, in words."""
        found: list[str] = []
        for record in self.records:
            rows = [console.row(record) for console in self.consoles]
            shown = [{k: v for k, v in row.items() if k != "find"} for row in rows]
            if shown[0] != shown[1]:
                found.append(f"the consoles differ on {record}: {shown}")
            alive = [
                e
                for e in self.entries
                if e.operation.record == record and e.operation.id not in self.server.refused
            ]
            for name in ("title", "label", "status"):
                found.extend(_lost(name, rows[0], alive))
            found.extend(_lost_words(rows[0], alive))
            found.extend(_hidden(rows[0], alive))
        for console in self.consoles:
            if console.unsent():
                found.append(f"{console.name} still has changes to send")
            for operation, reason in self.server.refused.items():
                if operation.startswith(f"{console.name}:"):
                    row = console.sql(
                        "SELECT verdict,verdict_reason FROM journal WHERE op=?", (operation,)
                    ).fetchone()
                    if row != ("refused", reason):
                        found.append(f"{operation} was refused and nobody is told")
        return found


def _dying(page: list[Operation]) -> Iterator[Operation]:
    yield from page
    raise PowerGone


def _lost(name: str, row: dict[str, Any], alive: list[Entry]) -> list[str]:
    """Each value said is shown, kept beside, or was on the form of somebody who replaced it.

    On the form means: its operation had come by then, and its value was to be read there.
    """
    kept = [value for _, value in json.loads(row["also"] or "{}").get(name, ())]
    edits = [e for e in alive if name in e.operation.fields]
    forms = [(e.form.known, _on(e.form, name)) for e in edits if e.form is not None]
    return [
        f"{name} {value} by {e.operation.id} lost in silence"
        for e in edits
        for value in (e.operation.fields[name].value,)
        if value != row[name]
        and value not in kept
        and not any(e.operation.id in known and value in read for known, read in forms)
    ]


def _on(form: Form, name: str) -> set[Any]:
    """The values of a field that could be read on a form."""
    return {getattr(form.seen, name), *(value for _, value in form.seen.also.get(name, ()))}


def _lost_words(row: dict[str, Any], alive: list[Entry]) -> list[str]:
    """A word whose addition nobody who removed it, or undid it, could have seen is still there."""
    shown = json.loads(row["tags"])
    edits = [e for e in alive if "tags" in e.operation.fields]
    removals = [e for e in edits if "-" in e.operation.fields["tags"].value]
    return [
        f"word {word} by {e.operation.id} lost in silence"
        for e in edits
        for word in e.operation.fields["tags"].value.get("+", ())
        if word not in shown
        and not any(
            word in r.operation.fields["tags"].value["-"] and e.operation.id in r.form.known
            for r in removals
            if r.form is not None
        )
    ]


def _hidden(row: dict[str, Any], alive: list[Entry]) -> list[str]:
    """A deleted record has one deletion whose author knew of every edit."""
    if not row["deleted"]:
        return []
    edits = {e.operation.id for e in alive if "deleted" not in e.operation.fields}
    deletions = [
        e
        for e in alive
        if "deleted" in e.operation.fields and e.operation.fields["deleted"].value and e.form
    ]
    if any(edits <= e.form.known for e in deletions if e.form is not None):
        return []
    return [f"{row['id']} was deleted over edits nobody who deleted it had seen"]


@pytest.fixture(scope="module")
def errand() -> Iterator[type]:
    with declared() as kind:
        yield kind


def losses_of(seed: int, kind: type, twin: str = "") -> list[str]:
    history = History(seed, kind, twin)
    try:
        history.run()
        return history.losses()
    finally:
        history.close()


def test_no_edit_is_lost_in_silence_in_200_histories_of_two_consoles(errand) -> None:
    broken = {seed: lost for seed in range(HISTORIES) if (lost := losses_of(seed, errand))}
    assert broken == {}


def test_the_oracle_notices_a_fold_where_the_last_writer_wins(errand, monkeypatch) -> None:
    honest = fold_module.fold

    def last_writer_wins(spec: Any, operations: Any) -> State:
        return honest(spec, operations)._replace(also=(), asks=False)

    monkeypatch.setattr(fold_module, "fold", last_writer_wins)
    assert bitten(errand) & {"title", "label", "status"}


def test_the_oracle_notices_a_set_where_a_removal_wins(errand, monkeypatch) -> None:
    honest = fold_module._fold_set

    def removal_wins(name: str, operations: Any) -> State:
        removed = {w for o in operations for w in o.fields[name].value.get("-", ())}
        state = honest(name, operations)
        return state._replace(value=tuple(w for w in state.value if w not in removed))

    monkeypatch.setattr(fold_module, "_fold_set", removal_wins)
    assert "word" in bitten(errand)


def test_the_oracle_notices_a_deletion_over_what_it_had_not_seen(errand, monkeypatch) -> None:
    monkeypatch.setattr(
        fold_module, "_shown_if_edited_unseen", lambda deleted, _operations: deleted
    )
    assert "deleted" in bitten(errand)


def test_the_oracle_notices_what_was_seen_taken_from_the_row_at_saving(errand) -> None:
    assert bitten(errand, "row", 60) & {"title", "label", "status"}


def bitten(kind: type, twin: str = "", histories: int = 10) -> set[str]:
    """What was lost in these histories: the fields, `word`, or `deleted`."""
    lost = {loss for seed in range(histories) for loss in losses_of(seed, kind, twin)}
    return {"deleted" if "was deleted over" in loss else loss.split()[0] for loss in lost}
