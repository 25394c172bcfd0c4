"""The window's tour without a display: looks at the building, says what it sees, takes pictures."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QPoint, QTimer, Signal, Slot
from PySide6.QtGui import QCursor

from app.domain.errors import StoreFault
from app.domain.instants import iso
from ui.pages.devices.state import Line
from ui.pages.devices.words import Group
from ui.shell.window import MainWindow
from ui.theme.theme import Theme

log = logging.getLogger(__name__)

_SAY_EVERY_MS = 5_000
_SETTLE_MS = 700
"""Long enough for a repaint and a live value after each change of the view."""
_MOST_TOLD = 6


class Tour(QObject):
    """Runs for `for_s` seconds, pictures included, then emits `finished`."""

    finished = Signal()

    def __init__(
        self,
        window: MainWindow,
        theme: Theme,
        *,
        for_s: float,
        folder: Path,
        out: Callable[[dict[str, Any]], None],
    ) -> None:
        super().__init__(window)
        self._window = window
        self._theme = theme
        self._folder = folder
        self._out = out
        self._saved: list[str] = []
        self._steps: list[Callable[[], None]] = [
            self._prepare_light,
            self._shoot("devices_light"),
            self._prepare_dark,
            self._shoot("devices_dark"),
            self._prepare_attention,
            self._shoot("attention_light"),
            self._prepare_small,
            self._shoot("devices_light_1280x720"),
        ]
        self._say_timer = QTimer(self)
        self._say_timer.setInterval(_SAY_EVERY_MS)
        self._say_timer.timeout.connect(self._say)
        self._step_timer = QTimer(self)
        self._step_timer.setInterval(_SETTLE_MS)
        self._step_timer.timeout.connect(self._step)
        self._pick_timer = QTimer(self)
        self._pick_timer.setSingleShot(True)
        self._pick_timer.timeout.connect(self._pick)
        tour_ms = _SETTLE_MS * (len(self._steps) + 1)
        self._begin_ms = max(1_000, round(for_s * 1000) - tour_ms)

    def start(self) -> None:
        """Look around for a while, then take the pictures."""
        # Off screen the pointer starts at the top left and would hover there in every picture.
        QCursor.setPos(QPoint(5000, 5000))
        self._theme.choose(dark=False)
        self._window.resize(1440, 900)
        self._say_timer.start()
        self._pick_timer.start(min(8_000, self._begin_ms // 2))
        QTimer.singleShot(self._begin_ms, self._step_timer.start)

    @Slot()
    def _say(self) -> None:
        self._out(self._seen())

    def _seen(self) -> dict[str, Any]:
        lines = self._window.devices.model.ledger.lines
        total, attention, asleep, unobserved = self._window.devices.model.ledger.counts()
        worst = sorted((line for line in lines if line.attention), key=_by_rank)[:_MOST_TOLD]
        return {
            "devices": total,
            "by_state": dict(Counter(line.row.connection.value for line in lines)),
            "needs_attention": attention,
            "asleep": asleep,
            "not_observed": unobserved,
            "newest_reading": iso(self._window.devices.newest_ms),
            "faults": [f"{line.name}: {line.sentence or line.concern}" for line in worst],
        }

    @Slot()
    def _step(self) -> None:
        if self._steps:
            self._steps.pop(0)()
            return
        self._step_timer.stop()
        self._say_timer.stop()
        self._say()
        self._out({"screenshots": self._saved})
        self.finished.emit()

    @Slot()
    def _pick(self) -> None:
        """Choose a running machine with something to switch, so that the line has time to grow."""
        lines = self._window.devices.model.ledger.lines
        best = max(lines, key=_worth_a_look, default=None)
        if best is not None:
            self._window.devices.select(best.device)

    def _prepare_light(self) -> None:
        self._theme.choose(dark=False)
        self._window.devices.table.scrollToTop()

    def _prepare_dark(self) -> None:
        self._theme.choose(dark=True)

    def _prepare_attention(self) -> None:
        self._theme.choose(dark=False)
        self._window.devices.show_group(Group.ATTENTION)
        self._window.devices.table.select_first()

    def _prepare_small(self) -> None:
        self._window.resize(1280, 720)
        self._window.devices.show_group(Group.ALL)
        self._pick()
        self._window.devices.table.scrollToTop()

    def _shoot(self, name: str) -> Callable[[], None]:
        def shoot() -> None:
            self._folder.mkdir(parents=True, exist_ok=True)
            path = self._folder / f"{name}.png"
            if not self._window.grab().save(str(path)):
                raise StoreFault(
                    "screenshot.not_saved",
                    "A screenshot could not be written.",
                    where=str(path),
                    do="Look at the free disk space and the folder's rights.",
                )
            self._saved.append(str(path))

        return shoot


def _by_rank(line: Line) -> int:
    return line.rank


def _worth_a_look(line: Line) -> tuple[bool, bool, float]:
    point = line.headline
    live = not line.sentence and point is not None and point.raw is not None
    power = live and point is not None and point.spec.code == "cur_power"
    switch = any(each.switchable for each in line.points.values())
    draws = point.raw if power and point is not None and isinstance(point.raw, int) else 0
    return live and switch, power, float(draws)
