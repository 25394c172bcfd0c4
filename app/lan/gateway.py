"""Sub-devices: reached through their gateway's one socket, with an online state of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from tinytuya.core import command_types as CT

from app.domain.links import LinkSpec
from app.domain.words import Connection
from app.lan.codec import Body, Message
from app.lan.held import HeldDevice
from app.lan.presence import Presence, World
from app.lan.session import Fate, Phase, Priority, Session

CHILDREN_ASK_S = 15.0
DOUBT_S = 5.0
"""A sub-device that is missing from the list is asked for again this soon."""
MERGE_S = 2.0
"""A big gateway splits its lists over several frames; they are read together after this long."""
OFFLINE_REPORTS = 2
_UNANSWERED_ASKS = 2
AWAKE_S = 60.0
"""A battery device is called online this long after a report, then asleep."""


class Child:
    """One sub-device. Its gateway's cached values are readings, not proof that it is there."""

    def __init__(self, spec: LinkSpec, world: World) -> None:
        self.spec = spec
        self.presence = Presence(spec, world)
        self._absent = 0
        self._followed_ms: int | None = None

    def renew(self, spec: LinkSpec) -> None:
        """Take a changed record."""
        self.spec = self.presence.spec = spec
        self.presence.rhythm.ask(spec.interval_s)
        if spec.paused:
            self.say(Connection.PAUSED, "")
        elif self.presence.word is Connection.PAUSED:
            self.say(Connection.CONNECTING, "Waiting for its gateway's word.")

    def follow(self, began_ms: int) -> None:
        """What its gateway says is heard since `began_ms`; its first word counts from there."""
        self._followed_ms = began_ms
        self._absent = 0

    @property
    def missing(self) -> bool:
        """Its gateway did not list it last time, and was not asked often enough to judge."""
        return 0 < self._absent < OFFLINE_REPORTS and not self.presence.rhythm.sleepy

    def say(self, word: Connection, sentence: str, *, began_ms: int | None = None) -> None:
        """Set the word, unless a person wants this one left alone."""
        if self.spec.paused:
            word, sentence = Connection.PAUSED, "Left alone."
        began_ms, self._followed_ms = self._followed_ms or began_ms, None
        self.presence.say(word, sentence, began_ms=began_ms if word is Connection.ONLINE else None)

    def reported(self, body: Body, *, pushed: bool) -> None:
        """Values came for it; unasked ones prove that it is there."""
        rhythm = self.presence.rhythm
        if pushed:
            self._absent = 0
            self.say(Connection.ONLINE, "", began_ms=self.presence.sent_ms(body))
        # What a gateway answers for a sub-device that sleeps is what it remembers.
        self.presence.report(body, fresh=pushed or not rhythm.sleepy)

    def present(self) -> None:
        """Its gateway lists it, or answers for it."""
        self._absent = 0
        rhythm, now_s = self.presence.rhythm, self.presence.world.loop.time()
        if not rhythm.sleepy or rhythm.heard_within(AWAKE_S, now_s):
            self.say(Connection.ONLINE, "")
            return
        rhythm.expect_from(now_s)
        self._rest(now_s, "Its report is overdue, although its gateway still lists it: {why}")

    def absent(self) -> None:
        """Its gateway reported it offline once more."""
        self._absent += 1
        rhythm, now_s = self.presence.rhythm, self.presence.world.loop.time()
        if rhythm.within(now_s):
            self._rest(now_s, "")
        elif self._absent >= OFFLINE_REPORTS:
            self.say(Connection.OFFLINE, "Its gateway does not hear it.")

    def age(self) -> None:
        """Time passed: one that reported falls asleep again, one whose report is overdue is lost.

        For gateways that give no lists; where lists come they say the same.
        """
        rhythm, now_s = self.presence.rhythm, self.presence.world.loop.time()
        awake = rhythm.heard_within(AWAKE_S, now_s)
        if rhythm.sleepy and not awake and self.presence.word in _LISTED:
            self._rest(now_s, "Its report is overdue: {why}")

    def unknown(self) -> None:
        """The gateway answered that it has no such sub-device."""
        self.say(Connection.OFFLINE, "Its gateway does not know it: it may have been removed.")

    def _rest(self, now_s: float, overdue: str) -> None:
        rhythm = self.presence.rhythm
        if rhythm.within(now_s):
            hours = rhythm.interval_s / 3600
            self.say(
                Connection.ASLEEP,
                f"Asleep on its battery behind its gateway; it reports about every {hours:.3g} h.",
            )
        else:
            self.say(Connection.OFFLINE, overdue.format(why="its battery may be empty."))


