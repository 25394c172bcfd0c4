"""Everything that happens later, on one timer: thousands of devices need no timer each."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from itertools import count
from typing import Any

GRAIN_S = 0.004
"""Things due this close together happen in one wake-up of the loop."""


class Appointment:
    """A call that is to be made; `cancel` takes it back."""

    __slots__ = ("args", "call")

    def __init__(self, call: Callable[..., None], args: tuple[Any, ...]) -> None:
        self.call: Callable[..., None] | None = call
        self.args = args

    def cancel(self) -> None:
        """Do not make the call."""
        self.call = None


class Agenda:
    """Calls in order of time, on the loop's own time, real or virtual."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._heap: list[tuple[float, int, Appointment]] = []
        self._numbers = count()
        self._timer: asyncio.TimerHandle | None = None
        self._armed_s = 0.0
        self._ran_s = -1.0
        self._stopped = False
        self.after_turn: Callable[[], None] | None = None

    def now_s(self) -> float:
        """The loop's time."""
        return self._loop.time()

    def after(self, delay_s: float, call: Callable[..., None], *args: Any) -> Appointment:
        """Make the call in `delay_s` seconds."""
        return self.at(self._loop.time() + delay_s, call, *args)

    def at(self, due_s: float, call: Callable[..., None], *args: Any) -> Appointment:
        """Make the call when the loop's time is `due_s`."""
        entry = Appointment(call, args)
        if self._stopped:
            return entry
        heapq.heappush(self._heap, (due_s, next(self._numbers), entry))
        if self._timer is None or due_s < self._armed_s:
            self._arm()
        return entry

    def stop(self) -> None:
        """Forget everything, and take nothing new."""
        self._stopped = True
        self._heap.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._armed_s = max(self._heap[0][0], self._ran_s + GRAIN_S)
        self._timer = self._loop.call_at(self._armed_s, self._turn)

    def _turn(self) -> None:
        self._timer = None
        self._ran_s = self._loop.time()
        # Virtual time may stand a rounding error before the due time it jumped to.
        until_s = self._ran_s + 1e-6
        due = []
        while self._heap and self._heap[0][0] <= until_s:
            due.append(heapq.heappop(self._heap)[2])
        for entry in due:
            if entry.call is not None and not self._stopped:
                entry.call(*entry.args)
        if self.after_turn is not None:
            self.after_turn()
        if self._heap and self._timer is None:
            self._arm()
