"""The one place that asks the computer for the time, so that a test can bring its own."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Wall time for stamps, monotonic time for durations. They are never mixed."""

    def now_ms(self) -> int:
        """UTC in milliseconds since the epoch. May jump when the computer's clock is set."""

    def monotonic_s(self) -> float:
        """Seconds that only go forward."""


class SystemClock:
    """The computer's own clocks."""

    def now_ms(self) -> int:
        """UTC in milliseconds since the epoch."""
        return time.time_ns() // 1_000_000

    def monotonic_s(self) -> float:
        """Seconds that only go forward."""
        return time.monotonic()


class ManualClock:
    """A clock that moves only when told; wall and monotonic time move apart with `jump`."""

    def __init__(self, now_ms: int = 1_790_000_000_000) -> None:
        self._now_ms = now_ms
        self._monotonic_s = 0.0

    def now_ms(self) -> int:
        """UTC in milliseconds since the epoch."""
        return self._now_ms

    def monotonic_s(self) -> float:
        """Seconds that only go forward."""
        return self._monotonic_s

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass on both clocks."""
        self._now_ms += round(seconds * 1000)
        self._monotonic_s += seconds

    def jump(self, seconds: float) -> None:
        """Set the wall clock forward or back, as a person or NTP does."""
        self._now_ms += round(seconds * 1000)
