"""CPU of creating and editing a record, against a bare row-plus-journal commit of the same run.

Both write to SQLCipher with the same settings (WAL, FULL) through the same driver. The floor is
what nobody can avoid: one row, one journal line, one commit. Ours adds chain, fold, indexes,
search words, outbox copy and the hand-over to the writer's thread and back.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fakes.sealer import FakeSealer

from app.records.kinds import Asset, Site
from app.records.port import Actor
from app.runtime.clock import SystemClock
from app.runtime.events import EventBus
from app.store.console import ConsoleStore
from app.store.engines import connect

KEY = bytes(range(32))
WHO = Actor("bench")
COUNT = 400
RUNS = 3
GOAL_RATIO = 12.0


def _cpu_us(work: Callable[[int], None]) -> float:
    """Mean CPU of one call in microseconds, all threads of the process."""
    started = time.process_time_ns()
    for n in range(COUNT):
        work(n)
    return (time.process_time_ns() - started) / COUNT / 1_000


def _floor(folder: Path) -> float:
    """A row and a journal line, each once, in one commit."""
    connection = connect(folder / "floor.db", KEY)
    connection.execute("CREATE TABLE IF NOT EXISTS row(id TEXT PRIMARY KEY, name TEXT, note TEXT)")
    connection.execute("CREATE TABLE IF NOT EXISTS line(pos INTEGER PRIMARY KEY, body TEXT)")
    body = "x" * 250

    def one(n: int) -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(
            "INSERT OR REPLACE INTO row VALUES(?,?,?)", (f"{time.time_ns()}", f"Pump {n}", body)
        )
        connection.execute("INSERT INTO line(body) VALUES(?)", (body,))
        connection.execute("COMMIT")

    try:
        return _cpu_us(one)
    finally:
        connection.close()


def _store(folder: Path) -> ConsoleStore:
    return ConsoleStore(
        folder / "console.db",
        key=KEY,
        clock=SystemClock(),
        bus=EventBus(),
        sealer=FakeSealer(),
        outbox_copy=folder / "outbox.log",
    )


def _measured(prepare: Callable[[ConsoleStore, str], Callable[[int], None]]) -> dict[str, Any]:
    runs, floors = [], []
    for _ in range(RUNS):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            floors.append(_floor(folder))
            store = _store(folder)
            store.start()
            try:
                site = store.records.transact(WHO, lambda tx: tx.create(Site, "", name="Tower"))
                runs.append(_cpu_us(prepare(store, site.result())))
            finally:
                store.stop()
    value, floor = statistics.median(runs), statistics.median(floors)
    ratio = statistics.median(run / bare for run, bare in zip(runs, floors, strict=True))
    return {
        "value": round(value, 1),
        "unit": "us CPU",
        "floor": round(floor, 1),
        "ratio": round(ratio, 2),
        "goal": f"<= {GOAL_RATIO:g}x floor",
        "ok": ratio <= GOAL_RATIO,
        "runs": [round(run, 1) for run in runs],
    }


def _creating(store: ConsoleStore, site: str) -> Callable[[int], None]:
    def one(n: int) -> None:
        store.records.transact(
            WHO, lambda tx: tx.create(Asset, site, name=f"Pump {n}", note="in the plant room")
        ).result()

    return one


def _editing(store: ConsoleStore, site: str) -> Callable[[int], None]:
    """Each edit reads the record afresh, as opening a form does, and changes its name."""
    made = store.records.transact(
        WHO, lambda tx: [tx.create(Asset, site, name=f"Pump {n}") for n in range(COUNT // 4)]
    ).result()

    def one(n: int) -> None:
        seen = store.records.get(Asset, made[n % len(made)])
        assert seen is not None
        store.records.transact(WHO, lambda tx: tx.edit(seen, name=f"Fan {n}")).result()

    return one


def record_create() -> dict[str, Any]:
    """One record created per commit."""
    return _measured(_creating)


def record_edit() -> dict[str, Any]:
    """One record opened and edited per commit; each has up to five operations."""
    return _measured(_editing)


BENCHES: dict[str, Callable[[], dict[str, Any]]] = {
    "record_create": record_create,
    "record_edit": record_edit,
}
