"""When a battery device is expected to report again, and until when its silence is sleep."""

from __future__ import annotations

from collections import deque

from app.domain.categories import category
from app.domain.links import LinkSpec

GRACE = 2.2
"""Silence counts as sleep until this many intervals (and a minute) have passed: one report may be
missed, because a waking lasts two seconds and Wi-Fi loses frames."""
GRACE_S = 60.0
SAME_WAKE_S = 30.0
"""Reports closer than this belong to one waking."""
_DAY_S = 86_400.0
_KEPT_DAYS = 7


class Rhythm:
    """Learns the report interval of one device. All times are loop seconds.

    The learned interval is the longest gap a week of days agrees on, so that a sensor that was
    busy for an hour is not missed in the quiet night after. A gap during which the device already
    counted as offline is an outage and not learned, unless the next one is as long.
    """

    def __init__(self, spec: LinkSpec, now_s: float, now_ms: int) -> None:
        kind = category(spec.category)
        self.sleepy = kind.sleepy
        self._default_s = kind.interval_s
        self._asked_s = spec.interval_s
        self._earlier_s = spec.learned_interval_s
        self._last_s: float | None = None
        self._expected_from_s: float | None = None
        if spec.last_report_ms is not None:
            self._last_s = now_s - max(0.0, (now_ms - spec.last_report_ms) / 1000)
        self._day_longest: deque[tuple[int, float]] = deque(maxlen=_KEPT_DAYS)
        self._outage_s: float | None = None

    def ask(self, interval_s: float | None) -> None:
        """The interval a person set, or None."""
        self._asked_s = interval_s

    def heard(self, now_s: float) -> None:
        """The device reported."""
        last_s, self._last_s = self._last_s, now_s
        if not self.sleepy or last_s is None or now_s - last_s < SAME_WAKE_S:
            return
        gap_s = now_s - last_s
        if gap_s > self.interval_s * GRACE + GRACE_S:
            again = self._outage_s is not None and 0.5 < gap_s / self._outage_s < 2
            self._outage_s = gap_s
            if not again:
                return
        else:
            self._outage_s = None
        self._learn(int(now_s // _DAY_S), gap_s)

    def _learn(self, day: int, gap_s: float) -> None:
        if self._day_longest and self._day_longest[-1][0] == day:
            self._day_longest[-1] = (day, max(gap_s, self._day_longest[-1][1]))
        else:
            self._day_longest.append((day, gap_s))

    @property
    def learned_s(self) -> float | None:
        """What two whole days or more of reports taught; else what an earlier run had learned."""
        if len(self._day_longest) < 3:
            return self._earlier_s
        # Today is not over: its longest gap may still come.
        whole = [gap_s for _, gap_s in list(self._day_longest)[:-1]]
        return max([*whole, self._day_longest[-1][1]])

    @property
    def interval_s(self) -> float:
        """The person's, else the learned, else the category's."""
        return self._asked_s or self.learned_s or self._default_s

    @property
    def deadline_s(self) -> float | None:
        """Until when silence is sleep; None for a device that is not expected to report."""
        base_s = self._base_s
        return None if base_s is None else base_s + self.interval_s * GRACE + GRACE_S

    @property
    def _base_s(self) -> float | None:
        return self._expected_from_s if self._last_s is None else self._last_s

    def expect_from(self, now_s: float) -> None:
        """A report is expected from now on, where none was ever heard."""
        if self._last_s is None:
            self._expected_from_s = self._expected_from_s or now_s

    def heard_within(self, span_s: float, now_s: float) -> bool:
        """Whether it reported in the last `span_s` seconds."""
        return self._last_s is not None and now_s - self._last_s <= span_s

    def within(self, now_s: float) -> bool:
        """Whether silence is still what a sleeping device does."""
        deadline_s = self.deadline_s
        return self.sleepy and deadline_s is not None and now_s < deadline_s

    def due_in_s(self, now_s: float) -> float | None:
        """Seconds until the next expected report; None for mains devices and unknown ones."""
        base_s = self._base_s
        if not self.sleepy or base_s is None:
            return None
        return base_s + self.interval_s - now_s
