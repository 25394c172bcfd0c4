"""From readings as they arrived to log rows: values made storable, duplicates and late ones told.

Nearly every batch is plain: known series, values that fit, times that only go forward. That way is
vectorised. Whatever is not plain takes the slower way, reading by reading, with the same result.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from app.domain.readings import Reading, Value
from app.domain.words import Path, Quality
from app.store.history.chunk import MAX_TIME_MS
from app.store.history.columns import MARK_MEANS, MARKS, Ints
from app.store.history.log import MAX_SPAN_MS, LogRow, encode_row
from app.store.history.series import Catalogue

MAX_TEXT_BYTES = 4_096
LATE_MS = 60_000
"""Older than its series' last and this long on its way: the reading is `late`."""
_SAFE_TEXT_CHARS = MAX_TEXT_BYTES // 4
_INT_RANGE = range(-(1 << 63), 1 << 63)
_MARK_OF_GOOD_LAN = MARKS[Quality.GOOD, Path.LAN]

Stored = Callable[[dict[int, set[int]]], Iterable[tuple[int, int, Value]]]
"""Given series ids and times, says which values are stored there already."""


@dataclass(slots=True)
class Intake:
    """What became of a batch: the rows to write, and what was counted on the way."""

    rows: list[LogRow] = field(default_factory=list)
    stored: int = 0
    duplicates: int = 0
    late: int = 0
    invalid: int = 0


class Sorter:
    """Turns batches into rows. Used by the recorder's thread alone.

    `newest_ms` is the newest time in the store at start: a reading after it cannot be stored
    already, so only older ones are ever looked up.
    """

    def __init__(self, catalogue: Catalogue, newest_ms: int, stored: Stored) -> None:
        self._catalogue = catalogue
        self._stored = stored
        self._newest_ms = newest_ms
        self._last = np.full(1_024, newest_ms, np.int64)

    def sort(self, readings: Sequence[Reading], now_ms: int) -> Intake:
        """Encode `readings`, in the order they arrived; `now_ms` is the console's time, UTC ms."""
        intake = Intake()
        if not readings:
            return intake
        devices, points, raw, times, qualities, paths = zip(*readings, strict=True)
        values, bad_values = _storable(raw)
        at_ms, bad_times = _times(times, now_ms)
        marks = _marks(qualities, paths)
        for place in bad_values | bad_times:
            marks[place] = MARKS[Quality.INVALID, MARK_MEANS[int(marks[place])][1]]
        intake.invalid = len(bad_values | bad_times)
        series = self._series(devices, points, values)
        order = np.argsort(series, kind="stable")
        series, at_ms, marks = series[order], at_ms[order], marks[order]
        values = [values[place] for place in order.tolist()]
        doubtful = self._doubtful(series, at_ms)
        if doubtful is not None:
            kept = self._judge(intake, doubtful, (series, at_ms, values, marks), now_ms)
            series, at_ms, marks = series[kept], at_ms[kept], marks[kept]
            values = [values[place] for place in kept.tolist()]
        intake.stored = len(values)
        intake.rows = list(_rows(series, at_ms, values, marks))
        return intake

    def _series(
        self, devices: Sequence[str], points: Sequence[str], values: Sequence[Value]
    ) -> Ints:
        index = self._catalogue.index
        known = list(map(index.get, zip(devices, points, strict=True)))
        if None in known:
            for place, number in enumerate(known):
                if number is None:
                    device, dp = devices[place], points[place]
                    found = index.get((device, dp))
                    known[place] = found or self._catalogue.resolve(device, dp, values[place])
        series = np.array(known, np.int64)
        most = int(series.max())
        if most >= self._last.size:
            grown = np.full(most * 2, self._newest_ms, np.int64)
            grown[: self._last.size] = self._last
            self._last = grown
        return series

    def _doubtful(self, series: Ints, at_ms: Ints) -> Any | None:
        """Which readings are of a series that did not only go forward; None when all did."""
        first = np.concatenate(([True], series[1:] != series[:-1]))
        before = np.where(first, self._last[series], np.concatenate(([0], at_ms[:-1])))
        backward = at_ms <= before
        if backward.any():
            return np.isin(series, series[backward])
        last = np.append(first[1:], True)
        self._last[series[last]] = at_ms[last]
        return None

    def _judge(self, intake: Intake, doubtful: Any, batch: tuple[Any, ...], now_ms: int) -> Any:
        """Tell duplicates and late readings among the doubtful; returns the places to keep."""
        series, at_ms, values, marks = batch
        places = np.flatnonzero(doubtful).tolist()
        seen = self._seen(places, series, at_ms)
        keep = np.ones(len(values), np.bool_)
        for place in places:
            number, at, value = int(series[place]), int(at_ms[place]), values[place]
            told = (type(value), value)
            if told in seen[number, at]:
                keep[place] = False
                intake.duplicates += 1
                continue
            seen[number, at].add(told)
            if at >= self._last[number]:
                self._last[number] = at
            elif self._is_late(number, at, now_ms):
                intake.late += 1
                quality, path = MARK_MEANS[int(marks[place])]
                if quality is Quality.GOOD:
                    marks[place] = MARKS[Quality.LATE, path]
        plain = ~doubtful
        if plain.any():
            np.maximum.at(self._last, series[plain], at_ms[plain])
        return np.flatnonzero(keep)

    def _is_late(self, number: int, at: int, now_ms: int) -> bool:
        """Out of order, and long on its way.

        A clock that was set back makes readings older than the last, but not late: they are new.
        What the last of a series was before this start is not known, and nothing is held late
        by a guess.
        """
        last = int(self._last[number])
        return last > self._newest_ms and last - at > LATE_MS and now_ms - at > LATE_MS

    def _seen(
        self, places: Sequence[int], series: Ints, at_ms: Ints
    ) -> defaultdict[tuple[int, int], set[tuple[type, Value]]]:
        seen: defaultdict[tuple[int, int], set[tuple[type, Value]]] = defaultdict(set)
        wanted: dict[int, set[int]] = {}
        for place in places:
            number, at = int(series[place]), int(at_ms[place])
            if at <= self._last[number]:
                wanted.setdefault(number, set()).add(at)
        if wanted:
            for number, at, value in self._stored(wanted):
                seen[number, at].add((type(value), value))
        return seen


