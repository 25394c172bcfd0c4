"""The engine on a thread of its own, named `lan`: what services and the window talk to."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import threading
from collections.abc import Callable, Coroutine, Iterable, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

from app.domain.errors import EnvironmentLacks
from app.domain.links import (
    Answer,
    Command,
    CommandResult,
    LinkEvidence,
    LinkSpec,
    LinkState,
    Sighting,
)
from app.domain.readings import Reading
from app.lan.engine import LanEngine
from app.lan.network import Network
from app.lan.pacing import Politeness
from app.runtime.clock import Clock
from app.runtime.events import AppFault, EventBus, LinksChanged
from app.runtime.threads import NamedThread

log = logging.getLogger(__name__)

R = TypeVar("R")
OPEN_FILES = 16_384
START_TIMEOUT_S = 10.0


class LanLink:
    """Implements `app.domain.ports.DeviceLink`. Every method may be called from any thread.

    `publish` and `changed` are called on thread `lan` and must only enqueue; the bus, where one
    is given, hears `LinksChanged` too. `on_network_change` is called there as well.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        publish: Callable[[Sequence[Reading]], None],
        changed: Callable[[frozenset[str]], None],
        politeness: Politeness | None = None,
        discovery: bool = True,
        bus: EventBus | None = None,
        on_network_change: Callable[[Network], None] | None = None,
    ) -> None:
        self._clock = clock
        self._publish = publish
        self._changed = changed
        self._politeness = politeness
        self._discovery = discovery
        self._bus = bus
        self._on_network_change = on_network_change
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._engine: LanEngine | None = None
        self._thread = NamedThread("lan", self._run, bus)

    def start(self) -> None:
        """Start the thread; returns when devices can be held.

        Raises:
            EnvironmentLacks: the loop could not be started on this computer.
        """
        raise_open_files()
        self._thread.start()
        self._ready.wait(START_TIMEOUT_S)
        if self._engine is None:
            raise EnvironmentLacks(
                "lan.no_loop",
                "The network engine could not start.",
                where="thread lan",
                do="The log says why; restart the program.",
            ) from self._thread.error

    def stop(self) -> None:
        """Close every socket with a FIN and end the thread."""
        if self._loop is not None and self._stop is not None and self._thread.is_alive():
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._stop.set)
        if self._thread.is_alive():
            self._thread.join_within(10.0)

    # -- app.domain.ports.DeviceLink -----------------------------------------------------

    def hold(self, specs: Iterable[LinkSpec]) -> None:
        """Make these the devices that are held: new ones connect, missing ones are let go."""
        engine, loop = self._running(), self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(engine.hold, tuple(specs))

    def states(self) -> dict[str, LinkState]:
        """The connection of every held device, by device id."""
        return {} if self._engine is None else self._engine.states()

    def send(self, command: Command) -> Future[CommandResult]:
        """Write once. The future never raises for what a device does; it says the outcome."""
        return self._ask(self._running().send(command))

    def read(self, device: str, dps: Sequence[str] = ()) -> Future[Answer]:
        """Ask afresh. The future raises DeviceFault when no answer comes."""
        return self._ask(self._running().read(device, tuple(dps)))

    def scan(self, cidr: str | None = None) -> Future[Sequence[Sighting]]:
        """Listen for announcements, and probe `cidr` by unicast at a bounded rate."""
        return self._ask(self._running().scan(cidr))

    def examine(self, device: str) -> Future[LinkEvidence]:
        """Try the device step by step and say where it ends."""
        return self._ask(self._running().examine(device))

    def network(self) -> Network:
        """The network this computer is on."""
        return self._running().network()

    @property
    def problems(self) -> tuple[str, ...]:
        """What the engine could not do, in sentences (a port it could not open)."""
        return () if self._engine is None else self._engine.problems

    # -- the thread ----------------------------------------------------------------------

    def _running(self) -> LanEngine:
        if self._engine is None:
            raise RuntimeError("the link is not started")
        return self._engine

    def _ask(self, work: Coroutine[Any, Any, R]) -> Future[R]:
        if self._loop is None or self._loop.is_closed():
            work.close()
            raise RuntimeError("the link is stopped")
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def _run(self) -> None:
        # The default loop of Windows is the Proactor, which has no limit of 512 sockets.
        with asyncio.Runner() as runner:
            try:
                runner.run(self._main())
            finally:
                self._ready.set()

    async def _main(self) -> None:
        self._stop = asyncio.Event()
        engine = LanEngine(
            clock=self._clock,
            publish=self._publish,
            changed=self._tell,
            politeness=self._politeness,
            discovery=self._discovery,
            on_network_change=self._on_network_change,
        )
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(self._failed)
        await engine.start()
        self._engine = engine
        self._ready.set()
        try:
            await self._stop.wait()
        finally:
            await engine.stop()

    def _failed(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:  # noqa: ARG002
        error = context.get("exception")
        log.error("Thread lan: %s", context.get("message"), exc_info=error)
        if self._bus is not None and error is not None:
            self._bus.publish(AppFault("lan", error))

    def _tell(self, devices: frozenset[str]) -> None:
        self._changed(devices)
        if self._bus is not None:
            self._bus.publish(LinksChanged(devices))


def raise_open_files() -> None:
    """Each device is an open file; Linux starts with 1,024 of them, macOS with 256."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - this module does not exist on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft < wanted:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
