"""One device as the rest of the program sees it: its word, its sentence, its readings."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from app.domain.links import LinkSpec, LinkState
from app.domain.readings import CONNECTION_POINT, Reading, Value, stamp_ms
from app.domain.words import Connection, Path, Quality
from app.lan.addresses import Claims
from app.lan.codec import Body
from app.lan.pacing import Pacer, Politeness
from app.lan.sightings import Sightings
from app.lan.sleep import Rhythm
from app.runtime.clock import Clock

log = logging.getLogger(__name__)

LIVE = frozenset({Connection.ONLINE, Connection.SUSPECT})


@dataclass(slots=True)
class World:
    """What every device of one engine shares."""

    loop: asyncio.AbstractEventLoop
    clock: Clock
    emit: Callable[[Reading], None]
    changed: Callable[[str], None]
    politeness: Politeness
    pacer: Pacer
    sightings: Sightings
    claims: Claims = field(default_factory=Claims)
    random: random.Random = field(default_factory=random.Random)


class Presence:
    """Word, sentence and observed facts of one device, published as they change."""

    def __init__(self, spec: LinkSpec, world: World) -> None:
        self.spec = spec
        self.world = world
        self.word = Connection.NEVER_SEEN
        self.since_ms = world.clock.now_ms()
        self.sentence = "Not tried yet."
        self.ip = spec.ip
        self.port = spec.port
        self.version = spec.version
        self.last_report_ms = spec.last_report_ms
        self.latency_ms: float | None = None
        self.errors = 0
        self.clock_skew_s: float | None = None
        self.rhythm = Rhythm(spec, world.loop.time(), self.since_ms)
        self._listeners: list[Callable[[Body], None]] = []
        self._told: Connection | None = None
        self._lost = False

    def say(self, word: Connection, sentence: str) -> None:
        """Set word and sentence; tell the program what changed, and the log a loss or recovery."""
        if word is self._told:
            if sentence != self.sentence:
                self.sentence = sentence
                self.world.changed(self.spec.device)
            return
        before, self.word, self.sentence = self._told, word, sentence
        self._told = word
        self.since_ms = self.world.clock.now_ms()
        self._log(before)
        self.world.emit(
            Reading(
                self.spec.device,
                CONNECTION_POINT,
                word.value,
                self.since_ms,
                Quality.GOOD,
                Path.LAN,
            )
        )
        self.world.changed(self.spec.device)

    def _log(self, before: Connection | None) -> None:
        if self.word is Connection.ONLINE:
            if self._lost:
                log.info("%s is back", self.spec.device)
            self._lost = False
        elif before is Connection.ONLINE and not self._lost and self.word is not Connection.ASLEEP:
            self._lost = True
            log.warning("%s left online: %s", self.spec.device, self.sentence)

    def report(self, body: Body) -> list[Reading]:
        """Publish every value of an accepted message; what was published."""
        if not body.points:
            return []
        now_ms = self.world.clock.now_ms()
        at_ms = stamp_ms(now_ms, body.t_s)
        if body.t_s is not None:
            self.clock_skew_s = body.t_s - now_ms / 1000
        self.last_report_ms = now_ms
        self.rhythm.heard(self.world.loop.time())
        readings = [self.reading(dp, value, at_ms, body) for dp, value in body.points.items()]
        for reading in readings:
            self.world.emit(reading)
        for listener in tuple(self._listeners):
            listener(body)
        return readings

    def reading(self, dp: str, value: Value, at_ms: int, body: Body) -> Reading:
        """One value with its quality: the mapping's judgement, or invalid where text was broken."""
        known = self.spec.points.get(dp)
        quality = Quality.GOOD if known is None else known.judge(value)
        if dp in body.damaged:
            quality = Quality.INVALID
        return Reading(self.spec.device, dp, value, at_ms, quality, Path.LAN)

    def listen(self, listener: Callable[[Body], None]) -> Callable[[], None]:
        """Hear every message with values from now on; returns how to stop."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def state(self) -> LinkState:
        """Everything known now. Read from any thread."""
        next_ms = None
        due_s = self.rhythm.due_in_s(self.world.loop.time())
        if due_s is not None:
            next_ms = self.world.clock.now_ms() + round(due_s * 1000)
        return LinkState(
            self.spec.device,
            self.word,
            self.since_ms,
            self.sentence,
            Path.LAN if self.word in LIVE else Path.NONE,
            self.ip,
            self.port,
            self.version,
            self.last_report_ms,
            next_ms,
            self.latency_ms,
            self.errors,
            self.rhythm.learned_s if self.rhythm.sleepy else None,
            self.clock_skew_s,
        )
