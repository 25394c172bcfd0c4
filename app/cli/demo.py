"""`plantroom demo`: the whole program on a simulated building, in a window or off screen."""

from __future__ import annotations

import json
import os
import queue
import shlex
import shutil
import subprocess
import sys
import threading
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import IO, TYPE_CHECKING, Any

from app.cli.arguments import Globals
from app.cli.holding import held_core
from app.cli.measuring import census, problems
from app.cli.opening import find_profile, is_demo_profile, take_or_ask
from app.cli.output import print_line
from app.cli.simulate import building_options, seconds
from app.control.wire import Answer, Request
from app.domain.errors import EnvironmentLacks, Refused
from app.runtime.clock import SystemClock
from app.runtime.threads import NamedThread
from app.settings.lock import busy
from app.settings.profile import Profile

if TYPE_CHECKING:
    from app.wiring import Core

OFFSCREEN_S = 60.0
READY_WITHIN_S = 60.0
PUSH_EVERY_S = 5.0
"""Often enough that a chart is seen to live."""


def configure(parser: ArgumentParser) -> None:
    """Add the options of `demo`."""
    building_options(parser, faults="demo", push_every_s=PUSH_EVERY_S)
    parser.add_argument(
        "--for", dest="for_s", type=seconds, metavar="S", help="off screen, end after S seconds"
    )
    parser.add_argument("--offscreen", action="store_true", help="no window, also with a display")


def stream(wishes: Namespace, options: Globals, load_window: Callable[[], ModuleType]) -> int:
    """Start a building, import it, and show it until the window is closed or the time is over.

    Raises:
        EnvironmentLacks: Qt is missing, or the building does not start.
        Refused: the folder holds a real profile, or another process has it open.
    """
    bootstrap = load_window()
    profile = _demo_profile(options)
    held = take_or_ask(profile, Request("raise"), SystemClock())
    if isinstance(held, Answer):
        if not held.document.get("raised"):
            raise busy(profile.data)
        print_line({"summary": True, "raised": True, "data": str(profile.data)})
        return 0
    _start_afresh(profile)
    # The core ends before the building does: its leaving is no loss of devices.
    with (
        _building(wishes, profile.data / "building.json") as building,
        held_core(profile, held, fast=True, window=True) as core,
    ):
        imported = core.importing.run(building.inventory)
        core.engage()
        told = {**imported.counts(), "data": str(profile.data), "net": building.net}
        print_line({"demo": "started", **told})
        return _show(bootstrap, core, wishes)


def has_display(environ: dict[str, str]) -> bool:
    """Whether a window could be seen; on Linux a display server says so."""
    if environ.get("QT_QPA_PLATFORM") in ("offscreen", "minimal"):
        return False
    if sys.platform != "linux":
        return True
    return bool(environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"))


def _show(bootstrap: ModuleType, core: Core, wishes: Namespace) -> int:
    if has_display(dict(os.environ)) and not wishes.offscreen and wishes.for_s is None:
        code: int = bootstrap.run_window(core, demo=True)
        return code
    code = bootstrap.run_offscreen(
        core,
        for_s=wishes.for_s or OFFSCREEN_S,
        screenshots=core.profile.screenshots,
        out=print_line,
    )
    print_line(
        {
            "summary": True,
            "devices": census(core),
            "problems": problems(core),
            "screenshots": str(core.profile.screenshots),
        }
    )
    return code


def _demo_profile(options: Globals) -> Profile:
    profile = find_profile(options, demo=True)
    if profile.in_use and not is_demo_profile(profile):
        raise Refused(
            "demo.real_profile",
            "This folder holds a real profile; the demo does not touch it.",
            where=str(profile.data),
            do="Name an empty folder with --data, or leave the option out.",
        )
    return profile


def _start_afresh(profile: Profile) -> None:
    """A demo building of another seed or size must not meet the devices of an earlier one."""
    for name in ("console.db", "history.db"):
        for ending in ("", "-wal", "-shm"):
            (profile.data / (name + ending)).unlink(missing_ok=True)
    for path in (profile.outbox_log, profile.key_file):
        path.unlink(missing_ok=True)
    shutil.rmtree(profile.blobs, ignore_errors=True)
    profile.prepare()


@dataclass(frozen=True, slots=True)
class _Building:
    """A simulated building that is ready."""

    inventory: Path
    net: int


@contextmanager
def _building(wishes: Namespace, export: Path) -> Iterator[_Building]:
    """The simulator as a process of its own, ended with the block, missed when it ends earlier."""
    process = subprocess.Popen(  # noqa: S603  our own program, no shell
        [*_simulate_command(wishes, export, wishes.net), "--with-parent"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # Ctrl-C is for the demo alone; the building then ends with it.
        start_new_session=True,
    )
    lines: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
    stdout = process.stdout
    assert stdout is not None
    reader = NamedThread("demo-building", lambda: _read_lines(stdout, lines))
    ended = threading.Event()
    reader.start()
    try:
        ready = _wait_ready(lines)
        building = _Building(Path(ready["inventory"]), int(ready["net"]))
        again = shlex.join(_simulate_command(wishes, export, building.net))
        NamedThread("demo-watch", lambda: _miss(process, ended, again)).start()
        yield building
    finally:
        ended.set()
        _end(process)
        reader.join(5.0)
        stdout.close()


def _simulate_command(wishes: Namespace, export: Path, net: int | None) -> list[str]:
    program = [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "app"]
    command = [*program, "simulate", "--devices", str(wishes.devices)]
    command += ["--gateways", str(wishes.gateways)]
    command += ["--faults", wishes.faults, "--export", str(export)]
    command += ["--push-every", str(wishes.push_every)]
    if wishes.seed is not None:
        command += ["--seed", str(wishes.seed)]
    if net is not None:
        command += ["--net", str(net)]
    return command


def _read_lines(stdout: IO[bytes], lines: queue.SimpleQueue[dict[str, Any] | None]) -> None:
    for line in stdout:
        try:
            lines.put(json.loads(line))
        except ValueError:
            continue
    lines.put(None)


def _wait_ready(lines: queue.SimpleQueue[dict[str, Any] | None]) -> dict[str, Any]:
    try:
        first = lines.get(timeout=READY_WITHIN_S)
    except queue.Empty:
        first = None
    if first and first.get("ready"):
        return first
    told = (first or {}).get("error", {})
    raise EnvironmentLacks(
        "demo.no_building",
        f"The simulated building did not start. {told.get('what', '')}".strip(),
        do=told.get("do") or "Run plantroom simulate to see why.",
    )


def _miss(process: subprocess.Popen[bytes], ended: threading.Event, again: str) -> None:
    """Say it once when the building ends while the demo goes on."""
    code = process.wait()
    if ended.is_set():
        return
    print_line(
        {
            "problem": "simulator_stopped",
            "sentence": f"The simulated building stopped (code {code}); its devices go offline. "
            f"Started again it is found by itself: {again}",
        }
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(5.0)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
