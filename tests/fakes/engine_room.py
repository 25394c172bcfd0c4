"""Engine and simulated building on one loop and one clock: time passes only when both wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fakes.virtual_time import LoopClock

from app.domain.categories import category
from app.domain.links import LinkSpec, LinkState
from app.domain.points import parse_mapping
from app.domain.readings import Reading
from app.domain.words import Connection
from app.lan.engine import LanEngine
from app.lan.pacing import Politeness
from app.simulator.building import Building
from app.simulator.plan import BuildingPlan, inventory
from app.simulator.site import Rules


def spec_of(row: dict[str, Any]) -> LinkSpec:
    """An inventory row as a device to hold."""
    return LinkSpec(
        device=row["id"],
        site="site",
        key=row.get("key", "").encode(),
        ip=row.get("ip"),
        port=row.get("port", 6668),
        version=row.get("version"),
        parent=row.get("parent"),
        cid=row.get("node_id"),
        category=row["category"],
        product_id=row["product_id"],
        points=parse_mapping(row["mapping"], where=row["id"]),
    )


@dataclass
class EngineRoom:
    """An engine that holds a building, and everything it published."""

    engine: LanEngine
    building: Building
    specs: dict[str, LinkSpec]
    readings: list[Reading] = field(default_factory=list)
    changes: list[frozenset[str]] = field(default_factory=list)

    def word(self, device: str) -> Connection:
        """The device's connection word now."""
        return self.engine.states()[device].connection

    def sentence(self, device: str) -> str:
        """What is said about it now."""
        return self.engine.states()[device].sentence

    def words_of(self, device: str) -> list[str]:
        """Every word published for it, in order."""
        return [r.value for r in self.readings if r.device == device and r.point == "connection"]

    def of_version(self, version: str) -> str:
        """The first plain device of a version."""
        return next(
            id_
            for id_, spec in self.specs.items()
            if spec.version == version and spec.category != "wg2" and spec.parent is None
        )

    async def until(self, condition: Callable[[], bool], within_s: float) -> float:
        """Wait until it holds; the virtual seconds it took. Fails when it takes longer."""
        loop = asyncio.get_running_loop()
        start_s = loop.time()
        while not condition():
            assert loop.time() - start_s <= within_s, "it did not happen in time"
            await asyncio.sleep(0.05)
        return loop.time() - start_s

    async def all_online(self, within_s: float = 10.0) -> float:
        """Wait until every device and sub-device is online, or asleep where it sleeps."""
        return await self.until(
            lambda: all(self._as_it_should_be(s) for s in self.engine.states().values()),
            within_s,
        )

    def _as_it_should_be(self, state: LinkState) -> bool:
        sleepy = category(self.specs[state.device].category).sleepy
        fine = {Connection.ONLINE, Connection.ASLEEP} if sleepy else {Connection.ONLINE}
        return state.connection in fine


@asynccontextmanager
async def engine_room(
    plan: BuildingPlan,
    *,
    rules: Rules | None = None,
    record: Path | None = None,
    discovery: bool = False,
    politeness: Politeness | None = None,
    change: Callable[[LinkSpec], LinkSpec] = replace,
) -> AsyncIterator[EngineRoom]:
    """Start the building, then an engine that holds it; stop both."""
    clock = LoopClock(asyncio.get_running_loop())
    building = Building(plan, clock, rules=rules, record=record)
    readings: list[Reading] = []
    changes: list[frozenset[str]] = []
    engine = LanEngine(
        clock=clock,
        publish=readings.extend,
        changed=changes.append,
        politeness=politeness or Politeness.fast(),
        discovery=discovery,
        watch_network=False,
        seed=1,
    )
    specs = {row["id"]: change(spec_of(row)) for row in inventory(plan)}
    await building.start()
    try:
        await engine.start()
        engine.hold(specs.values())
        yield EngineRoom(engine, building, specs, readings, changes)
    finally:
        await engine.stop()
        await building.stop()