def _rows(series: Ints, at_ms: Ints, values: Sequence[Value], marks: Any) -> Iterable[LogRow]:
    if not values:
        return
    if int(at_ms.max()) - int(at_ms.min()) <= MAX_SPAN_MS:
        yield encode_row(series, at_ms, values, marks)
        return
    minutes = at_ms // MAX_SPAN_MS
    for minute in np.unique(minutes).tolist():
        places = np.flatnonzero(minutes == minute)
        part = [values[place] for place in places.tolist()]
        yield encode_row(series[places], at_ms[places], part, marks[places])


def _marks(qualities: Sequence[Quality], paths: Sequence[Path]) -> Any:
    size = len(qualities)
    if qualities.count(Quality.GOOD) == size and paths.count(Path.LAN) == size:
        return np.full(size, _MARK_OF_GOOD_LAN, np.uint8)
    pairs = zip(qualities, paths, strict=True)
    return np.array([MARKS[pair] for pair in pairs], np.uint8)


def _times(times: Sequence[int], now_ms: int) -> tuple[Ints, set[int]]:
    """Times as a column; one no key can hold is replaced by now, and told."""
    try:
        at_ms = np.array(times, np.int64)
    except OverflowError:
        at_ms = np.array([at if 0 <= at <= MAX_TIME_MS else -1 for at in times], np.int64)
    wrong = np.flatnonzero((at_ms < 0) | (at_ms > MAX_TIME_MS))
    at_ms[wrong] = now_ms
    return at_ms, set(wrong.tolist())


def _storable(values: Sequence[Any]) -> tuple[Sequence[Value], set[int]]:
    """Values the format can hold, and the places of those that had to be changed for it."""
    if set(map(type, values)) == {int} and max(values) < 1 << 63 and min(values) >= -(1 << 63):
        return values, set()
    kept: list[Value] = []
    changed: set[int] = set()
    for place, value in enumerate(values):
        storable, as_it_was = _made_storable(value)
        kept.append(storable)
        if not as_it_was:
            changed.add(place)
    return kept, changed


def _made_storable(value: Any) -> tuple[Value, bool]:
    """One value as plain int, float, bool or str, and whether it is still what it was."""
    kind = type(value)
    if kind is bool:
        return value, True
    if kind is int:
        return (value, True) if value in _INT_RANGE else (_huge(value), False)
    if kind is float:
        return (value, True) if math.isfinite(value) else (str(value), False)
    if kind is str and len(value) <= _SAFE_TEXT_CHARS and value.isascii():
        return value, True
    if isinstance(value, str):
        return _bounded(str.__str__(value))
    for plain in (bool, int, float):
        if isinstance(value, plain):
            return _made_storable(plain(value))
    return _bounded(str(value))[0], False


def _bounded(text: str) -> tuple[str, bool]:
    encoded = text.encode(errors="replace")[:MAX_TEXT_BYTES]
    kept = encoded.decode(errors="ignore")
    return kept, kept == text


def _huge(value: int) -> Value:
    try:
        return float(value)
    except OverflowError:
        return f"an integer of {value.bit_length()} bits"
