"""Is the device still there: heartbeats when idle, a bounded number of misses, zombies noticed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

from app.domain.words import Connection
from app.lan.classify import Trouble
from app.lan.session import Fate, Phase, Priority, Session

IDLE_S = 9.0
"""A device closes after 30 s without a frame from us; all peers beat every 7 to 10 s."""
BEAT_TIMEOUT_S = 5.0
MISSES = 2
ZOMBIE_GAPS = 10
ZOMBIE_AT_LEAST_S = 120.0


class PushRhythm:
    """How often a device speaks unasked, to notice when it no longer does."""

    def __init__(self) -> None:
        self.gap_s: float | None = None
        self.last_s: float | None = None

    def pushed(self, now_s: float) -> None:
        """A report came unasked."""
        if self.last_s is not None:
            gap_s = now_s - self.last_s
            self.gap_s = gap_s if self.gap_s is None else 0.9 * self.gap_s + 0.1 * gap_s
        self.last_s = now_s

    def overdue(self, now_s: float) -> bool:
        """Silent for many times its usual gap."""
        if self.gap_s is None or self.last_s is None:
            return False
        return now_s - self.last_s > max(ZOMBIE_AT_LEAST_S, ZOMBIE_GAPS * self.gap_s)


class Liveness:
    """Watches one open session until it closes."""

    def __init__(
        self,
        session: Session,
        loop: asyncio.AbstractEventLoop,
        dice: random.Random,
        say: Callable[[Connection, str], None],
        ask: Callable[[], tuple[int, bytes]],
        pushes: PushRhythm,
    ) -> None:
        self._session = session
        self._loop = loop
        self._say = say
        self._ask = ask
        self._pushes = pushes
        # Devices that connected together do not beat together.
        self._idle_s = IDLE_S * dice.uniform(0.8, 1.0)
        self._prodded_s: float | None = None

    async def watch(self) -> None:
        """Beat, count misses, and close a session nobody answers on."""
        session = self._session
        while session.phase is Phase.OPEN:
            wait_s = session.last_sent_s + self._idle_s - self._loop.time()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            elif await self._beats():
                await self._prod_zombie()
            elif session.phase is Phase.OPEN and not await self._answers():
                session.close(Trouble.SILENT)

    async def _beats(self) -> bool:
        for _ in range(MISSES):
            if await self._heard_after(self._session.codec.heartbeat(), Priority.HEARTBEAT):
                return True
        return False

    async def _answers(self) -> bool:
        """Two beats missed: doubt aloud, ask once, believe the answer."""
        self._say(Connection.SUSPECT, "It accepts data but does not answer; asking once more.")
        if not await self._heard_after(self._ask(), Priority.QUERY):
            return False
        self._say(Connection.ONLINE, "")
        return True

    async def _heard_after(self, wish: tuple[int, bytes], priority: Priority) -> bool:
        before = self._session.heard_frames
        reply = await self._session.request(wish, priority, timeout_s=BEAT_TIMEOUT_S)
        return reply.fate is Fate.ANSWERED or self._session.heard_frames > before

    async def _prod_zombie(self) -> None:
        """Beats are answered but reports stay away: ask; if that changes nothing, reconnect once.

        Seen in the field as a device that is connected, beats, and never reports again.
        """
        now_s = self._loop.time()
        if not self._pushes.overdue(now_s):
            self._prodded_s = None
        elif self._prodded_s is None:
            self._prodded_s = now_s
            await self._session.request(self._ask(), Priority.REFRESH)
        elif now_s - self._prodded_s > ZOMBIE_AT_LEAST_S:
            self._pushes.gap_s = self._pushes.last_s = None
            self._session.close(Trouble.LET_GO)


async def verify(session: Session) -> None:
    """One beat now; close the session if nobody answers it."""
    before = session.heard_frames
    await session.request(session.codec.heartbeat(), Priority.HEARTBEAT, timeout_s=BEAT_TIMEOUT_S)
    if session.heard_frames == before:
        session.close(Trouble.SILENT)
