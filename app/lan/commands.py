"""Writing and reading: a write goes out once, and only the device's own report confirms it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.errors import DeviceFault
from app.domain.links import Answer, Command, CommandResult
from app.domain.readings import Reading, Value
from app.domain.words import Outcome, Path
from app.lan.codec import Body
from app.lan.presence import Presence
from app.lan.session import Fate, Priority, Reply, Session
from app.runtime.clock import Clock

ECHO_WINDOW_S = 2.0
"""How long a device may take to report what was written; then it is asked, once."""
_REFUSALS = ("parse data error", "data format error", "json obj data unvalid", "devid not found")


@dataclass(frozen=True, slots=True)
class Line:
    """An open session to a device, or through its gateway to a sub-device (`cid`)."""

    session: Session
    presence: Presence
    cid: str | None
    clock: Clock

    def query(self) -> tuple[int, bytes]:
        """Ask for everything."""
        return self.session.codec.query(self.cid, self.clock.now_ms() // 1000)


def same_value(asked: Value, reported: Value) -> bool:
    """Equal as the device means it: true is not 1, 20 is 20.0."""
    if isinstance(asked, bool) or isinstance(reported, bool):
        return asked is reported
    return asked == reported


class _Echo:
    """Hears what the device reports of one data point from the moment the write went out."""

    def __init__(self, line: Line, command: Command, loop: asyncio.AbstractEventLoop) -> None:
        self.command = command
        self.reported: Value | None = None
        self.sent = False
        self.confirmed = asyncio.Event()
        self._loop = loop
        self._stop = line.presence.listen(self._hear)

    def mark_sent(self) -> None:
        """From now on reports count."""
        self.sent = True

    def _hear(self, body: Body) -> None:
        if self.sent and self.command.dp in body.points:
            self.reported = body.points[self.command.dp]
            if same_value(self.command.value, self.reported):
                self.confirmed.set()

    async def wait(self, timeout_s: float) -> bool:
        """Whether the asked value was reported in time."""
        try:
            async with asyncio.timeout(timeout_s):
                await self.confirmed.wait()
        except TimeoutError:
            return False
        return True

    def stop(self) -> None:
        """Hear nothing more."""
        self._stop()


async def write(line: Line, command: Command, loop: asyncio.AbstractEventLoop) -> CommandResult:
    """Send once; say how it ended. Never sends again, whatever happens."""
    start_s = loop.time()
    echo = _Echo(line, command, loop)
    try:
        outcome, reason = await _write(line, command, echo)
    finally:
        echo.stop()
    took_ms = (loop.time() - start_s) * 1000
    return CommandResult(
        command.device, command.dp, command.value, outcome, echo.reported, took_ms, reason
    )


async def _write(line: Line, command: Command, echo: _Echo) -> tuple[Outcome, str]:
    now_s = line.clock.now_ms() // 1000
    wish = line.session.codec.control({command.dp: command.value}, line.cid, now_s)
    ack = await line.session.request(wish, Priority.WRITE, on_sent=echo.mark_sent)
    if ack.fate is Fate.NEVER_SENT:
        return Outcome.OFFLINE, "The connection was lost before the command was sent."
    if echo.confirmed.is_set():
        return Outcome.CONFIRMED, ""
    if ack.fate is Fate.LOST:
        return Outcome.UNCONFIRMED, _LOST
    refusal = _refusal(ack)
    if refusal:
        return Outcome.REJECTED, f"The device refused: {refusal}."
    if await echo.wait(ECHO_WINDOW_S if ack.fate is Fate.ANSWERED else 0.0):
        return Outcome.CONFIRMED, ""
    return await _ask_once(line, echo, ack)


async def _ask_once(line: Line, echo: _Echo, ack: Reply) -> tuple[Outcome, str]:
    """The one query after a write nobody echoed."""
    answer = await line.session.request(line.query(), Priority.QUERY)
    if echo.confirmed.is_set():
        return Outcome.CONFIRMED, ""
    if answer.fate in (Fate.LOST, Fate.NEVER_SENT):
        return Outcome.UNCONFIRMED, _LOST
    if echo.reported is not None:
        said = "accepted it" if ack.fate is Fate.ANSWERED else "did not acknowledge it"
        return Outcome.UNCONFIRMED, f"The device {said}, but reports {echo.reported!r}."
    if ack.fate is Fate.TIMED_OUT:
        return Outcome.TIMED_OUT, "The device did not answer; it may have carried it out."
    return Outcome.UNCONFIRMED, "The device accepted it but does not report this point."


_LOST = "The connection was lost before the device reported; it may have carried it out."


def _refusal(reply: Reply) -> str:
    text = reply.body.text if reply.body is not None else ""
    return next((words for words in _REFUSALS if words in text), "")


async def read(line: Line, dps: Sequence[str]) -> Answer:
    """Ask afresh.

    Raises:
        DeviceFault: no answer, or an answer without the points that were asked for.
    """
    readings: list[Reading] = []
    device = line.presence.spec.device

    def keep(body: Body) -> None:
        at_ms = line.clock.now_ms()
        readings.extend(
            line.presence.reading(dp, value, at_ms, body) for dp, value in body.points.items()
        )

    stop = line.presence.listen(keep)
    try:
        reply = await line.session.request(line.query(), Priority.QUERY)
    finally:
        stop()
    if reply.fate is not Fate.ANSWERED:
        raise no_answer(device)
    latest = {reading.point: reading for reading in readings}
    chosen = tuple(latest[dp] for dp in (dps or latest) if dp in latest)
    if dps and not chosen:
        raise DeviceFault(
            "device.point_missing",
            "The device answered without this point.",
            where=device,
            do="Read the whole device to see which points it reports.",
        )
    return Answer(device, Path.LAN, chosen)


def no_answer(device: str, why: str = "") -> DeviceFault:
    """The error of a read nobody answered."""
    return DeviceFault(
        "device.no_answer",
        why or "The device did not answer.",
        where=device,
        do="Run a diagnosis of the device to see where it ends.",
        retry=True,
    )
