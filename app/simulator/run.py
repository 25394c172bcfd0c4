"""`plantroom simulate`: a building from its options, its ready line, its end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.domain.errors import ConsoleError, EnvironmentLacks, InvalidRequest, StoreFault
from app.runtime.clock import Clock, SystemClock
from app.simulator import kinds
from app.simulator.building import Building
from app.simulator.control import ControlPort, read_fault
from app.simulator.endpoint import loopback_aliases
from app.simulator.plan import VERSIONS, BuildingPlan, PlannedDevice, inventory, make_plan
from app.simulator.site import Rules

if sys.platform != "win32":
    import resource

FIRST_NET, LAST_NET = 61, 250
SOCKETS_PER_DEVICE = 3
SPARE_SOCKETS = 200
STOP_POLL_S = 0.1
FAULTY = ("wrong_key", "held", "silent", "low_battery", "flapping", "overload")


@dataclass(frozen=True, slots=True)
class FaultAt:
    """A fault that is switched `after_s` seconds after the ready line."""

    device: str
    fault: str
    on: bool = True
    after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class SimulateOptions:
    """The flags of `plantroom simulate`. `faults` is `none`, `demo` or the path of a file.

    Without a `seed` the network chooses: simulators that run side by side are other buildings,
    since every console on this computer hears the announcements of all.
    """

    devices: int = 200
    gateways: int = 6
    seed: int | None = None
    push_every_s: float | None = None
    faults: str = "none"
    net: int | None = None
    record: Path | None = None
    export: Path | None = None
    lan: bool = False
    speed: float = 1.0
    # Not flags of the command line: how tests shape a building.
    versions: tuple[str, ...] = VERSIONS
    children: int = 8
    rules: Rules = field(default_factory=Rules)


def simulate(
    options: SimulateOptions,
    out: Callable[[dict[str, Any]], None],
    stop: threading.Event | None = None,
    for_s: float | None = None,
    clock: Clock | None = None,
) -> int:
    """Run until `stop` is set, `for_s` seconds have passed, or the process is asked to end.

    `out` gets the ready line first and the summary last. Returns the exit code.

    Raises:
        ConsoleError: an option is wrong, or this computer lacks something.
    """
    run = BuildingRun(options, clock or SystemClock())
    asyncio.run(_simulate(run, out, stop or threading.Event(), for_s))
    return 0


async def _simulate(
    run: BuildingRun,
    out: Callable[[dict[str, Any]], None],
    stop: threading.Event,
    for_s: float | None,
) -> None:
    loop = asyncio.get_running_loop()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError):
                loop.add_signal_handler(number, stop.set)
    try:
        out(await run.start())
        ended = asyncio.Event()
        _watch(loop, stop, ended, None if for_s is None else loop.time() + for_s)
        await ended.wait()
    finally:
        summary = await run.stop()
    out(summary)


def _watch(
    loop: asyncio.AbstractEventLoop,
    stop: threading.Event,
    ended: asyncio.Event,
    until_s: float | None,
) -> None:
    """A thread's event is asked now and then, since it cannot wake the loop."""
    if stop.is_set() or (until_s is not None and loop.time() >= until_s):
        ended.set()
    else:
        loop.call_later(STOP_POLL_S, _watch, loop, stop, ended, until_s)


