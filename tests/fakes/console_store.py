"""A console's store in a folder, opened and closed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fakes.sealer import FakeSealer

from app.records.port import Actor
from app.runtime.clock import Clock, ManualClock
from app.runtime.events import EventBus
from app.store.console import ConsoleStore

KEY = bytes(range(32))
ANN = Actor("ann", "Ann")


def console_store(
    folder: Path,
    *,
    key: bytes | None = KEY,
    clock: Clock | None = None,
    bus: EventBus | None = None,
) -> ConsoleStore:
    return ConsoleStore(
        folder / "console.db",
        key=key,
        clock=clock or ManualClock(),
        bus=bus or EventBus(),
        sealer=FakeSealer(),
        outbox_copy=folder / "outbox.log",
    )


@contextmanager
def opened(folder: Path, **options: Any) -> Iterator[ConsoleStore]:
    store = console_store(folder, **options)
    store.start()
    try:
        yield store
    finally:
        store.stop()


def do(store: ConsoleStore, work: Any, who: Actor = ANN, reason: str = "") -> Any:
    return store.records.transact(who, work, reason=reason).result(20)
