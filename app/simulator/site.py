"""What every simulated device of a building shares: time, weather, record, the rules of the day."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from app.runtime.clock import Clock
from app.simulator.agenda import Agenda
from app.simulator.record import Record
from app.simulator.world import World

SESSIONS = 3
"""The vendor's newest device software holds this many; older firmware holds one."""


@dataclass(slots=True)
class Rules:
    """How devices of this building behave where firmware differs.

    `over_limit` is what a device does with one session too many: `refuse_newest`,
    `evict_oldest` or `evict_newest`. `push_every_s` None means a realistic rhythm.
    `wrong_key_reply` is `usual` or `junk` (command 3, return code 1, four bytes of nothing).
    """

    sessions: int = SESSIONS
    over_limit: str = "refuse_newest"
    push_every_s: float | None = None
    announce_every_s: float | None = 6.5
    speed: float = 1.0
    wrong_key_reply: str = "usual"
    device22: bool = False


@dataclass(slots=True)
class Site:
    """Shared by the devices; `now_s` is the building's time, which `speed` multiplies."""

    agenda: Agenda
    clock: Clock
    record: Record
    world: World
    chance: Random
    rules: Rules
    started_s: float
    world_started_s: float
    pushes: int = 0

    def now_s(self) -> float:
        """The building's time in epoch seconds."""
        return self.world_started_s + (self.agenda.now_s() - self.started_s) * self.rules.speed

    def real_s(self, building_s: float) -> float:
        """How long a stretch of the building's time takes."""
        return building_s / self.rules.speed

    def epoch_s(self) -> int:
        """The time a healthy device puts on its reports: the network's, not the building's."""
        return self.clock.now_ms() // 1000

    def stamp_ns(self) -> int:
        """The monotonic clock in nanoseconds, as latency is measured from."""
        return round(self.clock.monotonic_s() * 1e9)
