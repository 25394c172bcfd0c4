"""The recorder: the only thread that writes readings, once about every second."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from app.domain.errors import StoreFault
from app.domain.readings import Reading, Value
from app.domain.routes import Route
from app.runtime.clock import Clock
from app.runtime.events import EventBus
from app.runtime.threads import NamedThread
from app.store.engines import Database, DriverError
from app.store.history import schema
from app.store.history.columns import DamagedBlock
from app.store.history.intake import Sorter
from app.store.history.log import MAX_SPAN_MS, LogRow, RowReader
from app.store.history.observed import ObservedTable
from app.store.history.series import Catalogue

log = logging.getLogger(__name__)

COMMIT_EVERY_S = 1.0
OBSERVED_EVERY_TURNS = 5
MAX_WAITING = 200_000
"""Readings that may wait for the thread; at 5,000 a second it takes them 200 times as often."""
EARLY_AT = 20_000
ROW_READINGS = 4_000
"""A second's worth at full load; three times as many at once fall out of the processor's cache."""
MAX_PENDING_BYTES = 64 << 20
"""Encoded rows kept while the disk is full: hours of readings at about five bytes each."""
COMMIT_ROWS = 500
_REMEMBERED_ROWS = 16

_Item = Sequence[Reading] | Mapping[str, Route]
OnFault = Callable[[BaseException], Database | None]
"""Told of a commit that failed; may answer with a fresh database to go on with."""


class Recorder:
    """Takes batches from any thread, and answers for every one: stored, duplicate or dropped.

    While the disk does not take them, readings wait encoded and bounded, and are written when it
    does again. A row keeps the number it was given first, so a commit that is tried again after
    an unclear end replaces itself.
    """

    def __init__(
        self,
        database: Database,
        catalogue: Catalogue,
        observed: ObservedTable,
        *,
        clock: Clock,
        bus: EventBus,
        on_fault: OnFault,
        on_recovery: Callable[[], None],
    ) -> None:
        self._database = database
        self._catalogue = catalogue
        self._observed = observed
        self._clock = clock
        self._on_fault = on_fault
        self._on_recovery = on_recovery
        self._lock = threading.Lock()
        self._queue: deque[_Item] = deque()
        self._waiting = 0
        self._closed = False
        self._stopping = False
        self._wake = threading.Event()
        self._flushed = threading.Condition()
        self._flush_wanted = self._flush_done = 0
        self._pending: deque[tuple[int, LogRow]] = deque()
        self._pending_bytes = 0
        self._turns = 0
        self._failing = False
        self.stored = self.duplicates = self.dropped = self.late = self.invalid = 0
        self._remembered: OrderedDict[int, RowReader | None] = OrderedDict()
        newest_ms, self._next_row = schema.position(database)
        self._sorter = Sorter(catalogue, newest_ms, self._stored_at)
        self._thread = NamedThread("recorder-history", self._run, bus)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def put(self, batch: Sequence[Reading]) -> None:
        """Queue `batch`, which nobody changes any more. Never waits for the disk."""
        with self._lock:
            if self._closed or self._waiting + len(batch) > MAX_WAITING:
                self.dropped += len(batch)
                return
            self._queue.append(batch)
            self._waiting += len(batch)
            early = self._waiting >= EARLY_AT
        if early:
            self._wake.set()

    def set_routes(self, routes: Mapping[str, Route]) -> None:
        """Readings put after this go where `routes` says."""
        with self._lock:
            self._queue.append(dict(routes))
        self._wake.set()

    def flush(self, timeout_s: float) -> bool:
        """Wait until all that was put before is committed; False when it was not in time."""
        with self._lock:
            self._flush_wanted += 1
            ticket = self._flush_wanted
        self._wake.set()
        with self._flushed:
            self._flushed.wait_for(
                lambda: self._flush_done >= ticket or not self._thread.is_alive(), timeout_s
            )
            return self._flush_done >= ticket

    def stop(self, timeout_s: float) -> bool:
        """Take nothing more, commit what is there, end the thread."""
        with self._lock:
            self._closed = True
            self._stopping = True
        self._wake.set()
        ended = self._thread.join_within(timeout_s)
        if ended and self._pending:
            lost = sum(row.readings for _, row in self._pending)
            self.dropped += lost
            log.error("%d readings could not be written before the end", lost)
        return ended

    def _run(self) -> None:
        try:
            while not self._stopping:
                self._wake.wait(COMMIT_EVERY_S)
                self._wake.clear()
                self._turn()
            self._turn(everything=True)
        finally:
            with self._flushed:
                self._flushed.notify_all()

    def _turn(self, *, everything: bool = False) -> None:
        with self._lock:
            items, self._queue = self._queue, deque()
            self._waiting = 0
            ticket = self._flush_wanted
        self._take_in(items)
        self._turns += 1
        everything = everything or ticket > self._flush_done
        with_observed = everything or self._turns % OBSERVED_EVERY_TURNS == 0
        if self._commit(with_observed=with_observed):
            with self._flushed:
                self._flush_done = ticket
                self._flushed.notify_all()

    def _take_in(self, items: Iterable[_Item]) -> None:
        readings: list[Reading] = []
        for item in items:
            if isinstance(item, dict):
                self._encode(readings)
                readings = []
                self._catalogue.set_routes(item)
                continue
            readings.extend(item)  # type: ignore[arg-type]  # the other kind is a dict
            if len(readings) >= ROW_READINGS:
                self._encode(readings)
                readings = []
        self._encode(readings)

    def _encode(self, readings: Sequence[Reading]) -> None:
        intake = self._sorter.sort(readings, self._clock.now_ms())
        self.duplicates += intake.duplicates
        self.late += intake.late
        self.invalid += intake.invalid
        for row in intake.rows:
            size = len(row.block) + len(row.directory)
            if self._pending_bytes + size > MAX_PENDING_BYTES:
                self.dropped += row.readings
                continue
            self._pending.append((self._next_row, row))
            self._pending_bytes += size
            self._next_row += 1

    def _commit(self, *, with_observed: bool) -> bool:
        """Write what is pending, some hundred rows a transaction; False when the disk refused."""
        replaced = False
        while (
            self._pending or self._catalogue.unstored or (with_observed and self._observed.unstored)
        ):
            rows = list(islice(self._pending, COMMIT_ROWS))
            try:
                self._write(rows, with_observed=with_observed)
            except (StoreFault, DriverError) as fault:
                self._observed.not_stored()
                if replaced or not self._failed(fault):
                    return False
                replaced = True
                continue
            self._catalogue.stored()
            self._observed.stored()
            for _, row in rows:
                self._pending.popleft()
                self._pending_bytes -= len(row.block) + len(row.directory)
                self.stored += row.readings
        if self._failing:
            self._failing = False
            self._on_recovery()
        return True

    def _write(self, rows: Sequence[tuple[int, LogRow]], *, with_observed: bool) -> None:
        with self._database.writing() as connection:
            self._catalogue.store(connection)
            connection.executemany(
                "INSERT OR REPLACE INTO log(id, t0, t1, n, series, data) VALUES(?, ?, ?, ?, ?, ?)",
                [(number, *row) for number, row in rows],
            )
            if with_observed:
                self._observed.store(connection)

    def _failed(self, fault: BaseException) -> bool:
        """True when there is a fresh database to try again with at once."""
        fresh = self._on_fault(fault)
        if fresh is not None:
            self._database = fresh
            self._remembered.clear()
            self._catalogue.store_all_again()
            self._observed.store_all_again()
            return True
        self._failing = True
        return False

    def _stored_at(self, wanted: dict[int, set[int]]) -> Iterable[tuple[int, int, Value]]:
        """Which values these series have at these times, in the file or on the way to it."""
        for reader in self._readers_at(sorted(set().union(*wanted.values()))):
            for series, times in wanted.items():
                part = reader.of(series) if reader is not None else None
                if part is None:
                    continue
                for at_ms, value in zip(part.at_ms.tolist(), part.values, strict=True):
                    if at_ms in times:
                        yield series, at_ms, value

    def _readers_at(self, times: Sequence[int]) -> Iterable[RowReader | None]:
        rows: dict[int, tuple[bytes, bytes]] = {
            number: (row.directory, row.block)
            for number, row in self._pending
            if row.t1 >= times[0] and row.t0 <= times[-1]
        }
        for first, last in _spans(times):
            found = self._database.driver.execute(
                "SELECT id, series, data FROM log WHERE t0 BETWEEN ? AND ? AND t1 >= ?",
                (first - MAX_SPAN_MS, last, first),
            )
            rows.update((number, (directory, block)) for number, directory, block in found)
        return [self._reader(number, *rows[number]) for number in sorted(rows)]

    def _reader(self, number: int, directory: bytes, block: Any) -> RowReader | None:
        if number in self._remembered:
            self._remembered.move_to_end(number)
            return self._remembered[number]
        try:
            reader = RowReader(directory, block)
        except DamagedBlock:
            reader = None
        self._remembered[number] = reader
        while len(self._remembered) > _REMEMBERED_ROWS:
            self._remembered.popitem(last=False)
        return reader


def _spans(times: Sequence[int]) -> Iterable[tuple[int, int]]:
    """Sorted times as few ranges, apart by more than a row's span."""
    first = last = times[0]
    for at_ms in times[1:]:
        if at_ms - last > MAX_SPAN_MS:
            yield first, last
            first = at_ms
        last = at_ms
    yield first, last
