"""Fetches the minutes before now from the history, off the main thread, for the chart."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QObject

from app.domain.errors import ConsoleError
from app.domain.readings import Value
from app.runtime.jobs import Job
from ui.bridge.console import Console
from ui.bridge.job_binding import JobBinding
from ui.pages.devices.state import Line

log = logging.getLogger(__name__)

Heard = Callable[[str, str, Sequence[int], Sequence[Value]], None]


class Past(QObject):
    """One question at a time; a chart without an answer draws what comes from now on."""

    def __init__(self, console: Console, heard: Heard, parent: QObject) -> None:
        super().__init__(parent)
        self._console = console
        self._heard = heard
        self._asked = ("", "")
        self._binding = JobBinding(self, self._on_rows, self._on_error)

    def ask(self, line: Line, dp: str, from_ms: int) -> None:
        """Ask for this point's readings since `from_ms` (UTC milliseconds)."""
        device, label = line.device, line.points[dp].label if dp in line.points else f"dp:{dp}"
        self._asked = (device, dp)
        past = self._console.past

        def read(_job: Job[Any]) -> Any:
            return past(device, label, from_ms)

        self._binding.bind(self._console.jobs.submit("Read the chart's past", read).future)

    def release(self) -> None:
        """The answer is no longer wanted."""
        self._binding.release()

    def _on_rows(self, rows: tuple[Sequence[int], Sequence[Value]]) -> None:
        self._heard(*self._asked, *rows)

    def _on_error(self, error: ConsoleError) -> None:
        log.warning("The chart begins now: %s", error.code)
