"""The table view: whole rows only, one selected device, all of it reachable from the keyboard."""

from __future__ import annotations

from PySide6.QtCore import QItemSelection, Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from ui.pages.devices.delegate import DeviceDelegate
from ui.pages.devices.model import DeviceModel
from ui.pages.devices.state import Column
from ui.theme.theme import Theme

ROW_PX = 44
HEADER_PX = 33
_WIDTHS = {
    Column.STATUS: 154,
    Column.READING: 176,
    Column.PATH: 92,
    Column.LAST_REPORT: 112,
}
_GIVES_WAY_BELOW_PX = {Column.PATH: 620, Column.LAST_REPORT: 600}
"""Narrower than this a column gives way, in this order: the inspector says it as well."""


class DeviceTable(QTableView):
    """Emits `window_moved` when other rows come into sight, `chosen` with the selected device."""

    window_moved = Signal()
    chosen = Signal(str)

    def __init__(self, model: DeviceModel, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._devices = model
        self.setModel(model)
        self.setItemDelegate(DeviceDelegate(self, model, theme))
        self.setAccessibleName("Devices")
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setMouseTracking(True)
        self.setTabKeyNavigation(False)
        self.setCornerButtonEnabled(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerItem)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._set_headers()
        self.verticalScrollBar().valueChanged.connect(self._on_scrolled)
        theme.changed.connect(self.viewport().update)

    def _set_headers(self) -> None:
        rows = self.verticalHeader()
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(ROW_PX)
        columns = self.horizontalHeader()
        columns.setHighlightSections(False)
        columns.setSectionsClickable(True)
        columns.setFixedHeight(HEADER_PX)
        columns.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        columns.setSectionResizeMode(Column.ASSET, QHeaderView.ResizeMode.Stretch)
        for column, width in _WIDTHS.items():
            self.setColumnWidth(column, width)
        columns.sectionClicked.connect(self.sort_by)

    @property
    def selected(self) -> str:
        """The selected device, empty when none is."""
        rows = self.selectionModel().selectedRows()
        return self._devices.line(rows[0].row()).device if rows else ""

    def visible_rows(self) -> range:
        """Rows in sight."""
        first = self.rowAt(0)
        if first < 0:
            return range(0)
        last = self.rowAt(self.viewport().height() - 1)
        return range(first, (self._devices.rowCount() if last < 0 else last + 1))

    def visible_devices(self) -> list[str]:
        """Devices in sight."""
        return [self._devices.line(row).device for row in self.visible_rows()]

    def select_device(self, device: str) -> bool:
        """Select a device if it is shown; the view scrolls to it."""
        row = self._devices.ledger.row_of(device)
        if row is None:
            return False
        index = self._devices.index(row, Column.ASSET)
        self.setCurrentIndex(index)
        self.scrollTo(index)
        return True

    def select_first(self) -> None:
        """Select the first row, if there is one."""
        if self._devices.rowCount():
            self.setCurrentIndex(self._devices.index(0, Column.ASSET))

    @Slot(int)
    def sort_by(self, column: int) -> None:
        """Order by a column; again, the other way round."""
        ledger = self._devices.ledger
        again = ledger.sort == column
        self._devices.arrange(sort=Column(column), descending=again and not ledger.descending)
        self.scrollToTop()
        self.window_moved.emit()

    def selectionChanged(self, selected: QItemSelection, deselected: QItemSelection) -> None:
        """Tell which device is selected now."""
        super().selectionChanged(selected, deselected)
        self.chosen.emit(self.selected)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Columns give way in a fixed order, the asset's name never."""
        super().resizeEvent(event)
        for column, least_px in _GIVES_WAY_BELOW_PX.items():
            self.setColumnHidden(column, self.viewport().width() < least_px)
        self.window_moved.emit()

    @Slot(int)
    def _on_scrolled(self, _value: int) -> None:
        self.window_moved.emit()
