"""Reads readings back: by series and time, in short transactions, past rows that are damaged."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from app.domain.errors import StoreFault
from app.domain.instants import iso
from app.store.engines import Database, translated
from app.store.history.columns import MARK_MEANS, DamagedBlock, Ints
from app.store.history.log import MAX_SPAN_MS, RowReader, SeriesSlice, read_directory
from app.store.history.statistics import Point

log = logging.getLogger(__name__)

PAGE_ROWS = 256
"""Rows looked at in one transaction: about ten milliseconds, where a reader may take 250."""
_ROWS = """SELECT id, t0, t1, series FROM log
    WHERE (t0, id) > (?, ?) AND t0 < ? AND t1 >= ? ORDER BY t0, id LIMIT ?"""


@dataclass(frozen=True, slots=True)
class Damage:
    """A log row that could not be read: the readings of its time span are missing."""

    row: int
    from_ms: int
    to_ms: int
    why: str

    def sentence(self) -> str:
        """What is lost, in words."""
        return (
            f"Readings between {iso(self.from_ms)} and {iso(self.to_ms)} are damaged"
            f" (log row {self.row}: {self.why}). All others can be read."
        )


class HistoryReader:
    """Answers queries from any thread. `database` is asked for anew for every page."""

    def __init__(self, database: Callable[[], Database]) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._damage: dict[int, Damage] = {}

    @property
    def damage(self) -> tuple[Damage, ...]:
        """The damaged rows met so far."""
        with self._lock:
            return tuple(self._damage[row] for row in sorted(self._damage))

    def raw(self, series: Sequence[int], from_ms: int, to_ms: int) -> list[Point]:
        """Readings of these series in [from_ms, to_ms), in order of time, then of arrival.

        Raises:
            StoreFault: the file cannot be read at all.
        """
        slices: list[tuple[int, SeriesSlice]] = []
        for row, reader in self._rows(frozenset(series), from_ms, to_ms):
            slices.extend((row, part) for one in series if (part := reader.of(one)) is not None)
        if not slices:
            return []
        slices.sort(key=lambda item: item[0])
        at_ms = np.concatenate([part.at_ms for _, part in slices])
        marks = np.concatenate([part.marks for _, part in slices]).tolist()
        values = [value for _, part in slices for value in part.values]
        order = np.argsort(at_ms, kind="stable")
        times = at_ms[order]
        inside = order[(times >= from_ms) & (times < to_ms)].tolist()
        stamps = at_ms.tolist()
        return [(stamps[n], values[n], *MARK_MEANS[marks[n]]) for n in inside]

    def _rows(
        self, series: frozenset[int], from_ms: int, to_ms: int
    ) -> Iterator[tuple[int, RowReader]]:
        if not series or to_ms <= from_ms:
            return
        after = (from_ms - MAX_SPAN_MS - 1, 0)
        while True:
            try:
                with self._database().reading() as connection:
                    rows = connection.exec_driver_sql(
                        _ROWS, (*after, to_ms, from_ms, PAGE_ROWS)
                    ).fetchall()
                    found = list(self._blocks(connection, rows, series))
            except DBAPIError as error:
                raise _fault(self._database(), error) from error
            for row, t0, t1, directory, block in found:
                try:
                    yield row, RowReader(directory, block)
                except DamagedBlock as damaged:
                    self._note(Damage(row, t0, t1, str(damaged)))
            if len(rows) < PAGE_ROWS:
                return
            after = (rows[-1][1], rows[-1][0])

    def _blocks(
        self,
        connection: Connection,
        rows: Sequence[tuple[int, int, int, bytes]],
        series: frozenset[int],
    ) -> Iterator[tuple[int, int, int, bytes, bytes]]:
        """The rows that have any of these series, with their blocks; each is fetched by itself,
        so that a damaged page costs the rows on it and no others."""
        for row, t0, t1, directory in rows:
            try:
                ids, _ = read_directory(directory)
                if not _has_any(ids, series):
                    continue
                block = connection.exec_driver_sql(
                    "SELECT data FROM log WHERE id = ?", (row,)
                ).scalar_one()
                yield row, t0, t1, directory, block
            except DamagedBlock as damaged:
                self._note(Damage(row, t0, t1, str(damaged)))
            except DBAPIError:
                self._note(Damage(row, t0, t1, "the file is damaged there"))

    def _note(self, damage: Damage) -> None:
        with self._lock:
            if damage.row in self._damage:
                return
            self._damage[damage.row] = damage
        log.error("%s", damage.sentence())


def _has_any(ids: Ints, series: frozenset[int]) -> bool:
    """Whether one of `series` is among the ascending `ids`, of which there may be thousands."""
    return any(
        place < ids.size and int(ids[place]) == one
        for one in series
        for place in (int(np.searchsorted(ids, one)),)
    )


def _fault(database: Database, error: DBAPIError) -> BaseException:
    told = translated(error.orig or error, database.path)
    if isinstance(told, StoreFault):
        return told
    return StoreFault(
        "history.unreadable",
        "The readings could not be read.",
        where=str(database.path),
        do="Check the disk, then try again.",
        retry=True,
    )
