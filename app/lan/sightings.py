"""Who announced itself where. Announcements are forgeable: candidates, never proof."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence

from app.domain.links import Sighting

MAX_SEEN = 5_000
"""Devices remembered; the one not heard for longest goes first, so a flood of forgeries ends."""


class Sightings:
    """The last announcement of each device id, bounded."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, tuple[Sighting, float]] = OrderedDict()
        self.heard: Callable[[Sighting], None] | None = None

    def add(self, sighting: Sighting, now_s: float) -> None:
        """Remember an announcement and tell whoever listens."""
        self._seen[sighting.device] = (sighting, now_s)
        self._seen.move_to_end(sighting.device)
        if len(self._seen) > MAX_SEEN:
            self._seen.popitem(last=False)
        if self.heard is not None:
            self.heard(sighting)

    def latest(self, device: str, now_s: float, *, within_s: float = 120.0) -> Sighting | None:
        """The device's last announcement if it is fresh enough to act on."""
        entry = self._seen.get(device)
        if entry is None or now_s - entry[1] > within_s:
            return None
        return entry[0]

    def age_s(self, device: str, now_s: float) -> float | None:
        """Seconds since the device was last heard; None when never."""
        entry = self._seen.get(device)
        return None if entry is None else now_s - entry[1]

    def since(self, start_s: float) -> Sequence[Sighting]:
        """Everything heard from `start_s` (loop seconds) on."""
        return tuple(s for s, at_s in self._seen.values() if at_s >= start_s)
