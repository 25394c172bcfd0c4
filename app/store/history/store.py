"""HistoryStore: the history file from opening to closing, its recorder and its reader."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from app.domain.errors import StoreFault
from app.domain.instants import iso
from app.domain.readings import Reading, Value
from app.domain.routes import Route
from app.runtime.clock import Clock
from app.runtime.events import EventBus, StoreTrouble
from app.store.engines import Database, DriverError, require_sound_sqlite
from app.store.history import schema, statistics
from app.store.history.observed import Observed, ObservedTable
from app.store.history.reader import Damage, HistoryReader
from app.store.history.recorder import Recorder
from app.store.history.series import Catalogue
from app.store.history.statistics import Point, Stats, Step

log = logging.getLogger(__name__)

CHECKED_BYTES = 64 << 20
"""A file up to this size is checked whole after a crash; it takes well under a second."""
_DAMAGED = frozenset({"store.not_a_database", "store.damaged", "history.foreign"})
STOP_S = 15.0


class HistoryStore:
    """Every reading of every point, and the last observed state of every device.

    `put` is the tap for `LiveValues`. Readings are committed about once a second; `flush` waits
    for that. A file that is damaged is set aside under another name, never deleted, and a fresh
    one is begun; `trouble` and the event `StoreTrouble` say so.
    """

    def __init__(self, path: Path, *, key: bytes | None, clock: Clock, bus: EventBus) -> None:
        self._path = path
        self._key = key
        self._clock = clock
        self._bus = bus
        self._catalogue = Catalogue()
        self._observed = ObservedTable()
        self._database: Database | None = None
        self._recorder: Recorder | None = None
        self._reader = HistoryReader(self._open_database)
        self.trouble: StoreFault | None = None
        """What keeps readings from being written now, or was wrong with the file at start."""

    def start(self) -> None:
        """Open the file, or set a damaged one aside and make a new one; start recording.

        Raises:
            EnvironmentLacks: a newer program wrote the file, or SQLite is not safe.
            StoreFault: the folder cannot be written.
        """
        require_sound_sqlite()
        try:
            self._begin()
        except (StoreFault, DriverError) as fault:
            if not _is_damage(fault):
                raise
            self._set_aside()
            self._begin()
        self._running().start()

    def stop(self) -> None:
        """Commit what was put, end the thread, close the file."""
        recorder, database = self._recorder, self._database
        if recorder is None or database is None:
            return
        if recorder.stop(STOP_S):
            schema.mark_open(self._open_database(), open_now=False)
            self._open_database().close()
            self._database = None

    def put(self, batch: Sequence[Reading]) -> None:
        """Take `batch` to be stored. Returns at once; what does not fit is counted `dropped`."""
        self._running().put(batch)

    def set_routes(self, routes: Mapping[str, Route]) -> None:
        """Say which asset's points each device's data points feed, from the next reading on.

        A device without a route feeds the asset ``device:<id>``. A point whose name changes
        within its asset, such as ``dp:19`` that a mapping now calls ``cur_power``, keeps its past.
        """
        self._running().set_routes(routes)

    def flush(self, timeout_s: float = 5.0) -> bool:
        """Wait until everything put and observed before is committed; False when it is not."""
        return self._running().flush(timeout_s)

    def observe(self, device: str, values: Mapping[str, Value], at_ms: int) -> None:
        """Remember the last machine state of `device`; committed within seconds."""
        self._observed.observe(device, values, at_ms)

    def observed(self, device: str) -> Observed:
        """Name to (value, UTC ms) of what was last observed of `device`."""
        return self._observed.of(device)

    def observed_all(self) -> dict[str, Observed]:
        """The same for every device."""
        return self._observed.all()

    def raw(self, asset: str, point: str, from_ms: int, to_ms: int) -> list[Point]:
        """Every committed reading in [from_ms, to_ms), in order of time, then of arrival.

        Raises:
            StoreFault: the file cannot be read.
        """
        return self._reader.raw(self._catalogue.ids(asset, point), from_ms, to_ms)

    def stats(self, asset: str, point: str, from_ms: int, to_ms: int) -> Stats:
        """Count, first and last of all readings in the range; min, max, mean of its numbers."""
        return statistics.stats(self.raw(asset, point, from_ms, to_ms))

    def stepped(
        self, asset: str, point: str, from_ms: int, to_ms: int, step_s: float
    ) -> list[Step]:
        """The same for each step of `step_s` seconds, counted from 1970, that has a reading."""
        return statistics.stepped(self.raw(asset, point, from_ms, to_ms), step_s)

    def points(self, asset: str) -> tuple[str, ...]:
        """The names of the points of `asset` that have a series."""
        return self._catalogue.points(asset)

    @property
    def damage(self) -> tuple[Damage, ...]:
        """Log rows met so far that cannot be read."""
        return self._reader.damage

    @property
    def counts(self) -> dict[str, int]:
        """What became of the readings put: stored, duplicates, dropped, late, invalid."""
        recorder = self._recorder
        names = ("stored", "duplicates", "dropped", "late", "invalid")
        return {name: 0 if recorder is None else getattr(recorder, name) for name in names}

    @property
    def dropped(self) -> int:
        """Readings that could not be kept; 0 in all normal use."""
        return self.counts["dropped"]

    def _running(self) -> Recorder:
        if self._recorder is None:
            raise RuntimeError("the history store was not started")
        return self._recorder

    def _open_database(self) -> Database:
        if self._database is None:
            raise StoreFault(
                "history.closed", "The readings are not open.", where=self._path.name, retry=True
            )
        return self._database

    def _begin(self) -> None:
        """Open the file and take in what it knows.

        What an earlier try took in before it met damage stays, and is written again.
        """
        database = self._database = self._open()
        try:
            self._catalogue.store_all_again()
            self._observed.store_all_again()
            self._catalogue.load(database.driver)
            self._observed.load(database.driver)
            self._recorder = Recorder(
                database,
                self._catalogue,
                self._observed,
                clock=self._clock,
                bus=self._bus,
                on_fault=self._write_failed,
                on_recovery=self._write_works,
            )
        except BaseException:
            self._database = None
            database.close()
            raise

    def _open(self) -> Database:
        database = Database(self._path, self._key, page_bytes=schema.PAGE_BYTES)
        try:
            was_open = schema.prepare(database, self._path)
            if was_open and self._path.stat().st_size <= CHECKED_BYTES:
                schema.check(database, self._path)
            schema.mark_open(database, open_now=True)
        except BaseException:
            database.close()
            raise
        return database

    def _set_aside(self) -> None:
        """Rename the damaged file and what belongs to it; say what is and is not lost."""
        stamp = (iso(self._clock.now_ms()) or "").replace(":", "").replace(".", "")
        name = free = f"{self._path.name}.damaged-{stamp}"
        number = 1
        while self._path.with_name(free).exists():
            number += 1
            free = f"{name}-{number}"
        for suffix in ("", "-wal", "-shm"):
            part = self._path.with_name(self._path.name + suffix)
            if part.exists():
                part.rename(self._path.with_name(free + suffix))
        self._tell(
            StoreFault(
                "history.set_aside",
                "The file of readings is damaged: what was recorded until now cannot be shown."
                " Devices, names, settings and the journal are not affected, and new readings"
                " are recorded.",
                where=free,
                do="Nothing was deleted. Keep the file; restore a backup if you need the past.",
            )
        )

    def _write_failed(self, fault: BaseException) -> Database | None:
        """By the recorder: a damaged file is replaced, anything else told and waited for."""
        if _is_damage(fault):
            with contextlib.suppress(StoreFault, DriverError, OSError):
                # When even that fails, the next turn tries again and the readings wait.
                self._open_database().close()
                self._set_aside()
                self._database = self._open()
                return self._database
        if self.trouble is None or self.trouble.code != "history.not_written":
            self._tell(
                StoreFault(
                    "history.not_written",
                    f"Readings cannot be written: {_words(fault)} They are kept in memory for"
                    " some hours and written as soon as it works again.",
                    where=self._path.name,
                    do="Free some space on the disk.",
                    retry=True,
                )
            )
        return None

    def _write_works(self) -> None:
        fault, self.trouble = self.trouble, None
        log.info("Readings are written again")
        if fault is not None:
            self._bus.publish(StoreTrouble("history", fault, over=True))

    def _tell(self, fault: StoreFault) -> None:
        self.trouble = fault
        log.error("%s", fault.sentence())
        self._bus.publish(StoreTrouble("history", fault))


def _is_damage(fault: BaseException) -> bool:
    """A file this program cannot make sense of; a driver's error without a sentence is one too."""
    if isinstance(fault, StoreFault):
        return fault.code in _DAMAGED
    return isinstance(fault, DriverError) and "no such" in str(fault)


def _words(fault: BaseException) -> str:
    if not isinstance(fault, StoreFault):
        return f"{fault}."
    # its own sentence speaks of the one change a person wanted to save
    full = fault.code == "store.disk_full"
    return "There is no room left on the disk." if full else fault.what
