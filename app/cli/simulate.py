"""`plantroom simulate`: a building of simulated devices, for demos, tests and measurements."""

from __future__ import annotations

import os
import signal
import sys
import threading
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from app.cli.arguments import Globals
from app.cli.output import print_line
from app.domain.errors import Cancelled
from app.runtime.threads import NamedThread


def configure(parser: ArgumentParser) -> None:
    """Add the options of `simulate`."""
    building_options(parser, faults="none", push_every_s=None)
    parser.add_argument("--record", type=Path, metavar="FILE", help="write every value sent")
    parser.add_argument("--export", type=Path, metavar="FILE", help="write the inventory")
    parser.add_argument("--lan", action="store_true", help="announce on real networks too")
    parser.add_argument("--speed", type=seconds, default=1.0, metavar="X", help="of its clock")
    parser.add_argument(
        "--for", dest="for_s", type=seconds, metavar="S", help="end after S seconds"
    )
    parser.add_argument(
        "--with-parent", action="store_true", help="end when standard input is closed"
    )


def building_options(parser: ArgumentParser, *, faults: str, push_every_s: float | None) -> None:
    """Add what says which building it is; `demo` takes the same, with other defaults."""
    parser.add_argument("--devices", type=count, default=200, help="devices with their own socket")
    parser.add_argument("--gateways", type=count, default=6, help="how many of them are gateways")
    parser.add_argument(
        "--seed", type=int, help="the same seed makes the same building; else the network chooses"
    )
    parser.add_argument(
        "--push-every",
        type=seconds,
        default=push_every_s,
        metavar="S",
        help="every device reports every S seconds",
    )
    parser.add_argument(
        "--faults", default=faults, metavar="none|demo|FILE", help="what is wrong in the building"
    )
    parser.add_argument("--net", type=int, metavar="N", help="second octet of the addresses, 127.N")


def stream(wishes: Namespace, options: Globals, load_window: Callable[[], ModuleType]) -> int:  # noqa: ARG001  same for every stream
    """Run the building until it is stopped."""
    from app.simulator.run import SimulateOptions, simulate  # noqa: PLC0415  a leaf, loaded late

    wanted = SimulateOptions(
        devices=wishes.devices,
        gateways=wishes.gateways,
        seed=wishes.seed,
        push_every_s=wishes.push_every,
        faults=wishes.faults,
        net=wishes.net,
        record=wishes.record,
        export=wishes.export,
        lan=wishes.lan,
        speed=wishes.speed,
    )
    with stop_signal() as stop:
        if wishes.with_parent:
            NamedThread("follow-parent", lambda: _follow_parent(stop)).start()
        return simulate(wanted, print_line, stop, wishes.for_s) or stop.exit_code


class Stop(threading.Event):
    """Set when the work is to end by itself; `exit_code` is 130 when Ctrl-C asked for it."""

    exit_code = 0

    def on_signal(self, number: int, _frame: object) -> None:
        """A handler of signals."""
        if number == signal.SIGINT:
            self.exit_code = Cancelled.exit_code
        self.set()


@contextmanager
def stop_signal() -> Iterator[Stop]:
    """An event that Ctrl-C and a polite kill set, for work that ends by itself then."""
    stop = Stop()
    before = {
        number: signal.signal(number, stop.on_signal) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def seconds(text: str) -> float:
    """A positive number of seconds (or of anything)."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e9:
        raise ArgumentTypeError(f"'{text}' is not a positive number")
    return value


def count(text: str) -> int:
    """A whole number that is not negative."""
    if not text.isdecimal() or len(text) > 6:
        raise ArgumentTypeError(f"'{text}' is not a whole number")
    return int(text)


def _follow_parent(stop: threading.Event) -> None:
    """Whoever started us holds the other end; it closes however that process ends.

    Read from the descriptor: a thread that waits inside `sys.stdin` holds a lock which the
    interpreter wants at its end.
    """
    while os.read(sys.stdin.fileno(), 4096):
        pass
    stop.set()
