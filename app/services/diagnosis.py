"""Walks from what is recorded of a device to what it does on the network, and ends in advice."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.domain.errors import DeviceFault
from app.domain.links import LinkEvidence, LinkSpec
from app.domain.words import Connection
from app.services.directory import Directory
from app.services.health import sentence_of
from app.services.locality import SUBNET, SiteLink
from app.services.reaching import held

EXAMINE_TIMEOUT_S = 60.0
PASS, FAIL, SKIPPED = "pass", "fail", "skipped"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was checked; `result` is pass, fail or skipped."""

    check: str
    result: str
    evidence: str


@dataclass(frozen=True, slots=True)
class DiagnosisResult:
    """Where the walk ended: the contract's word, a sentence, and what to do next."""

    device: str
    verdict: Connection
    sentence: str
    next: str
    steps: tuple[Step, ...]

    def document(self) -> dict[str, Any]:
        """The diagnosis as JSON shows it."""
        return {
            "verdict": self.verdict.value,
            "sentence": self.sentence,
            "next": self.next,
            "steps": [
                {"check": step.check, "result": step.result, "evidence": step.evidence}
                for step in self.steps
            ],
        }


class Diagnosis:
    """Judges the records first; only what they allow to be opened is tried on the network."""

    def __init__(self, *, directory: Directory, link: Callable[[], SiteLink | None]) -> None:
        self._directory = directory
        self._link = link

    def examine(self, device: str) -> DiagnosisResult:
        """Diagnose one device on the calling thread; takes seconds.

        Raises:
            InvalidRequest: no such device.
            DeviceFault: the examination itself did not end.
        """
        record = self._directory.find(device)
        spec = self._directory.spec(record.tuya_id)
        steps = _recorded(spec)
        stop = _forbidden(spec, steps, self._ranges)
        if stop is not None:
            return stop
        future = held(self._link()).examine(record.tuya_id)
        try:
            evidence = future.result(EXAMINE_TIMEOUT_S)
        except concurrent.futures.TimeoutError:
            raise DeviceFault(
                "device.examination",
                "The examination did not end within a minute.",
                where=record.tuya_id,
                do="Try again.",
                retry=True,
            ) from None
        return _joined(steps, evidence)

    def _ranges(self) -> str:
        """The address ranges this computer is on, in words."""
        texts = held(self._link()).network().fingerprint
        ranges = [text.removeprefix(SUBNET) for text in texts if text.startswith(SUBNET)]
        return ", ".join(ranges) or "no network"


def _recorded(spec: LinkSpec) -> list[Step]:
    steps = []
    if spec.key:
        evidence = f"A local key of {len(spec.key)} characters is kept, sealed."
        steps.append(Step("local key recorded", PASS, evidence))
    else:
        steps.append(Step("local key recorded", FAIL, "No local key is kept for it."))
    if spec.parent:
        steps.append(Step("gateway recorded", PASS, f"It is reached through {spec.parent}."))
    elif spec.ip:
        version = f", protocol {spec.version}" if spec.version else ""
        steps.append(Step("address recorded", PASS, f"{spec.ip}, port {spec.port}{version}."))
    else:
        evidence = "No address is recorded; it has to announce itself."
        steps.append(Step("address recorded", SKIPPED, evidence))
    return steps


def _forbidden(
    spec: LinkSpec, steps: list[Step], ranges: Callable[[], str]
) -> DiagnosisResult | None:
    """The end of the walk where the device must not be contacted."""
    if spec.paused:
        verdict, advice = Connection.PAUSED, "Resume it with `device edit --resume`, then repeat."
        steps.append(Step("may be contacted", FAIL, "Somebody asked to leave it alone."))
    elif not spec.site_here:
        verdict = Connection.NOT_HERE
        advice = "Connect this computer to the network of the device's site, then repeat."
        where = f"The device is at {spec.ip}" if spec.ip else "The device's site is elsewhere"
        evidence = f"{where}; this computer is on {ranges()}."
        steps.append(Step("site's network", FAIL, evidence))
    else:
        return None
    return DiagnosisResult(spec.device, verdict, sentence_of(verdict), advice, tuple(steps))


def _joined(steps: list[Step], evidence: LinkEvidence) -> DiagnosisResult:
    tried = (Step(*step) for step in evidence.steps)
    return DiagnosisResult(
        device=evidence.device,
        verdict=evidence.verdict,
        sentence=evidence.sentence,
        next=evidence.next,
        steps=(*steps, *tried),
    )
