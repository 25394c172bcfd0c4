"""Reads the directory on a jobs thread: soon after a change, at most once a second."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from app.domain.errors import ConsoleError
from app.runtime.jobs import Job
from ui.bridge.console import Console
from ui.bridge.job_binding import JobBinding
from ui.pages.devices.state import Line, make_lines

SOONEST_MS = 1_000
REGULAR_MS = 3_000
"""Also without a change: what is out of sight is not pumped, and counts must stay true."""
_CALM_ABOVE_LINES = 2_000
_CALM_MS = 10_000


class DeviceFeed(QObject):
    """`arrived` brings fresh lines, `failed` the error that kept them away."""

    arrived = Signal(list)
    failed = Signal(object)

    def __init__(self, console: Console, parent: QObject) -> None:
        super().__init__(parent)
        self._console = console
        self._again = False
        self._last: list[Line] = []
        self._binding = JobBinding(self, self._on_lines, self._on_error)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.timeout.connect(self._on_pause_over)
        self._regular = QTimer(self)
        self._regular.setInterval(REGULAR_MS)
        self._regular.timeout.connect(self.ask)

    def start(self) -> None:
        """Read now and regularly from now on."""
        self._regular.start()
        self.ask()

    def stop(self) -> None:
        """Read no more; an answer that is under way is dropped."""
        self._regular.stop()
        self._pause.stop()
        self._binding.release()

    @Slot()
    def ask(self) -> None:
        """Read soon; many calls make one reading."""
        if self._binding.busy or self._pause.isActive():
            self._again = True
            return
        self._again = False
        self._binding.bind(self._console.jobs.submit("Read the devices", self._read).future)

    def _read(self, _job: Job[Any]) -> list[Line]:
        return make_lines(self._console.directory.rows(), self._last)

    def _on_lines(self, lines: list[Line]) -> None:
        self._regular.setInterval(_CALM_MS if len(lines) > _CALM_ABOVE_LINES else REGULAR_MS)
        self._pause.start(SOONEST_MS)
        self._last = lines
        self.arrived.emit(lines)

    def _on_error(self, error: ConsoleError) -> None:
        self._pause.start(SOONEST_MS)
        self.failed.emit(error)

    @Slot()
    def _on_pause_over(self) -> None:
        if self._again:
            self.ask()
