"""Figures over readings: of a whole range, or of each step of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from app.domain.readings import Value
from app.domain.words import Path, Quality

Point = tuple[int, Value, Quality, Path]
"""One stored reading: UTC ms, raw value, quality, path."""

Step = tuple[float, float | None, float | None, float | None, Value | None, int]
"""One step: epoch seconds of its start, min, max, mean, last, count.

min, max and mean are of its numbers as in `Stats`; last is the last value that is not invalid.
"""


@dataclass(frozen=True, slots=True)
class Stats:
    """`count`, `first` and `last` (UTC ms) cover every reading; min, max and mean the numbers.

    A number is an int or a float whose quality is not `invalid`. On and off are states, not
    numbers: their average over reports would say nothing about time.
    """

    count: int
    first: int | None
    last: int | None
    min: float | None
    max: float | None
    mean: float | None


def stats(points: Sequence[Point]) -> Stats:
    """The figures of `points`, which are in order of time."""
    if not points:
        return Stats(0, None, None, None, None, None)
    return Stats(len(points), points[0][0], points[-1][0], *_figures(points))


def stepped(points: Sequence[Point], step_s: float) -> list[Step]:
    """The figures of each step that has a reading; steps are counted from 1970, UTC.

    Raises:
        ValueError: `step_s` is less than a millisecond.
    """
    step_ms = round(step_s * 1000)
    if step_ms < 1:
        raise ValueError("a step is at least a millisecond")
    rows: list[Step] = []
    for number, group in groupby(points, lambda point: point[0] // step_ms):
        inside = list(group)
        valid = [value for _, value, quality, _ in inside if quality is not Quality.INVALID]
        last = valid[-1] if valid else None
        rows.append((number * step_ms / 1000, *_figures(inside), last, len(inside)))
    return rows


def _figures(points: Iterable[Point]) -> tuple[float | None, float | None, float | None]:
    numbers = [
        value
        for _, value, quality, _ in points
        if isinstance(value, int | float)
        and not isinstance(value, bool)
        and quality is not Quality.INVALID
    ]
    if not numbers:
        return None, None, None
    return min(numbers), max(numbers), sum(numbers) / len(numbers)
