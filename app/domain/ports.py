"""The ports adapters fill and services use. They meet in `app.wiring`, nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Protocol

from app.domain.links import (
    Answer,
    Command,
    CommandResult,
    LinkEvidence,
    LinkSpec,
    LinkState,
    Sighting,
)
from app.domain.readings import Reading, Value
from app.domain.words import Path, Quality

Tap = Callable[[Sequence[Reading]], None]


class DeviceLink(Protocol):
    """Whoever owns the connections: the LAN engine here, or a site server's."""

    def hold(self, specs: Iterable[LinkSpec]) -> None:
        """Make these the devices that are held: new ones connect, missing ones are let go."""

    def states(self) -> Mapping[str, LinkState]:
        """The connection of every held device, by device id."""

    def send(self, command: Command) -> Future[CommandResult]:
        """Write once. The future never raises for what a device does; it says the outcome."""

    def read(self, device: str, dps: Sequence[str] = ()) -> Future[Answer]:
        """Ask afresh. The future raises DeviceFault when no answer comes."""

    def scan(self, cidr: str | None = None) -> Future[Sequence[Sighting]]:
        """Listen for announcements, and probe `cidr` by unicast at a bounded rate."""

    def examine(self, device: str) -> Future[LinkEvidence]:
        """Try the device step by step and say where it ends."""


class HistoryPoint(Protocol):
    """One stored reading."""

    at_ms: int
    value: Value
    quality: Quality
    path: Path


class Readings(Protocol):
    """What was observed, by asset and point."""

    def raw(
        self, asset: str, point: str, from_ms: int, to_ms: int
    ) -> Sequence[tuple[int, Value, Quality, Path]]:
        """Every reading in [from_ms, to_ms), in order of time, then of arrival. Raw values."""

    def observed(self, device: str) -> Mapping[str, tuple[Value, int]]:
        """The last machine state of a device: name to (value, at_ms)."""


class JobStore(Protocol):
    """Where a job that must survive a crash keeps its state."""

    def unfinished(self) -> Sequence[tuple[str, str, Mapping[str, Any]]]:
        """(job id, kind, state) of every job without an end."""


class Blobs(Protocol):
    """Content-addressed files: photos, exports, bundles."""

    def put(self, content: bytes) -> str:
        """Keep `content`; its SHA-256 in hexadecimal is its name."""

    def get(self, sha256: str) -> bytes:
        """Raises StoreFault when it is not here."""


class Printer(Protocol):
    """Turns a report into PDF, with or without a window."""

    def pdf(self, html: str) -> bytes:
        """One document."""