class BuildingRun:
    """A building with its control port, inventory file and claim on a network."""

    def __init__(self, options: SimulateOptions, clock: Clock) -> None:
        _check(options)
        self._options = options
        self._clock = clock
        self._claim: socket.socket | None = None
        self._made_file: Path | None = None
        self._control: ControlPort | None = None
        self._building: Building | None = None
        self._started_ms = clock.now_ms()

    @property
    def building(self) -> Building:
        """The running building."""
        assert self._building is not None
        return self._building

    async def start(self) -> dict[str, Any]:
        """Open everything; returns the ready line.

        Raises:
            ConsoleError: an option is wrong, or this computer lacks something.
        """
        options = self._options
        _allow_sockets(options.devices * SOCKETS_PER_DEVICE + SPARE_SOCKETS)
        net = self._claim_net(options.net)
        plan = make_plan(
            options.devices,
            options.gateways,
            seed=seed_of(net) if options.seed is None else options.seed,
            net=net,
            sleepers=options.faults != "none",
            versions=options.versions,
            children=options.children,
        )
        if not loopback_aliases(net):
            for device in plan.devices:
                device.address, device.port = "127.0.0.1", 0
        faults, faulty = self._faults(plan)
        rules = options.rules
        rules.push_every_s, rules.speed = options.push_every_s, options.speed
        self._building = Building(
            plan, self._clock, rules=rules, record=options.record, lan=options.lan
        )
        await self._building.start()
        for each in faults:
            if each.after_s <= 0:
                await self._building.switch_fault(each.device, each.fault, each.on)
            else:
                self._building.site.agenda.after(each.after_s, self._later, each)
        self._control = ControlPort(self._building)
        await self._control.start()
        return self._ready(plan, net, faulty, self._export(plan))

    async def stop(self) -> dict[str, Any]:
        """Close everything; returns the summary."""
        summary: dict[str, Any] = {"summary": True, "pushes": 0, "values": 0}
        summary["for_s"] = round((self._clock.now_ms() - self._started_ms) / 1000, 3)
        if self._control is not None:
            await self._control.stop()
        if self._building is not None:
            await self._building.stop()
            summary["pushes"] = self._building.site.pushes
            summary["values"] = self._building.site.record.values
        if self._claim is not None:
            self._claim.close()
        if self._made_file is not None:
            self._made_file.unlink(missing_ok=True)
        return summary

    def _later(self, each: FaultAt) -> None:
        self.building.run(self.building.switch_fault(each.device, each.fault, each.on))

    def _claim_net(self, wanted: int | None) -> int:
        """A network nobody simulates in: a bound socket on its address 0.1 is the claim."""
        nets: Sequence[int] = range(FIRST_NET, LAST_NET + 1) if wanted is None else (wanted,)
        for net in nets:
            claim = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            try:
                claim.bind((f"127.{net}.0.1" if loopback_aliases(net) else "127.0.0.1", 6668))
            except OSError:
                claim.close()
                continue
            self._claim = claim
            return net
        raise EnvironmentLacks(
            "simulator.net",
            "The loopback network is in use by another simulator."
            if wanted is not None
            else "Every loopback network is in use by another simulator.",
            where=f"--net {wanted}" if wanted is not None else "--net",
            do="Leave --net out to take the first free one, or stop the other simulator.",
        )

    def _faults(self, plan: BuildingPlan) -> tuple[list[FaultAt], dict[str, list[str]]]:
        faulty: dict[str, list[str]] = {name: [] for name in FAULTY}
        if self._options.faults == "none":
            return [], faulty
        if self._options.faults == "demo":
            chosen = demo_faults(plan)
        else:
            chosen = read_faults(Path(self._options.faults))
        known = {d.id for d in plan.devices} | {c.id for d in plan.devices for c in d.children}
        for each in chosen:
            if each.device not in known:
                raise InvalidRequest(
                    "simulator.device",
                    f"There is no simulated device '{each.device}'.",
                    where=self._options.faults,
                    do="Use an id of the exported inventory of the same seed and counts.",
                )
            if each.on and each.after_s <= 0 and each.fault in faulty:
                faulty[each.fault].append(each.device)
        return chosen, faulty

    def _export(self, plan: BuildingPlan) -> Path:
        text = json.dumps(inventory(plan), ensure_ascii=False, indent=1)
        path = self._options.export
        try:
            if path is None:
                number, name = tempfile.mkstemp(prefix="plantroom-building-", suffix=".json")
                os.close(number)
                self._made_file = path = Path(name)
            path.write_text(text, "utf-8")
            if self._made_file is None:
                path.chmod(0o600)
        except OSError as error:
            raise StoreFault(
                "simulator.export",
                f"The inventory cannot be written: {error.strerror}.",
                where=str(path or "--export"),
                do="Name a file in a folder you may write to.",
            ) from None
        return path.resolve()

    def _ready(
        self, plan: BuildingPlan, net: int, faulty: dict[str, list[str]], path: Path
    ) -> dict[str, Any]:
        assert self._control is not None
        return {
            "ready": True,
            "devices": len(plan.devices),
            "gateways": sum(device.kind is kinds.GATEWAY for device in plan.devices),
            "sub_devices": plan.sub_devices,
            "net": net,
            "inventory": str(path),
            "control": self._control.url,
            "faulty": faulty,
            "sleepy": self.building.sleepy(),
        }


