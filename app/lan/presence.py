"""One device as the rest of the program sees it: its word, its sentence, its readings."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from app.domain.links import LinkSpec, LinkState
from app.domain.readings import (
    CONNECTION_POINT,
    DEVICE_CLOCK_TRUST_MS,
    OURS_MS,
    Reading,
    Value,
    stamp_ms,
)
from app.domain.words import Connection, Path, Quality
from app.lan.addresses import Claims
from app.lan.codec import Body
from app.lan.pacing import Pacer, Politeness
from app.lan.sightings import Sightings
from app.lan.sleep import Rhythm
from app.runtime.clock import Clock

log = logging.getLogger(__name__)

LIVE = frozenset({Connection.ONLINE, Connection.SUSPECT})
SAME_LOSS_S = 300.0
"""A device that is lost again this soon is not told a second time above DEBUG."""
_NO_LOSS = frozenset({Connection.PARENT_DOWN, Connection.PAUSED, Connection.NOT_HERE})
"""Not the device's own trouble: its gateway's line, or a person's wish, says it."""


@dataclass(slots=True)
class _Loss:
    """Whether a device is lost, and whether the log was told so."""

    open: bool = False
    told: bool = False
    quiet_until_s: float = float("-inf")


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
        self._loss = _Loss()
        self._stamped_ms: int | None = None

    def say(self, word: Connection, sentence: str, *, began_ms: int | None = None) -> None:
        """Set word and sentence; tell the program what changed, and the log a loss or recovery.

        `began_ms` is since when it is so, where that was before now: a device was online when it
        sent what proves it.
        """
        if word is self._told:
            if sentence != self.sentence:
                self.sentence = sentence
                self.world.changed(self.spec.device)
            return
        before, self.word, self.sentence = self._told, word, sentence
        self._told = word
        now_ms = self.world.clock.now_ms()
        # Never before the word it follows, unless the clock was set back meanwhile.
        self.since_ms = min(now_ms, max(began_ms or now_ms, self.since_ms))
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
        """A loss once and a recovery once; what comes and goes all day does not fill the log."""
        loss, device = self._loss, self.spec.device
        if self.word is Connection.ONLINE:
            if loss.open:
                log.log(logging.INFO if loss.told else logging.DEBUG, "%s is back", device)
            loss.open = False
        elif before is Connection.ONLINE and not loss.open and self.word is not Connection.ASLEEP:
            now_s = self.world.loop.time()
            loss.open = True
            loss.told = self.word not in _NO_LOSS and now_s >= loss.quiet_until_s
            if loss.told:
                loss.quiet_until_s = now_s + SAME_LOSS_S
            level = logging.WARNING if loss.told else logging.DEBUG
            log.log(level, "%s left online: %s", device, self.sentence)

    def report(self, body: Body, *, fresh: bool = True) -> None:
        """Publish every value of an accepted message.

        `fresh` is False for what a gateway remembers of a sub-device that sleeps: it is published,
        and no report of the sub-device.
        """
        if not body.points:
            return
        now_ms = self.world.clock.now_ms()
        at_ms = self._after_the_last(stamp_ms(now_ms, body.t_s))
        if body.t_s is not None:
            self.clock_skew_s = body.t_s - now_ms / 1000
        if fresh:
            self.last_report_ms = now_ms
            self.rhythm.heard(self.world.loop.time())
        emit, reading = self.world.emit, self.reading
        for dp, value in body.points.items():
            emit(reading(dp, value, at_ms, body))
        for listener in tuple(self._listeners):
            listener(body)

    def sent_ms(self, body: Body) -> int:
        """When a message was sent, at the earliest: by the device's clock where that is right."""
        now_ms = self.world.clock.now_ms()
        sent_ms = now_ms if body.t_s is None else round(body.t_s * 1000)
        return sent_ms if sent_ms <= now_ms < sent_ms + OURS_MS else now_ms

    def _after_the_last(self, at_ms: int) -> int:
        """The stamp, or the next millisecond where a message of this device has it already.

        Messages that are read together are told apart this way: the store takes equal values of one
        millisecond for one reading. A clock that was set back goes on from where it was set to.
        """
        last_ms = self._stamped_ms
        if last_ms is not None and last_ms - DEVICE_CLOCK_TRUST_MS <= at_ms <= last_ms:
            at_ms = last_ms + 1
        self._stamped_ms = at_ms
        return at_ms

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
