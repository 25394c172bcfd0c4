"""Turns readings into what a chart draws: lines with honest gaps. No Qt, no pyqtgraph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]

SMALLEST_GAP_S = 12.0
TYPICAL_GAP_FACTOR = 4.0


@dataclass(frozen=True, slots=True)
class Drawn:
    """Points in epoch seconds; NaN lifts the pen. `gaps` are (from, to) where nothing came."""

    x: Numbers
    y: Numbers
    gaps: tuple[tuple[float, float], ...]
    last: tuple[float, float] | None


def gap_after_s(times_s: Numbers, expected_s: float | None) -> float:
    """How long a silence must last to be a gap: the expected interval's multiple, else learned."""
    if expected_s is not None and expected_s > 0:
        return max(SMALLEST_GAP_S, expected_s * 1.5)
    if times_s.size < 3:
        return 60.0
    typical = float(np.median(np.diff(times_s)))
    return max(SMALLEST_GAP_S, typical * TYPICAL_GAP_FACTOR)


def draw_series(
    times_ms: Sequence[int],
    values: Sequence[float],
    now_ms: int,
    *,
    expected_s: float | None = None,
    steps: bool = False,
) -> Drawn:
    """A line through the readings that breaks where the device was silent.

    `steps` holds a value until the next one, as a switch does. Nothing is drawn from the last
    reading on, except that a step holds while the silence is no gap yet.
    """
    x = np.asarray(times_ms, dtype=np.float64) / 1000
    y = np.asarray(values, dtype=np.float64)
    if x.size == 0:
        return Drawn(x, y, (), None)
    order = np.argsort(x, kind="stable")
    x, y = x[order], y[order]
    now_s = now_ms / 1000
    limit = gap_after_s(x, expected_s)
    broken = np.flatnonzero(np.diff(x) > limit)
    gaps = [(float(x[at]), float(x[at + 1])) for at in broken]
    last = (float(x[-1]), float(y[-1]))
    silent = now_s - last[0] > limit
    if silent:
        gaps.append((last[0], now_s))
    if steps:
        x, y = _stepped(x, y, broken, None if silent else now_s)
    elif broken.size:
        x = np.insert(x, broken + 1, (x[broken] + x[broken + 1]) / 2)
        y = np.insert(y, broken + 1, np.nan)
    return Drawn(x, y, tuple(gaps), last)


def _stepped(
    x: Numbers, y: Numbers, broken: npt.NDArray[np.intp], hold_to_s: float | None
) -> tuple[Numbers, Numbers]:
    """Each value drawn level until the next; lifted where the next is behind a gap."""
    if hold_to_s is not None and hold_to_s > x[-1]:
        x, y = np.append(x, hold_to_s), np.append(y, y[-1])
    held = y[:-1].copy()
    held[broken] = np.nan
    stepped_x, stepped_y = np.empty(2 * x.size - 1), np.empty(2 * x.size - 1)
    stepped_x[0::2], stepped_y[0::2] = x, y
    stepped_x[1::2], stepped_y[1::2] = x[1:], held
    return stepped_x, stepped_y


def level_range(y: Numbers, smallest_span: float) -> tuple[float, float]:
    """The span to draw: the values with air around them, never so tight that noise looks big."""
    finite = y[np.isfinite(y)]
    if finite.size == 0:
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    span = max(high - low, smallest_span)
    middle = (low + high) / 2
    return middle - span * 0.62, middle + span * 0.62