def seed_of(net: int) -> int:
    """The building that stands in a network where no seed was asked for; 1 in the first."""
    return (net - FIRST_NET) % LAST_NET + 1


def demo_faults(plan: BuildingPlan) -> list[FaultAt]:
    """A few things wrong, as in any building: each on another device, none where none fits."""
    taken: set[str] = set()

    def choose(fault: str, fits: Callable[[PlannedDevice], bool]) -> list[FaultAt]:
        for device in plan.devices:
            if device.id not in taken and not device.sleepy and fits(device):
                taken.add(device.id)
                return [FaultAt(device.id, fault)]
        return []

    def child(fault: str, fits: Callable[[kinds.Kind], bool]) -> list[FaultAt]:
        for gateway in plan.gateways:
            for each in gateway.children:
                if each.id not in taken and fits(each.kind):
                    taken.add(each.id)
                    return [FaultAt(each.id, fault)]
        return []

    strict = ("3.3", "3.4", "3.5")
    return [
        *(child("low_battery", lambda kind: kind is kinds.RADIATOR)),
        *(
            child("flapping", lambda kind: kind is kinds.DOOR)
            or choose("flapping", lambda d: d.kind is kinds.AIR)
        ),
        *choose("overload", lambda d: d.kind is kinds.PUMP),
        *choose("wrong_key", lambda d: d.kind is kinds.THERMOSTAT and d.version in strict),
        *choose("held", lambda d: d.kind is kinds.LIGHT),
        *choose("silent", lambda d: d.kind is kinds.SOCKET),
    ]


def read_faults(path: Path) -> list[FaultAt]:
    """The faults of a file: a list of `{"device","fault","on","after_s"}`.

    Raises:
        InvalidRequest: the file cannot be read or is not such a list.
    """
    try:
        rows = json.loads(path.read_text("utf-8"))
        if not isinstance(rows, list):
            raise TypeError
        return [FaultAt(*read_fault(row), after_s=float(row.get("after_s", 0))) for row in rows]
    except OSError as error:
        what = f"The file of faults cannot be read: {error.strerror}."
    except (ValueError, TypeError, RecursionError):
        what = "The file of faults is not a list of faults."
    except ConsoleError as error:
        what = error.what
    raise InvalidRequest(
        "simulator.faults_file",
        what,
        where=str(path),
        do='Write [{"device": "...", "fault": "frozen", "on": true, "after_s": 5}].',
    )


def _check(options: SimulateOptions) -> None:
    if options.net is not None and not 1 <= options.net <= 254:
        raise InvalidRequest(
            "simulator.net", f"{options.net} is no network.", where="--net", do="Choose 1 to 254."
        )
    if options.push_every_s is not None and not 0.01 <= options.push_every_s <= 86_400:
        raise InvalidRequest(
            "simulator.push_every",
            f"Devices cannot push every {options.push_every_s:g} s.",
            where="--push-every",
            do="Choose 0.01 to 86400 seconds.",
        )
    if not 0.001 <= options.speed <= 100_000:
        raise InvalidRequest(
            "simulator.speed",
            f"The building's clock cannot run {options.speed:g} times as fast.",
            where="--speed",
            do="Choose 0.001 to 100000.",
        )


def _allow_sockets(wanted: int) -> None:
    """Raise the soft limit of open files as far as `wanted` asks.

    Raises:
        EnvironmentLacks: the hard limit is lower.
    """
    if sys.platform == "win32":  # has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    least = wanted // SOCKETS_PER_DEVICE * 2
    ceiling = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if ceiling < least:
        raise EnvironmentLacks(
            "simulator.descriptors",
            f"This system allows {hard} open files a process; the building needs {least}.",
            where="ulimit -n",
            do="Raise the hard limit, or simulate fewer devices.",
        )
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (ceiling, hard))