_LISTED = frozenset({Connection.ONLINE, Connection.ASLEEP})


class Gateway:
    """Routes frames by cid, asks for the online lists, and passes its own state on."""

    def __init__(self, held: HeldDevice, world: World) -> None:
        self.held = held
        self.children: dict[str, Child] = {}
        self._world = world
        self._online: set[str] = set()
        self._offline: set[str] = set()
        self._merge: asyncio.TimerHandle | None = None
        self._asking: asyncio.Task[None] | None = None
        self._lists_silent = 0
        held.gateway = True
        held.on_open, held.on_body, held.on_down = self._opened, self._body, self.pass_on
        if held.online and held.session is not None:
            self._opened(held.session)

    def adopt(self, children: Mapping[str, Child]) -> None:
        """Route for these sub-devices, by cid."""
        fresh = [child for cid, child in children.items() if self.children.get(cid) is not child]
        self.children = dict(children)
        session = self.held.session
        if self.held.online and session is not None:
            for child in fresh:
                child.follow(self._world.clock.now_ms())
                self._world.loop.create_task(self._ask(session, child))
        else:
            self.pass_on()

    def pass_on(self) -> None:
        """The gateway is not there: say so for its sub-devices, without judging them."""
        for handle in (self._merge, self._asking):
            if handle is not None:
                handle.cancel()
        self._merge = self._asking = None
        state = self.held.presence
        resting = self.held.resting
        for child in self.children.values():
            if resting is Connection.NOT_HERE:
                child.say(Connection.NOT_HERE, "Its gateway's site is on another network.")
            elif resting is Connection.PAUSED:
                child.say(Connection.PARENT_DOWN, "Its gateway is left alone.")
            elif self.held.judged.is_set():
                why = state.sentence[:1].lower() + state.sentence[1:] or "it is not connected."
                child.say(Connection.PARENT_DOWN, f"Its gateway is not reached: {why}")
            else:
                child.say(Connection.CONNECTING, "Waiting for its gateway.")

    def _opened(self, session: Session) -> None:
        if self._asking is None:
            self._lists_silent = 0
            began_ms = self.held.opened_ms or self._world.clock.now_ms()
            for child in self.children.values():
                child.follow(began_ms)
            self._asking = self._world.loop.create_task(self._watch(session))

    def _body(self, message: Message, body: Body) -> None:
        if message.cmd == CT.LAN_EXT_STREAM:
            self._collect(body)
            return
        child = self.children.get(body.cid) if body.cid is not None else None
        if child is not None and body.points:
            child.reported(body, pushed=message.cmd == CT.STATUS)

    async def _watch(self, session: Session) -> None:
        await self._ask_online(session)
        for child in list(self.children.values()):
            if not child.spec.paused:
                await self._ask(session, child)
        while session.phase is Phase.OPEN:
            doubtful = any(child.missing for child in self.children.values())
            await asyncio.sleep(DOUBT_S if doubtful else CHILDREN_ASK_S)
            await self._ask_online(session)
            for child in list(self.children.values()):
                child.age()

    async def _ask(self, session: Session, child: Child) -> None:
        now_s = self._world.clock.now_ms() // 1000
        reply = await session.request(session.codec.query(child.spec.cid, now_s), Priority.QUERY)
        if reply.body is None:
            return
        child.presence.latency_ms = reply.took_s * 1000
        if "devid not found" in reply.body.text:
            child.unknown()
        elif reply.body.points and self._lists_silent:
            child.present()

    async def _ask_online(self, session: Session) -> None:
        """Command 64. Gateways below 3.4 often do not know it: then replies stand for presence."""
        if self._lists_silent >= _UNANSWERED_ASKS:
            return
        reply = await session.request(session.codec.children_online(), Priority.QUERY)
        self._lists_silent = 0 if reply.fate is Fate.ANSWERED else self._lists_silent + 1

    def _collect(self, body: Body) -> None:
        for name, into in (("online", self._online), ("offline", self._offline)):
            listed = body.data.get(name)
            if isinstance(listed, list):
                into.update(cid for cid in listed[:1000] if isinstance(cid, str))
        if self._merge is None:
            self._merge = self._world.loop.call_later(MERGE_S, self._merged)

    def _merged(self) -> None:
        self._merge = None
        online, offline = self._online, self._offline
        self._online, self._offline = set(), set()
        for cid, child in self.children.items():
            if cid in online:
                child.present()
            elif cid in offline or online:
                child.absent()
