"""A tap on the readings: called for every batch, and never able to slow the one who publishes."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Sequence

from app.domain.ports import Tap
from app.domain.readings import Reading
from app.runtime.clock import Clock
from app.runtime.threads import NamedThread

log = logging.getLogger(__name__)

SLOW_S = 0.05
"""A tap only enqueues, which takes microseconds; this long means it does work."""
SLOW_CALLS = 3
"""One slow call can be the computer waking up; this many in a row are the tap's own doing."""
SET_ASIDE_BATCHES = 10_000


class TapLine:
    """One tap with its failures and its slowness counted.

    A tap that is slow several times running is set aside: from then on it is called on a thread
    of its own from a bounded queue, and what does not fit is counted in `dropped`.
    """

    def __init__(self, name: str, tap: Tap, clock: Clock) -> None:
        self.name = name
        self.failures = 0
        self.dropped = 0
        self._tap = tap
        self._clock = clock
        self._slow_calls = 0
        self._deciding = threading.Lock()
        self._aside: queue.Queue[Sequence[Reading] | None] | None = None

    @property
    def set_aside(self) -> bool:
        """True once the tap has been moved to its own thread for being slow."""
        return self._aside is not None

    def offer(self, batch: Sequence[Reading]) -> None:
        """Hand `batch` over; returns at once for a tap that was set aside. Never raises."""
        if self._aside is not None:
            self._queue(self._aside, batch, len(batch))
            return
        began_s = self._clock.monotonic_s()
        self._call(batch)
        if self._clock.monotonic_s() - began_s < SLOW_S:
            self._slow_calls = 0
            return
        self._slow_calls += 1
        if self._slow_calls >= SLOW_CALLS:
            self._put_aside()

    def close(self) -> None:
        """Stop calling the tap."""
        if self._aside is not None:
            self._queue(self._aside, None, 0)

    def _call(self, batch: Sequence[Reading]) -> None:
        try:
            self._tap(batch)
        except Exception:
            # The source must not pay for a listener's bug, whatever the bug is.
            self.failures += 1
            if self.failures == 1:
                log.exception("The tap %s failed; it misses this batch", self.name)

    def _put_aside(self) -> None:
        with self._deciding:
            if self._aside is not None:
                return
            aside: queue.Queue[Sequence[Reading] | None] = queue.Queue(SET_ASIDE_BATCHES)
            NamedThread(f"tap-{self.name}", lambda: self._serve(aside)).start()
            self._aside = aside
        log.warning("The tap %s held up the readings; it now runs on its own", self.name)

    def _serve(self, aside: queue.Queue[Sequence[Reading] | None]) -> None:
        while (batch := aside.get()) is not None:
            self._call(batch)

    def _queue(
        self,
        aside: queue.Queue[Sequence[Reading] | None],
        batch: Sequence[Reading] | None,
        readings: int,
    ) -> None:
        try:
            aside.put_nowait(batch)
        except queue.Full:
            self.dropped += readings
            if batch is None:
                # The end must arrive; one waiting batch gives up its place to it.
                aside.get_nowait()
                aside.put_nowait(None)
