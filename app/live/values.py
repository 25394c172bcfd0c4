"""LiveValues: what every point last said, and the only door a reading comes in by."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence

from app.domain.ports import Tap
from app.domain.readings import Reading, Value
from app.domain.words import Quality
from app.live.taps import TapLine
from app.live.watch import Watch
from app.runtime.clock import Clock

RECENT_READINGS = 3_600
"""How many readings a point that somebody draws keeps in memory: an hour at one a second."""


class LiveValues:
    """The last reading of every point of every device, and the taps on the stream.

    `publish` may be called from any thread. One lock is held for the few dictionary writes a
    batch needs; taps run after it is released, so a tap can neither hold up a reader nor be held
    up by one. The last reading is the one that arrived last, whatever its stamp says: a
    computer whose clock is set back an hour must not show hour-old values for an hour.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._latest: dict[str, dict[str, Reading]] = {}
        self._watches: tuple[Watch, ...] = ()
        self._taps: tuple[TapLine, ...] = ()
        self._rings: dict[tuple[str, str], deque[Reading]] = {}
        self._users: Counter[tuple[str, str]] = Counter()
        self._ringed: frozenset[str] = frozenset()
        self._published = 0
        self._not_good: Counter[Quality] = Counter()

    def publish(self, batch: Sequence[Reading]) -> None:
        """Take in `batch`, in its order. Never blocks on a listener and never raises for one."""
        good = Quality.GOOD
        with self._lock:
            latest = self._latest
            for reading in batch:
                points = latest.get(reading[0])
                if points is None:
                    points = latest[reading[0]] = {}
                points[reading[1]] = reading
                if reading[4] is not good:
                    self._not_good[reading[4]] += 1
            self._published += len(batch)
            for watch in self._watches:
                shown = watch.shown
                if shown:
                    dirty = watch.dirty
                    for reading in batch:
                        if reading[0] in shown:
                            dirty[reading[0], reading[1]] = reading
            if self._ringed:
                self._remember(batch)
        for tap in self._taps:
            tap.offer(batch)

    def tap(self, name: str, tap: Tap) -> Callable[[], None]:
        """Call `tap` with every batch, on the publisher's thread; returns the way to end it.

        A tap must only enqueue. One that raises misses that batch, is logged once and counted;
        one that is slow again and again is moved to a thread of its own.
        """
        line = TapLine(name, tap, self._clock)
        with self._lock:
            self._taps = (*self._taps, line)

        def end() -> None:
            with self._lock:
                self._taps = tuple(other for other in self._taps if other is not line)
            line.close()

        return end

    @property
    def taps(self) -> tuple[TapLine, ...]:
        """The taps with their failure counts, for diagnosis."""
        return self._taps

    def latest(self, device: str) -> Mapping[str, Reading]:
        """A snapshot of what each point of `device` last said; empty for one never heard."""
        with self._lock:
            return dict(self._latest.get(device, {}))

    def forget(self, device: str) -> None:
        """Drop what a device that was retired last said."""
        with self._lock:
            self._latest.pop(device, None)

    def watch(self) -> Watch:
        """A screen's view of the stream; it shows nothing until told what."""
        watch = Watch(self._lock, self._latest, self._unwatch)
        with self._lock:
            self._watches = (*self._watches, watch)
        return watch

    def keep_recent(
        self, device: str, point: str, readings: int = RECENT_READINGS
    ) -> Callable[[], None]:
        """Keep the last `readings` of this point from now on; returns the way to let them go.

        Asking again for a point that is kept shares its ring; the last to let go empties it.
        """
        key = (device, point)
        with self._lock:
            ring = self._rings.get(key)
            if ring is None or (ring.maxlen or 0) < readings:
                ring = deque(ring or (), maxlen=readings)
                last = self._latest.get(device, {}).get(point)
                if last is not None and not ring:
                    ring.append(last)
                self._rings[key] = ring
            self._users[key] += 1
            self._ringed = frozenset(device for device, _ in self._rings)
        released = threading.Event()

        def let_go() -> None:
            if released.is_set():
                return
            released.set()
            with self._lock:
                self._users[key] -= 1
                if self._users[key] <= 0:
                    del self._users[key]
                    self._rings.pop(key, None)
                    self._ringed = frozenset(device for device, _ in self._rings)

        return let_go

    def recent(self, device: str, point: str) -> tuple[list[int], list[Value]]:
        """Times (UTC ms) and raw values of a point that is kept, oldest first; else empty."""
        with self._lock:
            ring = tuple(self._rings.get((device, point), ()))
        return [reading.at_ms for reading in ring], [reading.value for reading in ring]

    @property
    def counts(self) -> Mapping[str, int]:
        """How many readings came in: `published`, and each quality that occurred."""
        with self._lock:
            others = {quality.value: count for quality, count in self._not_good.items()}
            return {
                "published": self._published,
                "good": self._published - sum(others.values()),
                **others,
            }

    def _remember(self, batch: Sequence[Reading]) -> None:
        for reading in batch:
            if reading[0] in self._ringed:
                ring = self._rings.get((reading[0], reading[1]))
                if ring is not None:
                    ring.append(reading)

    def _unwatch(self, watch: Watch) -> None:
        with self._lock:
            self._watches = tuple(other for other in self._watches if other is not watch)
