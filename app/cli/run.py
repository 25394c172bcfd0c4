"""`plantroom run --headless`: hold every device without a window, until stopped."""

from __future__ import annotations

import threading
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any

from app.cli.arguments import Globals
from app.cli.holding import held_core
from app.cli.measuring import Meter, census, problems, stamp_points
from app.cli.opening import find_profile, take_or_ask
from app.cli.output import print_line
from app.cli.simulate import seconds, stop_signal
from app.control.wire import Answer, Request
from app.domain.errors import InvalidRequest, Refused
from app.domain.instants import iso
from app.runtime.clock import SystemClock

if TYPE_CHECKING:
    from app.wiring import Core

PROGRESS_S = 10.0


def configure(parser: ArgumentParser) -> None:
    """Add the options of `run`."""
    parser.add_argument("--headless", action="store_true", help="without a window")
    parser.add_argument(
        "--for", dest="for_s", type=seconds, metavar="S", help="end after S seconds"
    )
    parser.add_argument(
        "--fast", action="store_true", help="connect as fast as possible; for networks of your own"
    )


def stream(wishes: Namespace, options: Globals, load_window: Callable[[], ModuleType]) -> int:  # noqa: ARG001  same for every stream
    """Hold the profile's devices; prints a line now and then, the summary last.

    Raises:
        Refused: another process has the profile.
    """
    if not wishes.headless:
        raise InvalidRequest(
            "run.headless", "Only `run --headless` exists.", do="Without a command a window opens."
        )
    # From here on a stop is a summary, also while the core is still starting.
    with stop_signal() as stop:
        profile = find_profile(options)
        held = take_or_ask(profile, Request("hello"), SystemClock())
        if isinstance(held, Answer):
            raise Refused(
                "profile.busy",
                f"Another Plantroom (process {held.document.get('pid')}) has this profile open.",
                where=str(profile.data),
                do="Use that one; commands reach it by themselves. Or stop it first.",
                retry=True,
            )
        with held_core(profile, held, fast=wishes.fast) as core:
            _hold(core, stop, wishes.for_s)
    return stop.exit_code


def _hold(core: Core, stop: threading.Event, for_s: float | None) -> None:
    specs = core.directory.specs()
    meter = Meter(core.clock, stamp_points(specs))
    end = core.live.tap("run", meter.tap)
    core.engage()
    print_line({"started": True, "at": iso(core.clock.now_ms()), "devices": len(specs)})
    deadline_s = None if for_s is None else core.clock.monotonic_s() + for_s
    while not stop.is_set():
        left_s = None if deadline_s is None else deadline_s - core.clock.monotonic_s()
        if left_s is not None and left_s <= 0:
            break
        pause_s = PROGRESS_S if left_s is None else min(PROGRESS_S, left_s)
        if not stop.wait(pause_s) and pause_s == PROGRESS_S:
            print_line(_progress(core, meter))
    last = {"devices": census(core), "problems": problems(core)}
    stopped_ms = core.stop_taking()
    end()
    print_line(_summary(core, meter, last, stopped_ms))


def _progress(core: Core, meter: Meter) -> dict[str, Any]:
    figures = meter.figures(core.recording.taken)
    return {
        "at": iso(core.clock.now_ms()),
        "devices": census(core),
        "readings": figures["readings"],
        "readings_per_s": figures["readings_per_s"],
    }


def _summary(core: Core, meter: Meter, last: dict[str, Any], stopped_ms: int) -> dict[str, Any]:
    figures = meter.figures(core.recording.taken)
    return {
        "summary": True,
        "for_s": figures["for_s"],
        "devices": last["devices"],
        "readings": figures["readings"],
        "readings_per_s": figures["readings_per_s"],
        "latency_ms": figures["latency_ms"],
        "dropped": core.dropped(),
        "cpu_share": figures["cpu_share"],
        "rss_mb": figures["rss_mb"],
        "stopped_at": iso(stopped_ms),
        "problems": last["problems"],
    }
