"""What a point reported over time, scaled and with its unit, by the names people use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from app.domain.errors import InvalidRequest
from app.domain.instants import iso
from app.domain.points import PointSpec, unmapped
from app.domain.readings import CONNECTION_POINT, Value
from app.domain.words import Path, Quality
from app.runtime.clock import Clock
from app.services.directory import Directory

DEFAULT_SPAN_MS = 24 * 3600 * 1000
FLUSH_TIMEOUT_S = 5.0
MAX_STEPS = 1_000_000


class Summary(Protocol):
    """Statistics of a span, raw; None where there is nothing to count."""

    @property
    def count(self) -> int:
        """How many readings."""

    @property
    def first(self) -> int | None:
        """UTC ms of the earliest reading."""

    @property
    def last(self) -> int | None:
        """UTC ms of the latest reading."""

    @property
    def min(self) -> float | None:
        """The smallest number."""

    @property
    def max(self) -> float | None:
        """The largest number."""

    @property
    def mean(self) -> float | None:
        """The mean of the readings."""


class SeriesStore(Protocol):
    """Readings by asset and point name."""

    def raw(
        self, asset: str, point: str, from_ms: int, to_ms: int
    ) -> Sequence[tuple[int, Value, Quality, Path]]:
        """Every reading in [from_ms, to_ms), in order of time, then of arrival."""

    def stats(self, asset: str, point: str, from_ms: int, to_ms: int) -> Summary:
        """Statistics of [from_ms, to_ms)."""

    def stepped(
        self, asset: str, point: str, from_ms: int, to_ms: int, step_s: float
    ) -> Sequence[Sequence[Any]]:
        """(epoch_s, min, max, mean, last, count) of every step that has readings."""

    def flush(self, timeout_s: float) -> bool:
        """Wait until everything reported before is readable."""


@dataclass(frozen=True, slots=True)
class Series:
    """The readings of one point: `items` are scaled, in the contract's two shapes."""

    asset: str
    device: str
    point: str
    unit: str
    step_s: float | None
    items: tuple[Sequence[Any], ...] = field(repr=False)

    def document(self) -> dict[str, Any]:
        """The series as JSON shows it."""
        return {
            "asset": self.asset,
            "device": self.device,
            "point": self.point,
            "unit": self.unit,
            "step_s": self.step_s,
            "items": [list(item) for item in self.items],
        }


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a point's readings are, and how to show them."""

    device: str
    asset: str
    name: str
    spec: PointSpec


class HistoryService:
    """Reads series by device and point; the series is the asset's and outlives the device."""

    def __init__(self, *, directory: Directory, history: SeriesStore, clock: Clock) -> None:
        self._directory = directory
        self._history = history
        self._clock = clock

    def query(
        self,
        device: str,
        point: str,
        *,
        from_ms: int | None = None,
        to_ms: int | None = None,
        step_s: float | None = None,
    ) -> Series:
        """Readings in [from, to), every one or by step; the last 24 hours where not said.

        Raises:
            InvalidRequest: no such device or point, an empty span, a step too small for it.
        """
        place = self._place(device, point)
        start, end = self._span(from_ms, to_ms)
        show = place.spec.shown
        items: list[Sequence[Any]] = []
        if step_s is None:
            for at_ms, value, quality, path in self._history.raw(
                place.asset, place.name, start, end
            ):
                items.append((at_ms / 1000, show(value), quality.value, path.value))
        else:
            _check_step(step_s, end - start)
            for at_s, low, high, mean, last, count in self._history.stepped(
                place.asset, place.name, start, end, step_s
            ):
                shown = [None if v is None else show(v) for v in (low, high)]
                shown += [_mean(place.spec, mean), None if last is None else show(last)]
                items.append((at_s, *shown, count))
        return Series(place.asset, place.device, place.name, place.spec.unit, step_s, tuple(items))

    def stats(
        self, device: str, point: str, *, from_ms: int | None = None, to_ms: int | None = None
    ) -> dict[str, Any]:
        """Count, times of the first and the last, min, max and mean (scaled) of [from, to).

        Raises:
            InvalidRequest: no such device or point, an empty span.
        """
        place = self._place(device, point)
        start, end = self._span(from_ms, to_ms)
        found = self._history.stats(place.asset, place.name, start, end)
        return {
            "count": found.count,
            "first": iso(found.first),
            "last": iso(found.last),
            "min": None if found.min is None else place.spec.shown(found.min),
            "max": None if found.max is None else place.spec.shown(found.max),
            "mean": _mean(place.spec, found.mean),
        }

    def _place(self, device: str, point: str) -> _Place:
        record = self._directory.find(device)
        route = self._directory.route(record)
        if point == CONNECTION_POINT:
            spec, name = unmapped(CONNECTION_POINT), CONNECTION_POINT
        else:
            spec = self._directory.point(record, point)
            name = route.name(spec.dp)
        self._history.flush(FLUSH_TIMEOUT_S)
        return _Place(record.tuya_id, route.asset, name, spec)

    def _span(self, from_ms: int | None, to_ms: int | None) -> tuple[int, int]:
        end = self._clock.now_ms() + 1 if to_ms is None else to_ms
        start = end - DEFAULT_SPAN_MS if from_ms is None else from_ms
        if start >= end:
            raise InvalidRequest(
                "history.span",
                "The span ends before it begins.",
                where="--from, --to",
                do="Give a later --to.",
            )
        return start, end


def _mean(spec: PointSpec, mean: float | None) -> float | None:
    """A mean keeps the digits that scaling a reading would round away."""
    return None if mean is None else mean / 10**spec.scale


def _check_step(step_s: float, span_ms: int) -> None:
    if not step_s >= 0.001 or span_ms / 1000 / step_s > MAX_STEPS:
        raise InvalidRequest(
            "history.step",
            f"The step must be at least 0.001 s and give at most {MAX_STEPS} rows.",
            where="--step",
            do="Give a longer step or a shorter span.",
        )
