"""What a reading costs from the engine's hand to the disk, beside the barest way to keep a row."""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from app.domain.readings import Reading
from app.live.values import LiveValues
from app.runtime.clock import SystemClock
from app.runtime.events import EventBus
from app.store.engines import Database
from app.store.history import HistoryStore
from app.store.history.chunk import decode_chunk, encode_chunk

T0 = 1_790_000_000_000
DEVICES = 1_000
SECONDS = 60
POINTS = ("18", "19", "20")
RUNS = 3
INGEST_GOAL = 3.0
PUBLISH_GOAL_US = 2.0
LOG_GOAL_BYTES = 8.0
CHUNK_GOAL_BYTES = 1.0
SECOND_READINGS = DEVICES * len(POINTS)


@cache
def frames() -> tuple[tuple[Reading, ...], ...]:
    """A minute of 1,000 devices that push three points a second: current, power, temperature."""
    seed = random.Random(1)
    made = []
    for second in range(SECONDS):
        for device in range(DEVICES):
            at_ms = T0 + second * 1_000 + device
            values = (seed.randrange(5_000), seed.randrange(1_300), 215 + seed.randrange(-2, 3))
            made.append(
                tuple(
                    Reading(f"bf{device:018d}", point, value, at_ms)
                    for point, value in zip(POINTS, values, strict=True)
                )
            )
    return tuple(made)


def cpu_us_each(work: Callable[[], int]) -> float:
    """CPU microseconds of this process, all its threads, per thing that `work` says it did."""
    began = time.process_time()
    done = work()
    return (time.process_time() - began) / done * 1e6


def ingest(folder: Path) -> tuple[float, float]:
    """CPU per reading through publish, tap, encoding and a commit a second; bytes on disk each."""
    store = HistoryStore(folder / "history.db", key=None, clock=SystemClock(), bus=EventBus())
    store.start()
    live = LiveValues(SystemClock())
    live.tap("history", store.put)

    def work() -> int:
        for number, frame in enumerate(frames(), 1):
            live.publish(frame)
            if number % DEVICES == 0 and not store.flush(60):
                raise RuntimeError("the readings were not committed")
        return store.counts["stored"]

    cost_us = cpu_us_each(work)
    stored, dropped = store.counts["stored"], store.dropped
    store.stop()
    if dropped or stored != SECONDS * SECOND_READINGS:
        raise RuntimeError(f"{stored} readings stored, {dropped} dropped")
    return cost_us, (folder / "history.db").stat().st_size / stored


def append_rows(folder: Path) -> float:
    """CPU per row of the floor: executemany without an index, as many rows a commit."""
    database = Database(folder / "rows.db", None, page_bytes=8_192)
    with database.writing() as connection:
        connection.execute("CREATE TABLE row(series INTEGER, at_ms INTEGER, value)")
    series: dict[tuple[str, str], int] = {}
    rows = [
        (series.setdefault((r.device, r.point), len(series)), r.at_ms, r.value)
        for frame in frames()
        for r in frame
    ]

    def work() -> int:
        for start in range(0, len(rows), SECOND_READINGS):
            with database.writing() as connection:
                connection.executemany(
                    "INSERT INTO row VALUES(?, ?, ?)", rows[start : start + SECOND_READINGS]
                )
        return len(rows)

    cost_us = cpu_us_each(work)
    database.close()
    return cost_us


def bench_ingest() -> dict[str, Any]:
    """From `LiveValues.publish` to the committed row: at most three times the bare row."""
    frames()
    costs, floors = [], []
    for _ in range(RUNS):
        with tempfile.TemporaryDirectory() as folder:
            costs.append(ingest(Path(folder))[0])
            floors.append(append_rows(Path(folder)))
    value, floor = statistics.median(costs), statistics.median(floors)
    return {
        "value": round(value, 3),
        "unit": "us CPU per reading",
        "floor": round(floor, 3),
        "ratio": round(value / floor, 2),
        "goal": f"at most {INGEST_GOAL:g}x a bare row appended without an index",
        "ok": value / floor <= INGEST_GOAL,
        "runs": [round(cost, 3) for cost in costs],
    }


def bench_log_bytes() -> dict[str, Any]:
    """What a reading takes on disk until its series is sealed."""
    with tempfile.TemporaryDirectory() as folder:
        _, value = ingest(Path(folder))
    return {
        "value": round(value, 2),
        "unit": "bytes per reading in the log",
        "goal": LOG_GOAL_BYTES,
        "ok": value <= LOG_GOAL_BYTES,
        "runs": [round(value, 2)],
    }


def bench_publish() -> dict[str, Any]:
    """One frame of one reading into LiveValues, with a tap and a screen that shows 40 devices."""
    singles = [(reading,) for frame in frames()[: 20 * DEVICES] for reading in frame]
    costs = []
    for _ in range(RUNS):
        live = LiveValues(SystemClock())
        waiting: list[Any] = []
        live.tap("list", waiting.append)
        live.watch().show(frame[0].device for frame in frames()[:40])

        def work(live: LiveValues = live) -> int:
            for single in singles:
                live.publish(single)
            return len(singles)

        costs.append(cpu_us_each(work))
    value = statistics.median(costs)
    return {
        "value": round(value, 3),
        "unit": "us CPU per frame of one reading",
        "goal": PUBLISH_GOAL_US,
        "ok": value <= PUBLISH_GOAL_US,
        "runs": [round(cost, 3) for cost in costs],
    }


def bench_chunk_bytes() -> dict[str, Any]:
    """Sealed chunks of 512 slowly moving values a minute apart, stamps in whole seconds."""
    seed = np.random.default_rng(1)
    sizes = []
    for _ in range(200):
        jitter = seed.integers(0, 1_500, 512)
        at_ms = (T0 + np.arange(512) * 60_000 + jitter).astype(np.int64)
        values = (215 + np.cumsum(seed.choice([-1, 0, 1], 512, p=[0.15, 0.7, 0.15]))).tolist()
        blob = encode_chunk(at_ms, values, np.zeros(512, np.uint8))
        if decode_chunk(blob).values != values:
            raise RuntimeError("a chunk did not come back as it was")
        sizes.append(len(blob))
    value = statistics.mean(sizes) / 512
    return {
        "value": round(value, 3),
        "unit": "bytes per reading in a chunk",
        "goal": CHUNK_GOAL_BYTES,
        "ok": value <= CHUNK_GOAL_BYTES,
        "runs": [round(value, 3)],
    }


BENCHES: dict[str, Callable[[], dict[str, Any]]] = {
    "history_ingest": bench_ingest,
    "history_log_bytes": bench_log_bytes,
    "history_chunk_bytes": bench_chunk_bytes,
    "live_publish": bench_publish,
}
