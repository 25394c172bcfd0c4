"""What the window needs of the core, and nothing more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from app.domain.readings import Reading, Value
from app.runtime.clock import Clock
from app.runtime.events import EventBus
from app.runtime.jobs import JobRunner
from app.services.views import DeviceRow


class Settling(Protocol):
    """Something that ends some time: a `concurrent.futures.Future`."""

    def add_done_callback(self, fn: Callable[[Any], object], /) -> None:
        """Call `fn` with this object once it is settled."""

    def result(self, timeout: float | None = None) -> Any:
        """The outcome, or what was raised."""


class Watch(Protocol):
    """The window's own view on live values: only what is shown and has changed."""

    def show(self, devices: Iterable[str]) -> None:
        """Follow these devices and no others."""

    def take(self) -> Mapping[tuple[str, str], Reading]:
        """What changed among them since the last call, by device and point."""

    def close(self) -> None:
        """Follow nothing any more."""


class Live(Protocol):
    """Where values arrive, for reading only."""

    def watch(self) -> Watch:
        """A new view, which follows nothing yet."""

    def latest(self, device: str) -> Mapping[str, Reading]:
        """The last reading of every point of a device."""

    def keep_recent(self, device: str, point: str) -> Callable[[], None]:
        """Keep this point's readings from now on, up to a bound; returns the way to let go."""

    @property
    def counts(self) -> Mapping[str, int]:
        """`published` is how many readings came in since the start."""

    def recent(self, device: str, point: str) -> tuple[Sequence[int], Sequence[Value]]:
        """Times in UTC milliseconds and raw values kept since `keep_recent`."""


class Directory(Protocol):
    """Every device with what is decided and what is observed about it."""

    def rows(self) -> Sequence[DeviceRow]:
        """All of them. Takes time: never called on the main thread."""


class Control(Protocol):
    """Wishes on their way down to a device."""

    def set(self, device: str, point: str, value: Value) -> Settling:
        """Write once, off the main thread; ends with a SetOutcome, or raises why not tried."""


Past = Callable[[str, str, int], tuple[Sequence[int], Sequence[Value]]]
"""Device, point and UTC milliseconds to times and raw values since then. Takes time."""


@dataclass(frozen=True, slots=True)
class Console:
    """The core as the window sees it; made in `ui.bootstrap`, or small and real in a test."""

    clock: Clock
    bus: EventBus
    jobs: JobRunner
    live: Live
    directory: Directory
    control: Control
    past: Past
