"""Everything about the selected device: state in words, control, all points, how it is reached."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.domain.categories import category
from ui.bridge.console import Console
from ui.pages.devices.point_row import PointRow
from ui.pages.devices.state import Line, Point
from ui.pages.devices.switch_row import SwitchRow
from ui.pages.devices.words import PATH_WORDS, age_word
from ui.theme.icons import icon
from ui.theme.theme import Theme
from ui.widgets.chip import Chip
from ui.widgets.labels import ElidedLabel, label, rule

WIDTH_PX = 300
DRAWER_PX = 320
_MAX_SWITCHES = 4
_FACTS = ("Site", "Place", "Path", "Address", "Protocol", "Last report", "Next due")


class Inspector(QFrame):
    """`point_picked` names the data point to draw; `closed` asks to put the drawer away."""

    point_picked = Signal(str)
    closed = Signal()

    def __init__(self, console: Console, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._console = console
        self._theme = theme
        self._line: Line | None = None
        self._rows: dict[str, PointRow] = {}
        self._switches: dict[str, SwitchRow] = {}
        self._group = QButtonGroup(self)
        self.setObjectName("inspector")
        self.setAccessibleName("Selected device")
        self._title = label("", "section")
        self._title.setWordWrap(True)
        self._measured = ElidedLabel("", "caption")
        self._chip = Chip(theme)
        self._since = label("", "caption")
        self._value = label("", "reading")
        self._unit = label("", "dim")
        self._sentence = label("", "dim")
        self._sentence.setWordWrap(True)
        self._facts = {name: ElidedLabel("", "value") for name in _FACTS}
        self._close = QPushButton()
        self._close.setObjectName("flat")
        self._close.setFixedSize(32, 32)
        self._close.setAccessibleName("Close the panel")
        self._close.clicked.connect(self.closed)
        self._control_box, self._control = self._section("Control")
        self._control_note = label("Cannot be switched while the device is not reached.", "caption")
        self._control_note.setWordWrap(True)
        self._control.addWidget(self._control_note)
        self._points_box, self._points = self._section("Readings")
        self._points.setSpacing(0)
        self._arrange()
        self._tint()
        theme.changed.connect(self._tint)

    @property
    def line(self) -> Line | None:
        """The device that is shown."""
        return self._line

    @property
    def switches(self) -> list[SwitchRow]:
        """The switches that are shown."""
        return list(self._switches.values())

    @property
    def point_rows(self) -> list[PointRow]:
        """The points that are shown."""
        return list(self._rows.values())

    def set_drawer(self, *, drawer: bool) -> None:
        """Look like a drawer over the page, or like a panel beside it."""
        self._close.setVisible(drawer)
        if self.property("drawer") != drawer:
            self.setProperty("drawer", drawer)
            self.style().unpolish(self)
            self.style().polish(self)

    def show_line(self, line: Line, charted: str) -> None:
        """Show this device from now on; `charted` is the data point that is drawn."""
        fresh = self._line is None or self._line.device != line.device
        self._line = line
        if fresh or list(line.points) != list(self._rows):
            self._rebuild(line)
        self.refresh()
        self.mark(charted)

    def mark(self, charted: str) -> None:
        """Mark the point that is on the chart."""
        row = self._rows.get(charted)
        if row is not None:
            row.setChecked(True)

    def refresh(self) -> None:
        """Show what the line says now."""
        line = self._line
        if line is None:
            return
        now_ms = self._console.clock.now_ms()
        self._title.setText(line.name)
        self._measured.setText(_measured(line))
        self._chip.show_status(line.status.word, line.status.shape, line.status.style)
        since_ms = line.row.since_ms
        self._since.setText("" if since_ms is None else f"for {age_word(now_ms - since_ms)}")
        self._show_headline(line.headline)
        told = [text for text in (line.sentence, line.concern) if text]
        self._sentence.setText("\n".join(told))
        self._sentence.setVisible(bool(told))
        for dp, row in self._rows.items():
            row.show_point(line.points[dp], now_ms)
        for dp, switch in self._switches.items():
            switch.show_point(line, line.points[dp])
        self._control_note.setHidden(line.switchable)
        self._show_facts(line, now_ms)

    def _show_headline(self, point: Point | None) -> None:
        self._value.setText("" if point is None or point.raw is None else point.word)
        self._unit.setText("" if point is None or point.raw is None else point.unit)

    def _show_facts(self, line: Line, now_ms: int) -> None:
        row = line.row
        last, due = line.last_report_ms, row.next_expected_ms
        self._facts["Site"].setText(row.site)
        self._facts["Place"].setText(line.place)
        self._facts["Path"].setText(PATH_WORDS[row.path])
        self._facts["Address"].setText(row.ip or ("Through its gateway" if row.parent else "–"))
        self._facts["Protocol"].setText(row.version or "–")
        self._facts["Last report"].setText(
            "Never" if last is None else f"{age_word(now_ms - last)} ago"
        )
        self._facts["Next due"].setText(_due(due, now_ms))

    def _rebuild(self, line: Line) -> None:
        for switch in self._switches.values():
            self._control.removeWidget(switch)
            switch.hide()
            switch.deleteLater()
        for row in self._rows.values():
            self._group.removeButton(row)
            self._points.removeWidget(row)
            row.hide()
            row.deleteLater()
        self._switches = {}
        self._rows = {}
        for dp, point in line.points.items():
            if point.switchable and len(self._switches) < _MAX_SWITCHES:
                self._switches[dp] = SwitchRow(self._console)
                self._control.addWidget(self._switches[dp])
            row = self._rows[dp] = PointRow(dp, self._theme)
            row.clicked.connect(self._on_row_clicked)
            self._group.addButton(row)
            self._points.addWidget(row)
        self._control_box.setVisible(bool(self._switches))
        self._points_box.setVisible(bool(self._rows))

    @Slot()
    def _on_row_clicked(self) -> None:
        row = self.sender()
        if isinstance(row, PointRow):
            self.point_picked.emit(row.dp)

    def _section(self, title: str) -> tuple[QWidget, QVBoxLayout]:
        box = QWidget()
        box.setObjectName("body")
        outer = QVBoxLayout(box)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(8)
        outer.addWidget(rule())
        outer.addWidget(label(title, "section"))
        inner = QVBoxLayout()
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(8)
        outer.addLayout(inner)
        return box, inner

    def _arrange(self) -> None:
        body = QWidget()
        body.setObjectName("body")
        column = QVBoxLayout(body)
        column.setContentsMargins(16, 14, 12, 14)
        column.setSpacing(10)
        head = QHBoxLayout()
        head.addWidget(self._title, 1)
        head.addWidget(self._close, 0, Qt.AlignmentFlag.AlignTop)
        column.addLayout(head)
        column.addWidget(self._measured)
        column.addLayout(self._state_row())
        column.addWidget(self._sentence)
        column.addWidget(self._control_box)
        column.addWidget(self._points_box)
        column.addWidget(rule())
        column.addWidget(label("Device", "section"))
        column.addLayout(self._facts_grid())
        column.addStretch()
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(body)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(1, 1, 1, 1)
        outer.addWidget(scroll)

    def _state_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self._chip)
        row.addWidget(self._since)
        row.addStretch()
        row.addWidget(self._value)
        row.addWidget(self._unit, 0, Qt.AlignmentFlag.AlignBottom)
        return row

    def _facts_grid(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(7)
        grid.setColumnStretch(1, 1)
        for at, (name, value) in enumerate(self._facts.items()):
            value.setAlignment(Qt.AlignmentFlag.AlignRight)
            grid.addWidget(label(name, "dim"), at, 0)
            grid.addWidget(value, at, 1)
        return grid

    @Slot()
    def _tint(self) -> None:
        self._close.setIcon(icon("x", self._theme.tokens.text2, 16))


def _measured(line: Line) -> str:
    known = line.row.profile or category(line.row.category).name
    return f"measured by {known}" if known else "measured by a device of unknown kind"


def _due(due_ms: int | None, now_ms: int) -> str:
    if due_ms is None:
        return "Not known"
    if due_ms <= now_ms:
        return f"{age_word(now_ms - due_ms)} overdue" if now_ms - due_ms > 2000 else "now"
    return f"within {age_word(due_ms - now_ms)}"
