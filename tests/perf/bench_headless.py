"""The whole program as a site runs it: `run --headless` on 1,000 devices at one push a second.

Simulator and program are processes of their own on the same cores, so latency is that of a busy
laptop; the rush of the thousand connections at the start is in it. One building serves all figures.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from fakes.plantroom import Plantroom

DEVICES = 1_000
RUN_S = 40
RUNS = 3
LIVE_DEVICES = 200


@cache
def summaries() -> list[dict[str, Any]]:
    """What `run --headless` said of itself, three times on the same building."""
    with tempfile.TemporaryDirectory(prefix="plantroom-bench-") as folder:
        plantroom = Plantroom(Path(folder) / "data")
        inventory = Path(folder) / "devices.json"
        words = ["simulate", "--devices", DEVICES, "--gateways", 0, "--faults", "none"]
        words += ["--push-every", 1, "--export", inventory]
        with plantroom.running(*map(str, words)) as building:
            building.wait_line("ready")
            plantroom.json("devices", "import", str(inventory))
            run = ["run", "--headless", "--fast", "--for", str(RUN_S)]
            return [plantroom.run("--json", *run).lines[-1] for _ in range(RUNS)]


def figure(
    read: Callable[[dict[str, Any]], float], unit: str, goal: float
) -> Callable[[], dict[str, Any]]:
    """A bench of one number of the summary, which must not pass its goal."""

    def bench() -> dict[str, Any]:
        runs = [read(summary) for summary in summaries()]
        value = statistics.median(runs)
        line = {"value": value, "unit": unit, "goal": goal, "ok": value <= goal}
        return line | {"runs": runs}

    return bench


def all_live(line: dict[str, Any]) -> bool:
    """Whether this line of the demo tells of as many devices reached as have a socket.

    A battery sensor asleep within its time is as it should be.
    """
    states = line.get("by_state", {})
    return states.get("online", 0) + states.get("asleep", 0) >= LIVE_DEVICES


def demo_live() -> dict[str, Any]:
    """From the start of `demo` until it tells of 200 devices reached, the set-up left out.

    The demo tells what it sees every five seconds, so the figure is right to five seconds.
    """
    runs = []
    for _ in range(RUNS):
        with tempfile.TemporaryDirectory(prefix="plantroom-bench-") as folder:
            plantroom = Plantroom(Path(folder))
            began_s = time.monotonic()
            words = ["demo", "--offscreen", "--for", "60", "--devices", str(LIVE_DEVICES)]
            with plantroom.running(*words) as demo, demo.news:
                live = demo.news.wait_for(lambda: any(map(all_live, demo.lines)), 60.0)
            if not live:
                raise TimeoutError(f"not live in 60 s; the last it said: {demo.lines[-1:]}")
            runs.append(round(time.monotonic() - began_s, 1))
    value = statistics.median(runs)
    return {"value": value, "unit": "s", "goal": 30, "ok": value <= 30, "runs": runs}


BENCHES = {
    "headless_rss_mb": figure(lambda said: said["rss_mb"], "MB", 200),
    "headless_dropped": figure(lambda said: said["dropped"], "readings", 0),
    "headless_p99_ms": figure(lambda said: said["latency_ms"]["p99"], "ms", 50),
    "demo_live_s": demo_live,
}
