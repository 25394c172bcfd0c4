"""The whole building on one event loop: starts its devices, lets its day pass, switches faults."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Coroutine
from pathlib import Path
from random import Random
from typing import Any

import psutil

from app.domain.errors import ConsoleError, InvalidRequest
from app.runtime.clock import Clock
from app.simulator import announce, faults
from app.simulator.agenda import Agenda
from app.simulator.endpoint import Endpoint
from app.simulator.plan import MAX_DEVICES, BuildingPlan, address_of
from app.simulator.record import Record
from app.simulator.site import Rules, Site
from app.simulator.unit import Unit
from app.simulator.world import World

log = logging.getLogger(__name__)

WARM_UP_S = 8 * 3600.0
STEP_S = 1.0
AWAKE_S = 2.0
FIRST_WAKE_S = (3.0, 20.0)
SLEEP_S = (2 * 3600.0, 5 * 3600.0)
DOOR_SLEEP_S = (120.0, 1200.0)
RHYTHM_S = (10.0, 60.0)
ANSWER_SPREAD_S = 1.0


class _Questions(asyncio.DatagramProtocol):
    """Hears solicitations on UDP 7000."""

    def __init__(self, building: Building) -> None:
        self._building = building

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:  # noqa: ARG002
        asker = announce.asker(data)
        if asker is not None:
            self._building.solicited(asker)


class Building:
    """Devices of a plan. Uses the running loop's time and the given clock only."""

    def __init__(
        self,
        plan: BuildingPlan,
        clock: Clock,
        *,
        rules: Rules | None = None,
        record: Path | None = None,
        lan: bool = False,
        mean_outside_c: float = 9.0,
    ) -> None:
        self.plan = plan
        self._clock = clock
        self._rules = rules or Rules()
        self._record_path = record
        self._lan = lan
        self._mean_c = mean_outside_c
        self.endpoints: dict[str, Endpoint] = {}
        self._units: dict[str, tuple[Endpoint, Unit]] = {}
        self._spare = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._questions: asyncio.DatagramTransport | None = None
        self.site: Site

    # -- start and stop -------------------------------------------------------------------

    async def start(self) -> None:
        """Open every port, begin the day.

        Raises:
            EnvironmentLacks: an address or enough sockets are not to be had.
        """
        loop = asyncio.get_running_loop()
        now_s = self._clock.now_ms() / 1000
        world = World(self.plan.seed, now_s - WARM_UP_S, mean_c=self._mean_c)
        self.site = Site(
            agenda=Agenda(loop),
            clock=self._clock,
            record=Record(self._record_path, self._clock),
            world=world,
            chance=Random(self.plan.seed),
            rules=self._rules,
            started_s=loop.time(),
            world_started_s=now_s,
        )
        self.site.agenda.after_turn = self.site.record.flush
        self._furnish()
        world.step(now_s)
        try:
            for endpoint in self.endpoints.values():
                if endpoint.reachable:
                    await endpoint.open()
        except ConsoleError:
            await self.stop()
            raise
        await self._listen_for_questions(loop)
        self._begin_rhythm()

    async def stop(self) -> None:
        """Close every session in order, every port, the record."""
        self.site.agenda.stop()
        for endpoint in self.endpoints.values():
            endpoint.close()
        if self._questions is not None:
            self._questions.close()
            self._questions = None
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        # Two turns of the loop: closed transports tell their sessions and let go of the sockets.
        for _ in range(3):
            await asyncio.sleep(0)
        self.site.record.close()

    def _furnish(self) -> None:
        world = self.site.world
        for planned in self.plan.devices:
            unit = Unit(planned.id, planned.name, planned.kind, world.room(*planned.place))
            # Battery kinds on a socket are awake unless the plan lets them sleep.
            unit.asleep = False
            unit.stale_power = planned.stale_power
            endpoint = Endpoint(self.site, planned, unit)
            self.endpoints[planned.id] = endpoint
            self._units[planned.id] = (endpoint, unit)
            for each in planned.children:
                child = Unit(each.id, each.name, each.kind, world.room(*each.place), cid=each.cid)
                endpoint.children[each.cid] = child
                self._units[each.id] = (endpoint, child)

    async def _listen_for_questions(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            ear = _question_socket()
        except OSError as error:
            log.warning("Solicitations on UDP 7000 go unheard: %s", error)
            return
        self._questions, _ = await loop.create_datagram_endpoint(lambda: _Questions(self), sock=ear)

    def _begin_rhythm(self) -> None:
        agenda, chance, rules = self.site.agenda, self.site.chance, self._rules
        now_s = agenda.now_s()
        agenda.after(STEP_S, self._step)
        for endpoint in self.endpoints.values():
            if endpoint.planned.sleepy:
                agenda.after(chance.uniform(*FIRST_WAKE_S), self.wake, endpoint)
                continue
            if rules.announce_every_s and not endpoint.planned.quiet:
                agenda.after(chance.uniform(0, rules.announce_every_s), self._announce, endpoint)
            self._begin_beat(endpoint, endpoint.unit, now_s)
            for child in endpoint.children.values():
                if child.kind.sleepy:
                    agenda.after(chance.uniform(*FIRST_WAKE_S), self._child_wakes, endpoint, child)
                else:
                    self._begin_beat(endpoint, child, now_s)

    def _begin_beat(self, endpoint: Endpoint, unit: Unit, now_s: float) -> None:
        period_s = self._rules.push_every_s or RHYTHM_S[1]
        due_s = now_s + self.site.chance.uniform(0, period_s)
        self.site.agenda.at(due_s, self._beat, endpoint, unit, due_s)

    # -- the day --------------------------------------------------------------------------

    def _step(self) -> None:
        site = self.site
        before_s, now_s = site.world.time_s, site.now_s()
        site.world.step(now_s)
        watts = dict.fromkeys(site.world.floors, 150.0)
        heating = running = fans = 0
        for endpoint, unit in self._units.values():
            unit.step(site.world, now_s - before_s)
            watts[unit.room.floor] += unit.load_w
            if endpoint.planned.name.startswith("Heating pump"):
                heating += 1
                running += bool(unit.dps["1"])
            elif "fan" in unit.kind.tags:
                fans += bool(unit.dps["1"])
        site.world.heating_share = running / heating if heating else 1.0
        for floor in site.world.floors.values():
            floor.power_w, floor.fans_on = watts[floor.name], fans
        site.agenda.after(STEP_S, self._step)

    def _beat(self, endpoint: Endpoint, unit: Unit, due_s: float) -> None:
        period_s = self._rules.push_every_s
        next_s = due_s + (period_s or self.site.chance.uniform(*RHYTHM_S))
        # After a pause of the computer the beat goes on from now, it does not catch up.
        next_s = max(next_s, self.site.agenda.now_s())
        self.site.agenda.at(next_s, self._beat, endpoint, unit, next_s)
        if not unit.asleep and "flood" not in endpoint.faults:
            endpoint.push_changes(unit, always=period_s is not None)

    def _child_wakes(self, endpoint: Endpoint, child: Unit) -> None:
        span = DOOR_SLEEP_S if isinstance(child.dps.get("1"), bool) else SLEEP_S
        delay_s = self.site.real_s(self.site.chance.uniform(*span))
        self.site.agenda.after(delay_s, self._child_wakes, endpoint, child)
        endpoint.push_changes(child, always=span is SLEEP_S)

    def wake(self, endpoint: Endpoint) -> None:
        """A battery device joins the network for two seconds, and reports."""
        delay_s = self.site.real_s(self.site.chance.uniform(*SLEEP_S))
        self.site.agenda.after(AWAKE_S + delay_s, self.wake, endpoint)
        if not endpoint.faults.isdisjoint(faults.ABSENT):
            return
        endpoint.asleep = False
        self.run(self._wake(endpoint))

    async def _wake(self, endpoint: Endpoint) -> None:
        await endpoint.open()
        agenda = self.site.agenda
        for delay_s in (0.0, 0.4):
            agenda.after(delay_s, self.announce, endpoint)
        agenda.after(0.9, endpoint.push_changes, endpoint.unit)
        agenda.after(AWAKE_S, self._doze, endpoint)

    def _doze(self, endpoint: Endpoint) -> None:
        endpoint.asleep = True
        endpoint.close()

    # -- announcements --------------------------------------------------------------------

    def _announce(self, endpoint: Endpoint) -> None:
        every_s = self._rules.announce_every_s or 6.5
        self.site.agenda.after(
            every_s * self.site.chance.uniform(0.8, 1.2), self._announce, endpoint
        )
        self.announce(endpoint)

    def announce(self, endpoint: Endpoint) -> None:
        """Tell loopback, and with `--lan` the real networks, where a device is."""
        if not endpoint.audible:
            return
        endpoint.announce(announce.LOOPBACK_BROADCAST)
        if self._lan:
            packet, port = announce.packet(endpoint.planned, endpoint.version, endpoint.address)
            for source, broadcast in _real_networks():
                announce.send(source, packet, (broadcast, port))

    def solicited(self, asker: str) -> None:
        """Devices of 3.5 answer a question on UDP 7000, not all at the same moment."""
        for endpoint in self.endpoints.values():
            if endpoint.version == "3.5" and endpoint.audible:
                delay_s = self.site.chance.uniform(0, ANSWER_SPREAD_S)
                self.site.agenda.after(delay_s, endpoint.reply_to_solicitation, asker)

    # -- faults ---------------------------------------------------------------------------

    async def switch_fault(self, device: str, fault: str, on: bool) -> None:
        """Switch a fault of a device or sub-device.

        Raises:
            InvalidRequest: no such device or fault, or one that cannot happen to it.
        """
        found = self._units.get(device)
        if found is None:
            raise InvalidRequest(
                "simulator.device",
                f"There is no simulated device '{device}'.",
                where="device",
                do="Use an id of the exported inventory.",
            )
        endpoint, unit = found
        faults.check(fault, unit, child=unit.cid is not None)
        if unit.cid is not None or fault in faults.OF_UNIT:
            faults.switch_unit(self, endpoint, unit, fault, on)
        else:
            await faults.switch_endpoint(self, endpoint, fault, on)

    def spare_address(self) -> str:
        """An address of this building that no device has yet."""
        self._spare += 1
        return address_of(self.plan.net, min(MAX_DEVICES, 60_000) + self._spare)

    def reopen(self, endpoint: Endpoint) -> None:
        """A device is back from its reboot."""
        if endpoint.reachable:
            self.run(endpoint.open())

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Do asynchronous work from a timer; what fails is told, not lost."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("A simulated device failed: %s", error)

    # -- what it is -----------------------------------------------------------------------

    def sleepy(self) -> list[str]:
        """Ids of devices and sub-devices that sleep on a battery."""
        own = [d.id for d in self.plan.devices if d.sleepy]
        return own + [c.id for d in self.plan.devices for c in d.children if c.kind.sleepy]

    def state(self) -> dict[str, Any]:
        """What tests ask: counts, and each device's sessions, faults and values. No keys."""
        site = self.site
        return {
            "pushes": site.pushes,
            "values": site.record.values,
            "building_time": site.now_s(),
            "outside_c": round(site.world.outside_c, 2),
            "devices": {id_: _state(endpoint) for id_, endpoint in self.endpoints.items()},
        }


def _state(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "name": endpoint.unit.name,
        "address": endpoint.address,
        "port": endpoint.port,
        "version": endpoint.version,
        "listening": endpoint.listening,
        "sessions": len(endpoint.sessions),
        "keyed": len(endpoint.keyed),
        "accepted": endpoint.accepted,
        "faults": sorted(endpoint.faults),
        "dps": endpoint.unit.dps,
        "children": {child.id: child.dps for child in endpoint.children.values()},
    }


def _question_socket() -> socket.socket:
    """Bound to the loopback broadcast alone, so that nobody's unicast answers end up here.

    Raises:
        OSError: the address is not to be had.
    """
    ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        ear.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "SO_REUSEPORT"):
            ear.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        ear.setblocking(False)
        ear.bind((announce.LOOPBACK_BROADCAST, announce.ASK_PORT))
    except OSError:
        ear.close()
        raise
    return ear


def _real_networks() -> list[tuple[str, str]]:
    """(own address, broadcast address) of every real IPv4 interface."""
    found = []
    with contextlib.suppress(OSError):
        for addresses in psutil.net_if_addrs().values():
            found += [
                (each.address, each.broadcast)
                for each in addresses
                if each.family is socket.AF_INET and each.broadcast
                if not each.address.startswith("127.")
            ]
    return found
