"""What a run measures of itself: readings, their latency, processor and memory."""

from __future__ import annotations

import os
import threading
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import psutil

from app.domain.links import LinkSpec, LinkState
from app.domain.readings import Reading
from app.domain.words import Connection
from app.runtime.clock import Clock

if TYPE_CHECKING:
    from app.wiring import Core

STAMP_CODE = "sim_stamp_ns"
"""A simulated device says when it sent, in nanoseconds of the computer's monotonic clock."""
MAX_LATENCIES = 200_000
_FINE = frozenset(
    {
        Connection.ONLINE,
        Connection.ASLEEP,
        Connection.PAUSED,
        Connection.NOT_HERE,
        Connection.CONNECTING,
    }
)
"""Connections nobody has to do anything about; another site's devices are no trouble here."""


class Meter:
    """Measures the latency of a run's readings from a tap. Safe from any thread."""

    def __init__(self, clock: Clock, stamps: Mapping[str, str]) -> None:
        """`stamps` names the data point that carries the sending time, by device."""
        self._clock = clock
        self._stamps = stamps
        self._points = frozenset(stamps.values())
        self._lock = threading.Lock()
        self._began_s = clock.monotonic_s()
        self._began_cpu_s = _cpu_s()
        self._latencies_ms = array("d")
        self._next = 0

    def tap(self, batch: Sequence[Reading]) -> None:
        """Take note of a batch; called on the publisher's thread."""
        now_ms = self._clock.monotonic_s() * 1000
        with self._lock:
            for reading in batch:
                if reading.point in self._points:
                    self._note_latency(reading, now_ms)

    def _note_latency(self, reading: Reading, now_ms: float) -> None:
        if self._stamps.get(reading.device) != reading.point:
            return
        try:
            took_ms = now_ms - int(reading.value) / 1e6
        except ValueError:
            return
        if len(self._latencies_ms) < MAX_LATENCIES:
            self._latencies_ms.append(took_ms)
        else:
            self._latencies_ms[self._next] = took_ms
            self._next = (self._next + 1) % MAX_LATENCIES

    def figures(self, readings: int) -> dict[str, Any]:
        """Rates, latency, processor share and memory since the meter was made."""
        with self._lock:
            latencies = sorted(self._latencies_ms)
        for_s = max(0.001, self._clock.monotonic_s() - self._began_s)
        return {
            "for_s": round(for_s, 3),
            "readings": readings,
            "readings_per_s": round(readings / for_s, 2),
            "latency_ms": {
                "p50": _quantile(latencies, 0.50),
                "p99": _quantile(latencies, 0.99),
                "n": len(latencies),
            },
            "cpu_share": round((_cpu_s() - self._began_cpu_s) / for_s, 4),
            "rss_mb": round(psutil.Process().memory_info().rss / 1e6, 1),
        }


def stamp_points(specs: Sequence[LinkSpec]) -> dict[str, str]:
    """The data point that carries the sending time, by device, where a device has one."""
    return {
        spec.device: dp
        for spec in specs
        for dp, point in spec.points.items()
        if point.code == STAMP_CODE
    }


def census(core: Core) -> dict[str, Any]:
    """How many devices are held and how many in each state; cheap enough for every few seconds."""
    states = Counter(str(state.connection) for state in _states(core))
    return {
        "total": sum(states.values()),
        "online": states.get(Connection.ONLINE, 0),
        "by_state": dict(sorted(states.items())),
    }


def problems(core: Core) -> list[dict[str, Any]]:
    """Every device that is not as it should be, with its sentence."""
    return [
        {
            "device": state.device,
            "connection": str(state.connection),
            "sentence": state.sentence,
        }
        for state in _states(core)
        if state.connection not in _FINE
    ]


def _states(core: Core) -> list[LinkState]:
    return [] if core.link is None else list(core.link.states().values())


def _quantile(ordered: Sequence[float], share: float) -> float | None:
    if not ordered:
        return None
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 3)


def _cpu_s() -> float:
    times = os.times()
    return times.user + times.system
