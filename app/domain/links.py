"""What the rest of the program says to whatever holds the devices, and hears from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.domain.points import PointSpec
from app.domain.readings import Reading, Value
from app.domain.words import Connection, Outcome, Path

DEFAULT_PORT = 6668


@dataclass(frozen=True, slots=True)
class LinkSpec:
    """One device to hold a connection to. A sub-device names its `parent` and its `cid`.

    `key` never appears in a repr. `interval_s` is the expected report interval a person set;
    None means learned, else the category's default. `learned_interval_s` and `last_report_ms` are
    what an earlier run observed, so that a sleeping sensor is not forgotten; `last_ip` is where it
    was, tried when it is not at `ip`. `site_here` is False
    when the computer is on another network than the device's site: the address is then not opened.
    """

    device: str
    site: str
    key: bytes = field(default=b"", repr=False)
    ip: str | None = None
    port: int = DEFAULT_PORT
    version: str | None = None
    parent: str | None = None
    cid: str | None = None
    category: str = ""
    product_id: str = ""
    interval_s: float | None = None
    learned_interval_s: float | None = None
    last_report_ms: int | None = None
    last_ip: str | None = None
    paused: bool = False
    site_here: bool = True
    points: Mapping[str, PointSpec] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class LinkState:
    """What is known of one device's connection at this moment. `sentence` says it in words.

    `since_ms` is when `connection` last changed; `ip` and `version` are those proved to work,
    else those to be tried. `latency_ms` is the last request's round trip. All times UTC ms.
    """

    device: str
    connection: Connection
    since_ms: int
    sentence: str = ""
    path: Path = Path.NONE
    ip: str | None = None
    port: int = DEFAULT_PORT
    version: str | None = None
    last_report_ms: int | None = None
    next_expected_ms: int | None = None
    latency_ms: float | None = None
    errors: int = 0
    learned_interval_s: float | None = None
    clock_skew_s: float | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """A wish for one data point, already checked for type, range and rights. `value` is raw."""

    device: str
    dp: str
    value: Value


@dataclass(frozen=True, slots=True)
class CommandResult:
    """How a command ended. `reported` is what the device said after the write, raw, or None."""

    device: str
    dp: str
    asked: Value
    outcome: Outcome
    reported: Value | None = None
    took_ms: float = 0.0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a device said when asked afresh."""

    device: str
    path: Path
    readings: tuple[Reading, ...]


@dataclass(frozen=True, slots=True)
class Sighting:
    """A device that announced itself or answered a probe. Not proof of anything: forgeable."""

    device: str
    ip: str
    version: str | None
    product_id: str | None
    at_ms: int


@dataclass(frozen=True, slots=True)
class LinkEvidence:
    """Facts a diagnosis walks through, gathered by trying now what the engine does all day.

    Each field is None where it was not reached. `steps` are (check, result, evidence) in the
    order tried, `result` one of pass, fail, skipped.
    """

    device: str
    verdict: Connection
    sentence: str
    next: str
    steps: tuple[tuple[str, str, str], ...] = ()
