"""One thing with data points: a device with a socket, or a sub-device behind a gateway."""

from __future__ import annotations

from random import Random
from typing import Any

from app.domain.points import parse_mapping
from app.domain.readings import Value
from app.simulator.kinds import STAMP, STAMP_DP, Kind, Point
from app.simulator.world import Room, World

WEAK_BATTERY = 6
_writable_by_product: dict[str, frozenset[str]] = {}


def writable(kind: Kind) -> frozenset[str]:
    """Points a client can set; what a device measures it does not take from anybody."""
    known = _writable_by_product.get(kind.product_id)
    if known is None:
        mapping = {dp: point.mapping() for dp, point in kind.points.items()}
        specs = parse_mapping(mapping, where=kind.word)
        known = frozenset(dp for dp, spec in specs.items() if spec.writable)
        _writable_by_product[kind.product_id] = known
    return known


class Unit:
    """Identity, data points and condition. What it last said is in `told`."""

    def __init__(
        self, unit_id: str, name: str, kind: Kind, room: Room, *, cid: str | None = None
    ) -> None:
        self.id, self.name, self.kind, self.room, self.cid = unit_id, name, kind, room, cid
        chance = Random(unit_id)
        self.points: dict[str, Point] = dict(kind.points)
        if cid is None:
            self.points[STAMP_DP] = STAMP
        self.dps: dict[str, Value] = {dp: point.initial for dp, point in self.points.items()}
        self.told: dict[str, Value] = {}
        self.memory: dict[str, Any] = {}
        self.phase = chance.uniform(0, 6.28)
        self.size = chance.uniform(0.6, 1.5)
        self.base = chance.randrange(100_000, 4_000_000)
        self.energy_wh = float(chance.randrange(2_000, 900_000))
        self.load_w = 0.0
        self.overload = self.flapping = self.asleep = self.dead = False
        self.stale_power = False
        if kind.battery:
            self.dps[kind.battery] = self.battery = chance.randrange(41, 100)
        if kind.sleepy or kind.battery:
            self.asleep = kind.sleepy

    def step(self, world: World, dt_s: float) -> None:
        """Draw power for `dt_s` simulated seconds."""
        self.load_w = self.kind.load(self, world)
        self.energy_wh += self.load_w * dt_s / 3600

    def sample(self, world: World, chance: Random) -> dict[str, Value]:
        """Let the data points follow the world; those that changed since they were last told."""
        if self.kind.load is not None:
            self.load_w = self.kind.load(self, world)
        kept = self._power_points() if self.stale_power else {}
        self.kind.behave(self, world, chance)
        self.dps.update(kept)
        if self.flapping:
            self._flap()
        return self.changes()

    def changes(self) -> dict[str, Value]:
        """Points whose value differs from what was last told."""
        told = self.told
        return {
            dp: value for dp, value in self.dps.items() if dp != STAMP_DP and told.get(dp) != value
        }

    def refresh(self, world: World, chance: Random, dps: list[str]) -> dict[str, Value]:
        """Measure the asked points anew (command 18); those that changed."""
        held, self.stale_power = self.stale_power, False
        changed = self.sample(world, chance)
        self.stale_power = held
        return {dp: value for dp, value in changed.items() if dp in dps}

    def write(self, values: dict[str, Any]) -> bool:
        """Take what a client wrote, range by range; False when a point or type is unknown."""
        points = self.points
        if not values or any(
            dp not in points or not points[dp].takes(value) for dp, value in values.items()
        ):
            return False
        can_be_set = writable(self.kind)
        for dp, value in values.items():
            if dp in can_be_set and points[dp].within(value):
                self.dps[dp] = value
        return True

    def weaken(self, on: bool) -> None:
        """Run the battery down, or put a fresh one in."""
        if self.kind.battery:
            self.dps[self.kind.battery] = WEAK_BATTERY if on else self.battery
            if "14" in self.points and self.kind.category == "ywbj":
                self.dps["14"] = "low" if on else "high"

    def _power_points(self) -> dict[str, Value]:
        return {dp: self.dps[dp] for dp in ("17", "18", "19", "20") if dp in self.dps}

    def _flap(self) -> None:
        dp = self.kind.headline
        point, value = self.points[dp], self.dps[dp]
        up = bool(self.memory.get("flap"))
        self.memory["flap"] = not up
        if isinstance(value, bool):
            self.dps[dp] = up
        elif point.type == "Enum":
            self.dps[dp] = point.choices[0 if up else -1]
        elif isinstance(value, int) and point.low is not None and point.high is not None:
            swing = max(10, abs(value) // 3)
            self.dps[dp] = max(point.low, min(point.high, value + (swing if up else -swing)))
