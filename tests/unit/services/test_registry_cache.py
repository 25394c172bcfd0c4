"""The view of the records is never older than the last change that was told."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from app.runtime.clock import SystemClock
from app.runtime.events import Changed, EventBus
from app.services.registry import RegistryCache


class SlowRecords:
    """No records, read slowly."""

    def __init__(self) -> None:
        self.reading = threading.Event()
        self.go_on = threading.Event()

    def all(self, kind: type, site: str | None = None) -> list[Any]:
        self.reading.set()
        assert self.go_on.wait(10)
        return []


def test_nobody_gets_the_old_view_while_another_reads_the_new_one() -> None:
    records, bus = SlowRecords(), EventBus()
    cache = RegistryCache(records, SystemClock(), bus)  # type: ignore[arg-type]
    records.go_on.set()
    old = cache.now().version
    records.go_on.clear()
    records.reading.clear()
    bus.publish(Changed(frozenset({"device"}), None))
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(cache.now)
        assert records.reading.wait(10)
        second = pool.submit(cache.now)
        threading.Event().wait(0.05)
        assert not second.done()
        records.go_on.set()
        assert first.result(10).version == second.result(10).version == old + 1
    cache.close()
