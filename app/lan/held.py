"""A device with a socket of its own: connected, watched, lost, judged by evidence, retried."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any

from tinytuya.core import command_types as CT

from app.domain.links import LinkSpec
from app.domain.words import Connection
from app.lan.addresses import is_loopback
from app.lan.classify import Place, Trouble, classify
from app.lan.codec import Body, Codec, Message, key_usable
from app.lan.framing import Fault
from app.lan.liveness import Liveness, PushRhythm, verify
from app.lan.presence import Presence, World
from app.lan.route import Backoff, Route, Target
from app.lan.session import Fate, Phase, Priority, Session
from app.lan.standing import Standing

log = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 5.0
LISTEN_FIRST_S = 0.5
RETRY_AT_ONCE_S = 0.5
QUICK_CLOSE_WAIT_S = 2.0
"""A device has few slots and needs this long to free one after it closed on us."""
_NOT_CONTENT = frozenset({Fault.KEY, Fault.TEXT, Fault.JSON})
_MANY_UNREADABLE = 2
STRANGER_S = 10.0
"""How long whoever answers at an offered address has to prove that it is the device looked for."""
MANY_DROPPED = 3
"""So many attempts in a row that a device ends before it says anything are its usual way."""
_DROPPED = frozenset({Trouble.CLOSED, Trouble.RESET, Trouble.WEAK_SESSION})


class HeldDevice:
    """See the module. One task for its life; at most one socket at any moment."""

    def __init__(self, spec: LinkSpec, world: World) -> None:
        self.spec = spec
        self.world = world
        self.presence = Presence(spec, world)
        self.session: Session | None = None
        self.standing = Standing(self.presence, world)
        self.judged = asyncio.Event()
        self.gateway = False
        self.on_open: Callable[[Session], None] | None = None
        self.on_body: Callable[[Message, Body], None] | None = None
        self.on_down: Callable[[], None] | None = None
        self._route = Route(spec)
        self._backoff = Backoff(world.random)
        self.pushes = PushRhythm()
        self._poke = asyncio.Event()
        self._ended: asyncio.Future[Trouble] = world.loop.create_future()
        self._settled = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._unreadable = 0
        self._dropped = 0
        self.opened_ms: int | None = None
        self.target: Target | None = None
        self._quick_closes = 0
        self._key_proved = False
        self._life = world.loop.create_task(self._live(), name=f"hold {spec.device}")

    # -- what the engine asks of it ------------------------------------------------------

    @property
    def online(self) -> bool:
        """A proved session that can carry requests."""
        session = self.session
        return session is not None and session.phase is Phase.OPEN and session.proved

    @property
    def resting(self) -> Connection | None:
        """PAUSED or NOT_HERE when no socket may be opened, else None."""
        if self.spec.paused:
            return Connection.PAUSED
        if not self.spec.site_here and not is_loopback(self.spec.ip):
            return Connection.NOT_HERE
        return None

    def renew(self, spec: LinkSpec) -> None:
        """Take a changed record; a working session is kept unless key, port or rest say no."""
        before, self.spec = self.spec, spec
        self.presence.spec = spec
        self.presence.rhythm.ask(spec.interval_s)
        self._route.renew(spec)
        moved = spec.ip not in (None, before.ip, self.presence.ip)
        if spec.key != before.key or spec.port != before.port or moved:
            self._key_proved = self._key_proved and spec.key == before.key
            self.drop()
        if self.resting is not None:
            self.drop()
        if _told(spec) != _told(before):
            self.poke()

    def poke(self) -> None:
        """Try now: a person asked, or the network came back."""
        self._backoff.reset()
        self._poke.set()

    def sighted(self) -> None:
        """It announced itself: try now unless the trouble is one that being there does not cure."""
        # A battery device that is heard is awake for two seconds: nothing may delay the attempt.
        at_once = self.presence.rhythm.sleepy or self._backoff.cut_by_sighting(
            self.world.loop.time()
        )
        if at_once and not self.online:
            self._poke.set()

    def offer(self, addresses: Sequence[str]) -> None:
        """Something answers at these addresses: try them, if it is not reached where it should be.

        Each is opened with this device's key, at the usual pace, and believed once it proves it.
        """
        if not self.online and self.resting is None and key_usable(self.spec.key):
            self._route.offer(addresses)
            self._poke.set()

    @property
    def searching(self) -> bool:
        """Addresses it was offered are still to be tried."""
        return not self.online and self._route.searching

    def drop(self) -> None:
        """Close the socket, if there is one, with a FIN."""
        if self.session is not None:
            self.session.close(Trouble.LET_GO)

    def verify(self) -> None:
        """Do not trust the link any more: ask whether anybody answers on it, now."""
        if self.session is not None and self.session.phase is Phase.OPEN:
            self._start(verify(self.session))

    def let_go(self) -> None:
        """Close the socket and begin nothing new; say nothing more."""
        self.on_open = self.on_body = self.on_down = None
        self._life.cancel()
        self.drop()
        for task in self._tasks:
            task.cancel()

    async def stop(self) -> None:
        """Let the device go for good, and wait until it is."""
        self.let_go()
        await asyncio.gather(self._life, *self._tasks, return_exceptions=True)

    def query(self) -> tuple[int, bytes]:
        """(command, payload) that asks this device for everything."""
        assert self.session is not None
        return self.session.codec.query(None, self.world.clock.now_ms() // 1000)

    # -- its life ------------------------------------------------------------------------

    async def _live(self) -> None:
        wait_s = self.world.random.uniform(0, self.world.politeness.start_jitter_s)
        while True:
            await self._wait(wait_s)
            rest = self.resting
            if rest is not None:
                self.standing.rest(rest, self.spec.ip)
                self.judged.set()
                wait_s = 3600.0
                continue
            now_s = self.world.loop.time()
            target = self._route.next(self.world.sightings.latest(self.spec.device, now_s), now_s)
            if target is None or not key_usable(self.spec.key):
                trouble = Trouble.NO_ADDRESS if target is None else Trouble.NO_KEY
                self.standing.judge(trouble, target)
                self.judged.set()
                wait_s = 3600.0
                continue
            trouble = await self._attempt(target)
            wait_s = self._after(target, trouble)

    async def _wait(self, wait_s: float) -> None:
        if wait_s > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._poke.wait()
        self._poke.clear()

    async def _attempt(self, target: Target) -> Trouble:
        """Connect, introduce, stay until it ends; what ended it."""
        holder = self.world.claims.claim(target.ip, target.port, self.spec.device)
        if holder is not None:
            if self.world.claims.proved(target.ip, target.port):
                self._route.withdraw(target.ip)
            return Trouble.ADDRESS_TAKEN
        try:
            return await self._connected(target)
        finally:
            self.world.claims.release(target.ip, target.port, self.spec.device)

    async def _connected(self, target: Target) -> Trouble:
        self.target = target
        untried = self.presence.word in _UNTRIED
        if untried and not self.presence.rhythm.sleepy:
            self.presence.say(Connection.CONNECTING, f"Connecting to {target.ip}.")
        if not target.candidate:
            # What an announcement says is shown once it is proved.
            self.presence.ip, self.presence.version = target.ip, target.version
        loop = self.world.loop
        self._ended, self._settled, self._unreadable = loop.create_future(), asyncio.Event(), 0
        async with self.world.pacer.turn(target.ip, at_once=self.presence.rhythm.sleepy):
            if self.resting is not None:
                return Trouble.LET_GO
            codec = Codec(self.spec.device, self.spec.key, target.version)
            listen_s = LISTEN_FIRST_S if self._quick_closes else 0.0
            known = self._key_proved and target.version == self._route.version
            self.session = session = Session(
                codec, self, loop, listen_s=listen_s, known=known, stranger=target.offered
            )
            trouble = await _open_socket(loop, session, target)
            if trouble is not None:
                return trouble
            await self._settled.wait()
        return await self._ended

    def _after(self, target: Target, trouble: Trouble) -> float:
        """Judge the end, set the word, say how long to wait."""
        self.session = None
        now_s = self.world.loop.time()
        if trouble is Trouble.LET_GO:
            return 0.0
        self._dropped = self._dropped + 1 if trouble in _DROPPED else 0
        if trouble is Trouble.WEAK_SESSION and self._dropped < MANY_DROPPED:
            # One in 256 is chance and soon put right; always is the device's fault.
            return self._backoff.failed(trouble, now_s) / 4
        if trouble in (Trouble.CLOSED, Trouble.RESET) and self._dropped >= MANY_DROPPED:
            trouble = Trouble.DROPS
        was_quick = self._quick_closes
        self._quick_closes = was_quick + 1 if trouble is Trouble.CLOSED_AT_ONCE else 0
        if trouble is Trouble.CLOSED_ON_WORD:
            self._quick_closes = 1
        if trouble is Trouble.CLOSED_AT_ONCE and not was_quick:
            if self.presence.word is Connection.ONLINE:
                self.standing.lost("It closed the connection; listening before speaking.")
            return QUICK_CLOSE_WAIT_S * (1 + self.world.random.uniform(0, 0.3))
        seen = self.world.sightings.latest(self.spec.device, now_s)
        if self._route.failed(target, trouble, seen, now_s):
            return RETRY_AT_ONCE_S
        if target.offered:
            # Whoever answers there is somebody else, and says nothing about this device.
            trouble = Trouble.NO_ADDRESS
        self.standing.judge(trouble, target)
        self.judged.set()
        return self._backoff.failed(trouble, now_s)

    # -- what the session tells (app.lan.session.Owner) ----------------------------------

    def opened(self, session: Session) -> None:
        """The socket carries requests: introduce ourselves and watch it."""
        self.opened_ms = self.world.clock.now_ms()
        self._start(_introduce(self, session))

    def heard(self, session: Session, message: Message, body: Body) -> None:
        """A good frame: it proves the device, and its values are published."""
        if session.codec.version == "3.1" and body.device not in (None, self.spec.device):
            # Answers of 3.1 need no key: only what it calls itself tells it from another device.
            self.standing.other = body.device
            session.close(Trouble.ADDRESS_TAKEN)
            return
        if session.proved and not self._settled.is_set():
            self._become_online()
        if self.on_body is not None:
            self.on_body(message, body)
        if body.cid is not None:
            return
        if body.points:
            if message.cmd == CT.STATUS:
                self.pushes.pushed(self.world.loop.time())
            self.presence.report(body)

    def unreadable(self, session: Session, fault: Fault) -> None:
        """A whole frame this key does not open, or that is no report."""
        self.presence.errors += 1
        if session.opened:
            log.debug("%s sent %s", self.spec.device, fault.value)
        elif fault in _NOT_CONTENT:
            self._unreadable += 1
            if self._unreadable >= _MANY_UNREADABLE:
                session.close(Trouble.UNREADABLE)

    def closed(self, session: Session, trouble: Trouble) -> None:
        """The socket is gone."""
        if trouble is Trouble.SILENT and not self._key_proved:
            trouble = Trouble.NEVER_ANSWERED
        if trouble in (Trouble.BROKEN_FRAME, Trouble.BROKEN_STREAM):
            self.presence.errors += 1
        if session.proved and trouble in (
            Trouble.CLOSED,
            Trouble.RESET,
            Trouble.BROKEN_FRAME,
            Trouble.BROKEN_STREAM,
        ):
            self.standing.lost(classify(trouble, Place(self.presence.ip or "")).sentence)
        self._settled.set()
        if not self._ended.done():
            self._ended.set_result(trouble)
        if self.on_down is not None:
            self.on_down()

    def _become_online(self) -> None:
        self._settled.set()
        if self.target is not None:
            self._route.succeeded(self.target)
            self.world.claims.prove(self.target.ip, self.target.port)
            self.presence.ip, self.presence.version = self.target.ip, self.target.version
        self._key_proved = True
        self._quick_closes = self._dropped = 0
        self.standing.trouble = None
        self._backoff.reset()
        self.presence.rhythm.heard(self.world.loop.time())
        # Everything it says on this session belongs to its time online, the proof included.
        self.presence.say(Connection.ONLINE, "", began_ms=self.opened_ms)
        self.judged.set()
        if self.session is not None and self.on_open is not None:
            self.on_open(self.session)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = self.world.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _introduce(held: HeldDevice, session: Session) -> None:
    """Ask for everything once, find out how the device wants to be asked, then watch it."""
    reply = await session.request(held.query(), Priority.QUERY)
    if reply.body is not None and "data unvalid" in reply.body.text and not held.gateway:
        session.codec.ask_by_name([dp for dp in held.spec.points if dp.isdigit()])
        reply = await session.request(held.query(), Priority.QUERY)
    if reply.fate is Fate.ANSWERED:
        held.presence.latency_ms = reply.took_s * 1000
    elif reply.fate is Fate.TIMED_OUT and not session.proved:
        await _doubt(session)
    if held.target is not None and held.target.offered and not session.proved:
        # A gateway of 3.1 answers anybody in words; what it reports is sealed.
        await asyncio.sleep(STRANGER_S)
        if not session.proved:
            session.close(Trouble.NEVER_ANSWERED)
    if session.phase is Phase.OPEN:
        watching = Liveness(
            session,
            held.world.loop,
            held.world.random,
            held.presence.say,
            held.query,
            held.pushes,
        )
        await watching.watch()


async def _doubt(session: Session) -> None:
    """No answer to the first query: does anybody answer at all, and does the key open it?"""
    beat = await session.request(session.codec.heartbeat(), Priority.HEARTBEAT)
    if session.phase is not Phase.OPEN or session.proved:
        return
    if beat.fate is Fate.ANSWERED:
        session.close(Trouble.UNREADABLE)
    else:
        session.close(Trouble.SILENT)


async def _open_socket(
    loop: asyncio.AbstractEventLoop, session: Session, target: Target
) -> Trouble | None:
    """Connect; what prevented it, or None."""
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            await loop.create_connection(lambda: session, target.ip, target.port)
    except TimeoutError:
        return Trouble.NO_ANSWER
    except ConnectionRefusedError:
        return Trouble.REFUSED
    except ConnectionResetError:
        return Trouble.CLOSED_AT_ONCE
    except OSError as error:
        timed_out = error.errno in (errno.ETIMEDOUT, errno.EHOSTDOWN)
        return Trouble.NO_ANSWER if timed_out else Trouble.UNREACHABLE
    return None


def _told(spec: LinkSpec) -> LinkSpec:
    """What people said of it, without what was observed."""
    return replace(spec, last_report_ms=None, learned_interval_s=None, last_ip=None)


_UNTRIED = frozenset({Connection.NEVER_SEEN, Connection.PAUSED, Connection.NOT_HERE})
