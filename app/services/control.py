"""Acts on one device: writes a point, asks afresh, and edits what people record of it."""

from __future__ import annotations

import concurrent.futures
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from app.domain.errors import DeviceFault, Refused
from app.domain.links import Command, CommandResult, LinkState
from app.domain.points import PointSpec, unmapped
from app.domain.readings import Value
from app.domain.words import Connection, Outcome, Path
from app.records.kinds.device import Device
from app.records.port import Actor, Records, Tx
from app.runtime.jobs import Job, JobRunner
from app.services.directory import Directory
from app.services.health import sentence_of
from app.services.locality import SiteLink
from app.services.reaching import held, settled
from app.services.views import PointView, point_label, point_view

log = logging.getLogger(__name__)

ANSWER_TIMEOUT_S = 30.0
"""Far beyond the link's own time-outs; only a link that died is waited for this long."""

_AWAY = frozenset(Connection) - {Connection.ONLINE, Connection.SUSPECT, Connection.ASLEEP}
"""Where asking afresh cannot work; the state's own sentence says why."""
_LEFT_ALONE = "The device is left alone, as asked."


@dataclass(frozen=True, slots=True)
class SetOutcome:
    """How a write ended. `asked` and `reported` are what a person reads, scaled."""

    device: str
    point: str
    asked: Value
    reported: Value | None
    outcome: Outcome
    took_ms: float
    reason: str
    unit: str = ""

    @property
    def exit_code(self) -> int:
        """0 only when the device itself reported what was asked; 5 when a rule said no."""
        if self.outcome is Outcome.CONFIRMED:
            return 0
        return 5 if self.outcome is Outcome.REFUSED else 4

    def document(self) -> dict[str, Any]:
        """The outcome as JSON shows it."""
        return {
            "device": self.device,
            "point": self.point,
            "asked": self.asked,
            "reported": self.reported,
            "outcome": self.outcome.value,
            "took_ms": round(self.took_ms, 1),
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class ReadAnswer:
    """What a device said when asked afresh."""

    device: str
    path: Path
    points: tuple[PointView, ...]

    def document(self) -> dict[str, Any]:
        """The answer as JSON shows it."""
        return {
            "device": self.device,
            "path": self.path.value,
            "points": [point.document() for point in self.points],
        }


class Control:
    """Writes and reads through whatever link holds the device.

    Every write is a journal line before it leaves and another with its outcome; a write that a
    crash cut short is in the journal as one whose outcome nobody knows.
    """

    def __init__(
        self,
        *,
        records: Records,
        directory: Directory,
        link: Callable[[], SiteLink | None],
        jobs: JobRunner,
        actor: Callable[[], Actor],
    ) -> None:
        self._records = records
        self._directory = directory
        self._link = link
        self._jobs = jobs
        self._actor = actor

    def set(self, device: str, point: str, value: Value) -> Future[SetOutcome]:
        """Write `value`, as a person reads it, to a point; the work runs on the job pool.

        What `set_now` raises, the future raises.
        """

        def work(_job: Job[SetOutcome]) -> SetOutcome:
            return self.set_now(device, point, value)

        return self._jobs.submit(f"Set {point} of {device}", work).future

    def set_now(self, device: str, point: str, value: Value) -> SetOutcome:
        """Write and wait for the outcome on the calling thread.

        Raises:
            InvalidRequest: no such device or point, or a value the point does not take.
            StoreFault: the journal line could not be written; nothing was sent.
        """
        record = self._directory.find(device)
        spec = self._directory.point(record, point)
        raw = spec.raw(value)
        asked = spec.shown(raw)
        if record.paused:
            reason = f"{_LEFT_ALONE} Resume it first."
            result = CommandResult(record.tuya_id, spec.dp, raw, Outcome.REFUSED, reason=reason)
            self._journal(record, spec, {"asked": asked, "outcome": result.outcome.value})
            return _outcome(spec, result)
        link = held(self._link())
        intent = self._journal(record, spec, {"asked": asked})
        settled(link, record.tuya_id)
        result = self._sent(link, Command(record.tuya_id, spec.dp, raw))
        outcome = _outcome(spec, result)
        said = {**outcome.document(), "intent": intent}
        self._journal(record, spec, said)
        return outcome

    def read_now(self, device: str, point: str | None = None) -> ReadAnswer:
        """Ask the device afresh, for one point or all, and wait on the calling thread.

        Raises:
            InvalidRequest: no such device or point.
            Refused: somebody asked to leave it alone.
            DeviceFault: it is not connected, or did not answer.
        """
        record = self._directory.find(device)
        wanted = self._directory.point(record, point) if point else None
        if record.paused:
            raise Refused("device.paused", _LEFT_ALONE, where=record.tuya_id, do="Resume it first.")
        link = held(self._link())
        state = settled(link, record.tuya_id)
        if state is not None and state.connection in _AWAY:
            raise _away(state)
        future = link.read(record.tuya_id, (wanted.dp,) if wanted else ())
        try:
            answer = future.result(ANSWER_TIMEOUT_S)
        except concurrent.futures.TimeoutError:
            raise _silent(record.tuya_id) from None
        points = self._directory.points(record)
        views = tuple(
            point_view(points.get(reading.point) or unmapped(reading.point), reading, stale=False)
            for reading in answer.readings
            if reading.point.isdigit() and (wanted is None or reading.point == wanted.dp)
        )
        if wanted is not None and not views:
            raise DeviceFault(
                "device.no_value",
                f"The device answered without {point_label(wanted)}.",
                where=record.tuya_id,
                do="It may report this point only when it changes.",
                retry=True,
            )
        return ReadAnswer(record.tuya_id, answer.path, views)

    def _sent(self, link: SiteLink, command: Command) -> CommandResult:
        try:
            return link.send(command).result(ANSWER_TIMEOUT_S)
        except (concurrent.futures.TimeoutError, concurrent.futures.CancelledError):
            reason = "Whether the device took it is not known; look at what it reports."
            return CommandResult(
                command.device, command.dp, command.value, Outcome.TIMED_OUT, reason=reason
            )

    def _journal(self, device: Device, spec: PointSpec, said: Mapping[str, Any]) -> str:
        data = {**said, "device": device.tuya_id, "point": point_label(spec), "dp": spec.dp}

        def work(tx: Tx) -> str:
            return tx.note("device.command", device.id, data)

        return self._records.transact(self._actor(), work).result()


def _outcome(spec: PointSpec, result: CommandResult) -> SetOutcome:
    return SetOutcome(
        device=result.device,
        point=point_label(spec),
        asked=spec.shown(result.asked),
        reported=spec.shown(result.reported) if result.reported is not None else None,
        outcome=result.outcome,
        took_ms=result.took_ms,
        reason=result.reason,
        unit=spec.unit,
    )


def _away(state: LinkState) -> DeviceFault:
    return DeviceFault(
        f"device.{state.connection.value}",
        state.sentence or sentence_of(state.connection),
        where=state.device,
        do="Run `device diagnose` to see where it ends.",
        retry=True,
    )


def _silent(device: str) -> DeviceFault:
    return DeviceFault(
        "device.no_answer",
        "The device did not answer.",
        where=device,
        do="Run `device diagnose` to see why.",
        retry=True,
    )
