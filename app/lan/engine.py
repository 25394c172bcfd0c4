"""The LAN engine on a running loop: holds devices, publishes readings, carries commands."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import replace
from typing import Any

from app.domain.errors import InvalidRequest
from app.domain.links import (
    Answer,
    Command,
    CommandResult,
    LinkEvidence,
    LinkSpec,
    LinkState,
    Sighting,
)
from app.domain.readings import Reading
from app.domain.words import Connection, Outcome
from app.lan import commands, examine
from app.lan.commands import Line
from app.lan.discovery import Discovery
from app.lan.gateway import Child, Gateway
from app.lan.held import HeldDevice
from app.lan.network import Network, NetworkWatch
from app.lan.pacing import Pacer, Politeness
from app.lan.presence import World
from app.lan.probe import probe
from app.lan.sightings import Sightings
from app.runtime.clock import Clock

log = logging.getLogger(__name__)

FIRST_JUDGEMENT_S = 12.0
"""How long a command waits for the first verdict on a device that is only just being tried."""
SCAN_S = 8.0
MATCH_S = 60.0
"""How long a scan waits for devices to try the addresses that answered; they go on after it."""
MATCH_POLL_S = 0.2

Publish = Callable[[Sequence[Reading]], None]


class LanEngine:
    """Everything `LanLink` does, without its thread. All methods run on the loop.

    `publish` gets readings in the order they came, a batch per loop turn; `changed` gets ids of
    devices whose connection or sentence changed; both must only enqueue.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        publish: Publish,
        changed: Callable[[frozenset[str]], None],
        politeness: Politeness | None = None,
        discovery: bool = True,
        on_network_change: Callable[[Network], None] | None = None,
        watch_network: bool = True,
        seed: int | None = None,
    ) -> None:
        loop = asyncio.get_running_loop()
        polite = politeness or Politeness()
        self._publish, self._tell = publish, changed
        self._batch: list[Reading] = []
        self._changes: set[str] = set()
        self._flush: asyncio.Handle | None = None
        self._sightings = Sightings()
        self._sightings.heard = self._sighted
        self._world = World(
            loop,
            clock,
            self._emit,
            self._changed,
            polite,
            Pacer(polite, loop),
            self._sightings,
            random=random.Random(seed),  # noqa: S311 - jitter, not secrets
        )
        self._held: dict[str, HeldDevice] = {}
        self._children: dict[str, Child] = {}
        self._gateways: dict[str, Gateway] = {}
        self._discovery = Discovery(self._sightings, loop, clock) if discovery else None
        self._network = NetworkWatch(loop, clock, self._network_changed)
        self._watch_network = watch_network
        self._on_network_change = on_network_change
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Open the announcement ports and start watching the network."""
        if self._discovery is not None:
            await self._discovery.start()
            self._spawn(self._discovery.solicit(self._unreached))
        if self._watch_network:
            self._spawn(self._network.watch())

    async def stop(self) -> None:
        """Close every socket with a FIN and publish what is left."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for gateway in self._gateways.values():
            # We are leaving; that is no news of what hangs behind it.
            gateway.adopt({})
        await asyncio.gather(*(held.stop() for held in self._held.values()))
        if self._discovery is not None:
            self._discovery.stop()
        self._held, self._children, self._gateways = {}, {}, {}
        self._send_batch()
        await asyncio.sleep(0)

    # -- holding -------------------------------------------------------------------------

    def hold(self, specs: Iterable[LinkSpec]) -> None:
        """Make these the devices that are held: new ones connect, missing ones are let go."""
        wanted = {spec.device: spec for spec in specs}
        before = len(self._held) + len(self._children)
        own = {id_: spec for id_, spec in wanted.items() if spec.parent is None}
        subs = {id_: spec for id_, spec in wanted.items() if spec.parent is not None}
        gone = [self._held.pop(id_) for id_ in list(self._held) if id_ not in own]
        for id_ in [id_ for id_ in self._children if id_ not in subs]:
            del self._children[id_]
        for held in gone:
            self._gateways.pop(held.spec.device, None)
            # Cancelled now, so that an address it held is free before a new device wants it.
            held.let_go()
            self._spawn(held.stop())
        for id_, spec in own.items():
            if id_ in self._held:
                self._held[id_].renew(spec)
            else:
                self._held[id_] = HeldDevice(spec, self._world)
        for id_, spec in subs.items():
            if id_ in self._children:
                self._children[id_].renew(spec)
            else:
                self._children[id_] = Child(spec, self._world)
        self._route_children()
        if gone or len(self._held) + len(self._children) != before:
            log.info("Holding %d devices and %d sub-devices", len(self._held), len(self._children))

    def _route_children(self) -> None:
        families: dict[str, dict[str, Child]] = {id_: {} for id_ in self._gateways}
        for child in self._children.values():
            parent = child.spec.parent or ""
            if parent in self._held and child.spec.cid:
                families.setdefault(parent, {})[child.spec.cid] = child
            else:
                child.say(Connection.PARENT_DOWN, "Its gateway is not among the devices held.")
        for parent, family in families.items():
            if parent not in self._gateways:
                self._gateways[parent] = Gateway(self._held[parent], self._world)
            self._gateways[parent].adopt(family)

    def states(self) -> dict[str, LinkState]:
        """The connection of every held device. Safe from any thread."""
        found = [held.presence for held in list(self._held.values())]
        found += [child.presence for child in list(self._children.values())]
        return {presence.spec.device: presence.state() for presence in found}

    # -- talking -------------------------------------------------------------------------

    async def send(self, command: Command) -> CommandResult:
        """Write once and say how it ended. Never raises for what a device does."""
        line = await self._line(command.device)
        if line is None:
            return CommandResult(
                command.device,
                command.dp,
                command.value,
                Outcome.OFFLINE,
                reason=self._why(command.device),
            )
        return await commands.write(line, command, self._world.loop)

    async def read(self, device: str, dps: Sequence[str] = ()) -> Answer:
        """Ask afresh.

        Raises:
            DeviceFault: not connected, or no answer came.
        """
        line = await self._line(device)
        if line is None:
            raise commands.no_answer(device, self._why(device))
        return await commands.read(line, dps)

    async def _line(self, device: str) -> Line | None:
        """The way to a device that is connected; waits only for a first verdict still to come."""
        child = self._children.get(device)
        held = self._held.get((child.spec.parent or "") if child is not None else device)
        if held is None:
            return None
        if not held.online:
            await _within(held.judged, FIRST_JUDGEMENT_S)
        if not held.online or held.session is None:
            return None
        if child is None:
            return Line(held.session, held.presence, None, self._world.clock)
        return Line(held.session, child.presence, child.spec.cid, self._world.clock)

    def _why(self, device: str) -> str:
        holder = self._children.get(device) or self._held.get(device)
        if holder is None:
            return "This device is not held."
        return holder.presence.sentence or "It is not connected."

    # -- looking -------------------------------------------------------------------------

    async def scan(self, cidr: str | None = None) -> Sequence[Sighting]:
        """What announced itself lately or does so now; with `cidr`, who answers in that range.

        What answers there is offered to every device that is not reached: its key finds it.
        """
        start_s = self._world.loop.time() - SCAN_S
        found: dict[str, Sighting] = {}
        if self._discovery is not None:
            await self._discovery.ask_now()
        if cidr is not None:
            for sighting in await probe(cidr, self._world, self._known_addresses()):
                found[sighting.ip] = sighting
            await self._match([ip for ip, seen in found.items() if not seen.device])
            for ip, device in self._known_addresses().items():
                if ip in found:
                    found[ip] = replace(found[ip], device=device)
        if self._discovery is not None and cidr is None:
            await asyncio.sleep(SCAN_S)
        for sighting in self._sightings.since(start_s):
            found[sighting.ip] = sighting
        return tuple(found.values())

    def _known_addresses(self) -> dict[str, str]:
        online = [held for held in self._held.values() if held.online]
        return {held.presence.ip: held.spec.device for held in online if held.presence.ip}

    async def _match(self, addresses: list[str]) -> None:
        """Let the devices that are not reached try what answered; until all did or time is up."""
        until_s = self._world.loop.time() + MATCH_S
        for held in self._held.values():
            # Each in an order of its own, so that they are not all at one address at once.
            held.offer(self._world.random.sample(addresses, len(addresses)))
        while any(held.searching for held in self._held.values()):
            if self._world.loop.time() > until_s:
                return
            await asyncio.sleep(MATCH_POLL_S)

    async def examine(self, device: str) -> LinkEvidence:
        """Try the device step by step and say where it ends.

        Raises:
            InvalidRequest: the device is not held.
        """
        child = self._children.get(device)
        held = self._held.get((child.spec.parent or "") if child is not None else device)
        if held is None:
            raise InvalidRequest(
                "device.not_held", "This device is not held.", where=device, do="Import it first."
            )
        return await examine.examine(held, child, self._network.current)

    def network(self) -> Network:
        """The network this computer is on. Safe from any thread."""
        return self._network.current

    @property
    def problems(self) -> tuple[str, ...]:
        """What discovery could not do, in sentences."""
        return tuple(self._discovery.problems) if self._discovery is not None else ()

    # -- what happens --------------------------------------------------------------------

    def _sighted(self, sighting: Sighting) -> None:
        held = self._held.get(sighting.device)
        if held is not None:
            held.sighted()

    def _unreached(self) -> bool:
        return any(not held.online for held in self._held.values())

    def _network_changed(self, network: Network, *, woke: bool) -> None:  # noqa: ARG002
        """Another network, or the laptop slept: what was true of every link is verified afresh."""
        for held in self._held.values():
            if held.online:
                held.verify()
            else:
                held.poke()
        if self._on_network_change is not None:
            self._on_network_change(network)

    def _emit(self, reading: Reading) -> None:
        self._batch.append(reading)
        if self._flush is None:
            self._flush = self._world.loop.call_soon(self._send_batch)

    def _changed(self, device: str) -> None:
        self._changes.add(device)
        if self._flush is None:
            self._flush = self._world.loop.call_soon(self._send_batch)

    def _send_batch(self) -> None:
        self._flush = None
        batch, self._batch = self._batch, []
        changes, self._changes = self._changes, set()
        if batch:
            self._publish(batch)
        if changes:
            self._tell(frozenset(changes))
            self._pass_on_to_children(changes)

    def _pass_on_to_children(self, changes: set[str]) -> None:
        for device in changes:
            gateway = self._gateways.get(device)
            if gateway is not None and not gateway.held.online:
                gateway.pass_on()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._world.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _within(event: asyncio.Event, timeout_s: float) -> None:
    try:
        async with asyncio.timeout(timeout_s):
            await event.wait()
    except TimeoutError:
        return
