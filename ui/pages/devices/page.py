"""The device page: table, live chart, inspector, and the wires between them."""

from __future__ import annotations

from datetime import tzinfo

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QHideEvent, QKeyEvent, QKeySequence, QResizeEvent, QShortcut, QShowEvent
from PySide6.QtWidgets import QFrame, QStackedLayout, QWidget

from app.domain.errors import ConsoleError
from ui.bridge.console import Console
from ui.bridge.live_pump import Fresh, LivePump
from ui.pages.devices.chart_card import ChartCard
from ui.pages.devices.feed import DeviceFeed
from ui.pages.devices.header import DevicesHeader
from ui.pages.devices.inspector import DRAWER_PX, WIDTH_PX, Inspector
from ui.pages.devices.model import DeviceModel
from ui.pages.devices.state import Ledger, Line
from ui.pages.devices.table import HEADER_PX, ROW_PX, DeviceTable
from ui.pages.devices.words import Group
from ui.theme.theme import Theme
from ui.widgets.notice import Notice

_PADDING, _GAP, _HEADER = 16, 12, 36
_WIDE_FROM_PX = 1_300
"""A page this wide (a window of about 1,400) has room for the inspector beside the table."""
_CHART_SHARE = 0.34
_CHART_LEAST_PX = 190


class DevicesPage(QWidget):
    """`changed` fires when counts or the newest reading changed; the footer asks then."""

    changed = Signal()

    def __init__(
        self, console: Console, theme: Theme, zone: tzinfo | None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._console = console
        self._selected = ""
        self._loaded = False
        self.newest_ms: int | None = None
        self.model = DeviceModel(console.clock, self)
        self.header = DevicesHeader(theme, self)
        self.table_card = QFrame(self)
        self.table_card.setObjectName("card")
        self.table = DeviceTable(self.model, theme)
        self.notice = Notice(theme)
        self.chart = ChartCard(console, theme, zone, self)
        self.inspector = Inspector(console, theme, self)
        self.inspector.hide()
        self._drawer_open = False
        self._pump = LivePump(console.live, self._on_fresh, self)
        self._feed = DeviceFeed(console, self)
        self._second = QTimer(self)
        self._second.setInterval(1_000)
        self._arrange()
        self._connect()
        self.notice.tell("loader", "Reading the devices…")
        self._stack.setCurrentWidget(self.notice)

    @property
    def selected(self) -> Line | None:
        """The selected device."""
        return self.model.ledger.find(self._selected) if self._selected else None

    @property
    def pump(self) -> LivePump:
        """Where live values come from."""
        return self._pump

    def select(self, device: str) -> bool:
        """Select a device, as a click on its row does."""
        return self.table.select_device(device)

    def show_group(self, group: Group) -> None:
        """Put a segment down, as a click does."""
        self.header.segments.pick(group)
        self._on_group(group)

    def open_inspector(self, *, opened: bool) -> None:
        """On a narrow page the inspector is a drawer: open it or put it away."""
        self._drawer_open = opened
        self._place()

    def close_page(self) -> None:
        """Let go of everything; called once, before the window goes."""
        self._second.stop()
        self._feed.stop()
        self._pump.close()
        self.chart.close_card()

    @Slot()
    def refresh(self) -> None:
        """Read the directory soon."""
        self._feed.ask()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay out by hand: whole rows, and the chart takes the rest."""
        super().resizeEvent(event)
        self._place()

    def showEvent(self, event: QShowEvent) -> None:
        """Follow values while in sight."""
        super().showEvent(event)
        self._pump.start()
        self._feed.start()
        self._second.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """A hidden page costs nothing."""
        self._pump.pause()
        self._feed.stop()
        self._second.stop()
        super().hideEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keys that lead from the filter to the table and from the table to the panel."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            key = event.key()
            if watched is self.header.field and key in (Qt.Key.Key_Down, Qt.Key.Key_Return):
                self.table.setFocus(Qt.FocusReason.ShortcutFocusReason)
                return True
            if watched is self.header.field and key == Qt.Key.Key_Escape:
                self.header.field.clear()
                self.table.setFocus(Qt.FocusReason.ShortcutFocusReason)
                return True
            if watched is self.table and key in (Qt.Key.Key_Return, Qt.Key.Key_Space):
                self.open_inspector(opened=not self._drawer_open)
                return True
            if watched is self.table and key == Qt.Key.Key_Escape and self._drawer_open:
                self.open_inspector(opened=False)
                return True
        return super().eventFilter(watched, event)

    def _arrange(self) -> None:
        self._stack = QStackedLayout(self.table_card)
        self._stack.setContentsMargins(1, 1, 1, 1)
        self._stack.addWidget(self.notice)
        self._stack.addWidget(self.table)
        self.setTabOrder(self.header.order, self.table)
        self.header.field.installEventFilter(self)
        self.table.installEventFilter(self)

    def _connect(self) -> None:
        self.header.grouped.connect(self._on_group)
        self.header.filtered.connect(self._on_filter)
        self.header.sorted_by.connect(self.table.sort_by)
        self.table.window_moved.connect(self._follow_window)
        self.table.chosen.connect(self._on_chosen)
        self.table.clicked.connect(self._on_clicked)
        self.inspector.point_picked.connect(self._on_point)
        self.inspector.closed.connect(self._on_closed)
        self.notice.acted.connect(self._on_notice)
        self._feed.arrived.connect(self._on_lines)
        self._feed.failed.connect(self._on_failed)
        self._second.timeout.connect(self._on_second)
        find = QShortcut(QKeySequence.StandardKey.Find, self)
        find.activated.connect(self._on_find)
        again = QShortcut(QKeySequence.StandardKey.Refresh, self)
        again.activated.connect(self.refresh)

    def _place(self) -> None:
        wide = self.width() >= _WIDE_FROM_PX
        beside = wide and bool(self._selected)
        right = self.width() - (WIDTH_PX if beside else 0) - _PADDING
        width = right - _PADDING
        top = _PADDING
        self.header.setGeometry(_PADDING, top, width, _HEADER)
        if not wide and self._selected and self._drawer_open:
            width -= DRAWER_PX - _PADDING + _GAP
        top += _HEADER + _GAP
        room = self.height() - top - _PADDING
        chart = max(_CHART_LEAST_PX, round(room * _CHART_SHARE))
        rows = max(1, (room - chart - _GAP - HEADER_PX - 2) // ROW_PX)
        table = HEADER_PX + 2 + rows * ROW_PX
        self.table_card.setGeometry(_PADDING, top, width, table)
        self.chart.setGeometry(_PADDING, top + table + _GAP, width, max(60, room - table - _GAP))
        self.inspector.set_drawer(drawer=not wide)
        if wide:
            self.inspector.setGeometry(self.width() - WIDTH_PX, 0, WIDTH_PX, self.height())
        else:
            self.inspector.setGeometry(
                self.width() - DRAWER_PX, top - 1, DRAWER_PX, self.height() - top + 1
            )
            self.inspector.raise_()
        self.inspector.setVisible(beside or (bool(self._selected) and self._drawer_open))

    def _on_lines(self, lines: list[Line]) -> None:
        first_time = not self._loaded
        self._loaded = True
        self.model.replace(lines)
        stamps = [line.last_report_ms for line in lines if line.last_report_ms is not None]
        self.newest_ms = max(stamps, default=None)
        self._show_rows()
        if first_time and not self._selected:
            self.table.select_first()
            self.table.setFocus(Qt.FocusReason.OtherFocusReason)
        self._refresh_selected()
        self._follow_window()

    def _show_rows(self) -> None:
        ledger = self.model.ledger
        self.header.set_counts(ledger.counts())
        if ledger.order:
            self._stack.setCurrentWidget(self.table)
        elif not ledger.lines:
            self.notice.tell(
                "inbox",
                "No devices yet",
                "Bring them in from an inventory: plantroom devices import FILE",
            )
            self._stack.setCurrentWidget(self.notice)
        else:
            self.notice.tell("inbox", "No device matches", _asked(ledger), "Show all devices")
            self._stack.setCurrentWidget(self.notice)
        self.changed.emit()

    def _on_failed(self, error: ConsoleError) -> None:
        if self._loaded:
            return
        self.notice.tell("triangle-alert", error.what, error.do, "Try again")
        self._stack.setCurrentWidget(self.notice)

    def _on_fresh(self, fresh: Fresh) -> None:
        self.model.take(fresh)
        newest = max(reading.at_ms for reading in fresh.values())
        self.newest_ms = max(self.newest_ms or 0, newest)
        line = self.selected
        if line is not None and any(device == line.device for device, _ in fresh):
            self.inspector.show_line(line, self.chart.shown[1])
            if self.chart.shown in fresh:
                self.chart.hear()

    def _on_chosen(self, device: str) -> None:
        if not device:
            return
        self._selected = device
        line = self.selected
        if line is None:
            return
        dp = line.headline.spec.dp if line.headline else ""
        if self.chart.shown[0] != device:
            self.chart.show_point(line, dp)
        self.inspector.show_line(line, self.chart.shown[1])
        self._place()
        self._follow_window()

    def _refresh_selected(self) -> None:
        line = self.selected
        if line is not None:
            device, dp = self.chart.shown
            if device == line.device and not dp and line.headline:
                dp = line.headline.spec.dp
            if device == line.device:
                self.chart.show_point(line, dp)
            self.inspector.show_line(line, dp)

    def _on_second(self) -> None:
        rows = self.table.visible_rows()
        if rows:
            self.model.tick(rows[0], rows[-1])
        self.inspector.refresh()
        self.chart.redraw()
        self.changed.emit()

    @Slot(int)
    def _on_group(self, group: int) -> None:
        self.model.arrange(group=Group(group))
        self._after_arranging()

    @Slot(str)
    def _on_filter(self, words: str) -> None:
        self.model.arrange(words=words)
        self._after_arranging()

    def _after_arranging(self) -> None:
        self._show_rows()
        if self.table.selected != self._selected and not self.select(self._selected):
            self.table.scrollToTop()
        self._follow_window()

    def _follow_window(self) -> None:
        shown = set(self.table.visible_devices())
        if self._selected:
            shown.add(self._selected)
        self._pump.show(shown)

    @Slot()
    def _on_clicked(self) -> None:
        self.open_inspector(opened=True)

    @Slot(str)
    def _on_point(self, dp: str) -> None:
        line = self.selected
        if line is not None:
            self.chart.show_point(line, dp)

    @Slot()
    def _on_closed(self) -> None:
        self.open_inspector(opened=False)
        self.table.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot()
    def _on_notice(self) -> None:
        if not self._loaded:
            self.notice.tell("loader", "Reading the devices…")
            self._feed.ask()
            return
        self.header.field.clear()
        self.show_group(Group.ALL)

    @Slot()
    def _on_find(self) -> None:
        self.header.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.header.field.selectAll()


def _asked(ledger: Ledger) -> str:
    words = " ".join(ledger.words)
    return f"Nothing here contains '{words}'." if words else "Nothing is in this state."
