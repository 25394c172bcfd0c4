"""The directory's rows for 1,000 devices, and how fast an inventory comes in."""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fakes.bench import Bench, row, running_bench

from app.domain.readings import Reading
from app.domain.words import Connection

DEVICES = 1_000
RUNS = 5
ROWS_GOAL_MS = 50.0
IMPORT_GOAL_MS = 10.0
"""CPU per device of an import: three records and their journal lines, about 3 ms each at most."""


@contextmanager
def _bench() -> Iterator[Bench]:
    with tempfile.TemporaryDirectory() as folder, running_bench(Path(folder)) as bench:
        yield bench


def _inventory(bench: Bench) -> Path:
    rows = [row(f"bf{n:04}", ip=f"127.9.{n // 250}.{n % 250 + 1}") for n in range(DEVICES)]
    path: Path = bench.folder / "inv.json"
    path.write_text(json.dumps(rows), "utf-8")
    return path


def _push(bench: Bench, at_ms: int) -> None:
    for n in range(DEVICES):
        device = f"bf{n:04}"
        bench.live.publish([Reading(device, dp, n + at_ms, at_ms) for dp in ("1", "9", "19", "20")])


def _cpu_ms(work: Callable[[], object]) -> float:
    started = time.process_time_ns()
    work()
    return (time.process_time_ns() - started) / 1e6


def rows() -> dict[str, Any]:
    """CPU of one `rows()` when every device reported since the last one."""
    with _bench() as bench:
        bench.importing.run(_inventory(bench))
        for n in range(DEVICES):
            bench.link.say(f"bf{n:04}", Connection.ONLINE)
        runs = []
        for n in range(RUNS):
            _push(bench, 1_000 + n)
            runs.append(_cpu_ms(bench.directory.rows))
    value = statistics.median(runs)
    return {
        "value": round(value, 1),
        "unit": "ms CPU, 1,000 devices, all changed",
        "goal": ROWS_GOAL_MS,
        "ok": value <= ROWS_GOAL_MS,
        "runs": [round(run, 1) for run in runs],
    }


def import_devices() -> dict[str, Any]:
    """CPU of importing one new device, of 1,000."""
    runs = []
    for _ in range(3):
        with _bench() as bench:
            path = _inventory(bench)
            runs.append(_cpu_ms(lambda path=path, bench=bench: bench.importing.run(path)) / DEVICES)
    value = statistics.median(runs)
    return {
        "value": round(value, 2),
        "unit": "ms CPU per new device",
        "goal": IMPORT_GOAL_MS,
        "ok": value <= IMPORT_GOAL_MS,
        "runs": [round(run, 2) for run in runs],
    }


BENCHES: dict[str, Callable[[], dict[str, Any]]] = {
    "directory_rows": rows,
    "import_devices": import_devices,
}
