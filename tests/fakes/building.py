"""A simulated building for tests: on a thread of its own in this process, or outside it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.runtime.clock import Clock, SystemClock
from app.simulator.building import Building
from app.simulator.run import BuildingRun, SimulateOptions
from app.simulator.site import Rules

START_S = 20.0


@dataclass
class RunningBuilding:
    """The ready line as attributes, the inventory, and the control port.

    `building` and `loop` are those of a building in this process, None for a subprocess.
    """

    ready: dict[str, Any]
    building: Building | None = None
    loop: asyncio.AbstractEventLoop | None = None
    process: subprocess.Popen[str] | None = None
    rows: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.inventory = Path(self.ready["inventory"])
        self.rows = json.loads(self.inventory.read_text("utf-8"))
        self.control: str = self.ready["control"]
        self.net: int = self.ready["net"]

    @property
    def devices(self) -> list[dict[str, Any]]:
        """Inventory rows of devices with a socket of their own."""
        return [row for row in self.rows if "parent" not in row]

    @property
    def children(self) -> list[dict[str, Any]]:
        """Inventory rows of sub-devices."""
        return [row for row in self.rows if "parent" in row]

    def of_version(self, version: str) -> dict[str, Any]:
        """The first plain device of a protocol version (no gateway)."""
        return next(r for r in self.devices if r["version"] == version and r["category"] != "wg2")

    def of_category(self, category: str) -> dict[str, Any]:
        """The first device or sub-device of a category."""
        return next(row for row in self.rows if row["category"] == category)

    def fault(self, device: str, name: str, on: bool = True) -> None:
        """Switch a fault through the control port; raises AssertionError with the sentence."""
        status, answer = self.post({"device": device, "fault": name, "on": on})
        assert status == 200, answer

    def post(self, wish: object) -> tuple[int, dict[str, Any]]:
        """(status, answer) of POST /faults."""
        body = wish if isinstance(wish, bytes) else json.dumps(wish).encode()
        return self._ask(urllib.request.Request(f"{self.control}/faults", body, method="POST"))

    def state(self) -> dict[str, Any]:
        """GET /state."""
        return self._ask(urllib.request.Request(f"{self.control}/state"))[1]

    def device_state(self, device: str) -> dict[str, Any]:
        """One device's part of the state."""
        return self.state()["devices"][device]

    def _ask(self, request: urllib.request.Request) -> tuple[int, dict[str, Any]]:
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine on the building's loop and wait for it (in this process only)."""
        assert self.loop is not None
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(10)

    def kill(self) -> None:
        """End a subprocess as a crash does."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)


def plan_options(
    devices: int = 8,
    gateways: int = 0,
    faults: str | list[dict[str, Any]] = "none",
    **options: Any,
) -> SimulateOptions:
    """Options for a building of seed 1. A list of faults is switched on by `running_building`."""
    options.setdefault("seed", 1)
    return SimulateOptions(
        devices=devices,
        gateways=gateways,
        faults=faults if isinstance(faults, str) else "none",
        **options,
    )


@contextmanager
def running_building(
    devices: int = 8,
    gateways: int = 0,
    faults: str | list[dict[str, Any]] = "none",
    *,
    clock: Clock | None = None,
    rules: Rules | None = None,
    **options: Any,
) -> Iterator[RunningBuilding]:
    """A building in this process. `options` are those of SimulateOptions (seed, push_every_s, ...).

    `faults` is `none`, `demo`, a path, or a list of `{"device","fault"}` switched on at once.
    """
    chosen = plan_options(devices, gateways, faults, rules=rules or Rules(), **options)
    run = BuildingRun(chosen, clock or SystemClock())
    ready: dict[str, Any] = {}
    failure: list[BaseException] = []
    started, stop = threading.Event(), threading.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def main() -> None:
        loops.append(asyncio.get_running_loop())
        ended = asyncio.Event()
        try:
            ready.update(await run.start())
            started.set()
            loops[0].call_later(0, _poll, stop, ended)
            await ended.wait()
        except BaseException as error:
            failure.append(error)
            raise
        finally:
            await run.stop()
            started.set()

    def work() -> None:
        try:
            asyncio.run(main())
        except BaseException as error:  # noqa: BLE001 - handed to the test that started the building
            failure.append(error)

    thread = threading.Thread(target=work, name="building")
    thread.start()
    try:
        assert started.wait(START_S), "the building did not start"
        if failure:
            raise failure[0]
        running = RunningBuilding(ready, run.building, loops[0])
        if not isinstance(faults, str):
            for each in faults:
                running.fault(each["device"], each["fault"], each.get("on", True))
        yield running
    finally:
        stop.set()
        thread.join(START_S)


def _poll(stop: threading.Event, ended: asyncio.Event) -> None:
    if stop.is_set():
        ended.set()
    else:
        asyncio.get_running_loop().call_later(0.02, _poll, stop, ended)


@contextmanager
def building_process(*flags: str) -> Iterator[RunningBuilding]:
    """A building as a process of its own: `plantroom simulate` with these flags."""
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "--json", "simulate", *flags],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    try:
        yield RunningBuilding(json.loads(process.stdout.readline()), process=process)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)
        process.stdout.close()
