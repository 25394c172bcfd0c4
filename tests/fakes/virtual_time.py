"""An event loop whose time jumps to the next timer when no socket has anything to say.

Sockets stay real (loopback delivers within the call that sends), only waiting is skipped, so a week
of heartbeats and sleep takes seconds. Do not use executors on it: time would run on without them.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _JumpingSelector(selectors.DefaultSelector):
    """Polls without waiting; where it would have waited, it moves the loop's time instead."""

    def __init__(self) -> None:
        super().__init__()
        self.virtual_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Ready sockets now; else let `timeout` pass at once. None waits for real."""
        if timeout is None:
            return super().select(None)
        ready = super().select(0)
        if not ready and timeout > 0:
            self.virtual_s += timeout
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """`loop.time()` starts at 0 and moves only when every task waits."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)
        self._clock_resolution = 1e-6

    def time(self) -> float:
        """Virtual seconds."""
        return self._jumping.virtual_s

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Wait for its threads for real: a virtual time-out would be over at once (3.12 and on)."""
        await super().shutdown_default_executor()


class LoopClock:
    """A `Clock` whose wall and monotonic time both follow a loop's time."""

    def __init__(self, loop: asyncio.AbstractEventLoop, start_ms: int = 1_790_000_000_000) -> None:
        self._loop = loop
        self._start_ms = start_ms

    def now_ms(self) -> int:
        """UTC milliseconds: the start plus the loop's time."""
        return self._start_ms + round(self._loop.time() * 1000)

    def monotonic_s(self) -> float:
        """The loop's time."""
        return self._loop.time()

    def jump(self, seconds: float) -> None:
        """Set the wall clock forward or back; the loop's time does not move."""
        self._start_ms += round(seconds * 1000)


def run_virtual(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` to its end on a loop of its own and close everything."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)
