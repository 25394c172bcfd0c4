"""On and off for one point. Shows what the device reports, not what was wished."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.domain.errors import ConsoleError
from app.services.control import SetOutcome
from ui.bridge.console import Console
from ui.bridge.job_binding import JobBinding
from ui.pages.devices.state import Line, Point
from ui.pages.devices.words import outcome_sentence, value_word
from ui.widgets.labels import ElidedLabel, label
from ui.widgets.segments import Segments

_ON, _OFF = 0, 1


class SwitchRow(QWidget):
    """One writable on-off point: its name, two segments, and how the last command ended."""

    def __init__(self, console: Console, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._console = console
        self._line: Line | None = None
        self._dp = ""
        self._name = ElidedLabel()
        self._segments = Segments(("On", "Off"), "Switch")
        self._segments.setFixedWidth(150)
        self._outcome = label("", "caption")
        self._outcome.setWordWrap(True)
        self._outcome.hide()
        self._binding = JobBinding(self, self._on_result, self._on_error)
        self._segments.picked.connect(self._on_picked)
        self._arrange()

    @property
    def outcome(self) -> str:
        """What is said about the last command."""
        return self._outcome.text()

    @property
    def segments(self) -> Segments:
        """The two buttons."""
        return self._segments

    def show_point(self, line: Line, point: Point) -> None:
        """Show what this point of this device says now."""
        if self._line is None or self._line.device != line.device or self._dp != point.spec.dp:
            self._binding.release()
            self._say("")
        self._line, self._dp = line, point.spec.dp
        self._name.setText(point.name)
        self._segments.setAccessibleName(f"{point.name} of {line.name}")
        self._follow()

    def _arrange(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self._name, 1)
        row.addWidget(self._segments)
        column.addLayout(row)
        column.addWidget(self._outcome)

    def _point(self) -> Point | None:
        return self._line.points.get(self._dp) if self._line else None

    def _follow(self) -> None:
        point = self._point()
        if self._line is None or point is None:
            return
        if isinstance(point.raw, bool):
            self._segments.pick(_ON if point.raw else _OFF)
        else:
            self._segments.clear()
        self._segments.setEnabled(self._line.switchable and not self._binding.busy)

    @Slot(int)
    def _on_picked(self, at: int) -> None:
        point = self._point()
        if self._line is None or point is None or self._binding.busy:
            return
        device, label_, wish = self._line.device, point.label, at == _ON
        self._binding.bind(self._console.control.set(device, label_, wish))
        self._say("Asking the device…")
        self._follow()

    def _on_result(self, result: SetOutcome) -> None:
        point = self._point()
        if point is None:
            return
        asked = value_word(point.spec, result.asked)
        told = None if result.reported is None else value_word(point.spec, result.reported)
        self._say(outcome_sentence(result.outcome, asked, told, result.reason))
        self._follow()

    def _on_error(self, error: ConsoleError) -> None:
        self._say(error.sentence())
        self._follow()

    def _say(self, text: str) -> None:
        self._outcome.setText(text)
        self._outcome.setAccessibleName(text)
        self._outcome.setVisible(bool(text))
