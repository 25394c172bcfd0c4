"""What the window costs the main thread: live updates at 5,000 a second, and 10,000 fresh rows."""

from __future__ import annotations

import os
import statistics
import time
from typing import Any

from app.domain.readings import Reading
from app.live.values import LiveValues
from app.runtime.clock import ManualClock

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

DEVICES = 10_000
UPDATES = 5_000
"""One second's readings of a large estate."""
PULLS = 15
RUNS = 3
FRAME_MS = 16.0


def table_update() -> dict[str, Any]:
    """CPU per update with the table open, against publishing alone, in microseconds."""
    from fakes.window_core import WindowCore, building

    page, core, close = _page(WindowCore, building)
    batches = _batches(core.clock.now_ms())
    runs, floors = [], []
    for _ in range(RUNS):
        bare = LiveValues(ManualClock())
        _publish(bare, batches)
        floors.append(_cpu_us(_publish, bare, batches))
        runs.append(_cpu_us(_publish_and_pull, core.live, batches, page))
    close()
    value, floor = statistics.median(runs), statistics.median(floors)
    ratio = value / floor
    return {
        "value": round(value, 3),
        "unit": "us/update",
        "floor": round(floor, 3),
        "ratio": round(ratio, 2),
        "goal": "at most 4x publishing alone",
        "ok": ratio <= 4.0,
        "runs": [round(run, 3) for run in runs],
    }


def fresh_rows() -> dict[str, Any]:
    """Main-thread milliseconds to take 10,000 fresh rows, filtered and sorted."""
    return _step("take")


def sort_rows() -> dict[str, Any]:
    """Main-thread milliseconds to sort 10,000 rows by reading."""
    return _step("sort")


def filter_rows() -> dict[str, Any]:
    """Main-thread milliseconds to filter 10,000 rows by words."""
    return _step("filter")


def _step(what: str) -> dict[str, Any]:
    from fakes.window_core import WindowCore, building

    from ui.pages.devices.state import Column, make_lines

    page, core, close = _page(WindowCore, building)
    runs = []
    for run in range(RUNS):
        lines = make_lines(core.directory.rows())
        begin = time.thread_time()
        if what == "take":
            page.model.replace(lines)
        elif what == "sort":
            page.model.arrange(sort=Column.READING, descending=bool(run % 2))
        else:
            page.model.arrange(words=f"level {run}")
        runs.append((time.thread_time() - begin) * 1000)
    close()
    value = statistics.median(runs)
    return {
        "value": round(value, 2),
        "unit": "ms",
        "goal": FRAME_MS,
        "ok": value <= FRAME_MS,
        "runs": [round(run, 2) for run in runs],
    }


def _page(core_type: Any, building: Any) -> tuple[Any, Any, Any]:
    from ui.bootstrap import make_application
    from ui.pages.devices.page import DevicesPage
    from ui.pages.devices.state import make_lines

    _, theme = make_application()
    core = core_type()
    core.directory.list = building(DEVICES - 12)
    core.jobs.start()
    page = DevicesPage(core.console(), theme, None)
    page.resize(1356, 816)
    page.model.replace(make_lines(core.directory.rows()))
    page._stack.setCurrentWidget(page.table)
    page.grab()
    page._follow_window()
    page.pump._watch.show(page.pump.shown)

    def close() -> None:
        page.close_page()
        core.jobs.stop()
        page.deleteLater()

    return page, core, close


def _batches(now_ms: int) -> list[list[Reading]]:
    readings = [Reading(f"room{n % DEVICES}", "1", 200 + n % 40, now_ms) for n in range(UPDATES)]
    size = UPDATES // PULLS
    return [readings[at : at + size] for at in range(0, UPDATES, size)]


def _publish(live: LiveValues, batches: list[list[Reading]]) -> None:
    for batch in batches:
        live.publish(batch)


def _publish_and_pull(live: LiveValues, batches: list[list[Reading]], page: Any) -> None:
    for batch in batches:
        live.publish(batch)
        page.pump.pull()


def _cpu_us(work: Any, *arguments: Any) -> float:
    rounds = 5
    begin = time.process_time()
    for _ in range(rounds):
        work(*arguments)
    return (time.process_time() - begin) * 1e6 / (UPDATES * rounds)


BENCHES = {
    "ui_table_update": table_update,
    "ui_fresh_rows": fresh_rows,
    "ui_sort_rows": sort_rows,
    "ui_filter_rows": filter_rows,
}
