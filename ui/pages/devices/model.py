"""The table's item model over the ledger: its own order, so no proxy and no per-cell compare."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from app.domain.readings import Reading
from app.runtime.clock import Clock
from ui.pages.devices.state import COLUMN_WORDS, Column, Ledger, Line, spoken
from ui.pages.devices.words import Group

_Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()


class DeviceModel(QAbstractTableModel):
    """Rows are the ledger's lines in its order. Emits changes for dirty rows only."""

    def __init__(self, clock: Clock, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._clock = clock
        self.ledger = Ledger()
        self.now_ms = clock.now_ms()

    def rowCount(self, parent: _Index = _NOWHERE) -> int:
        """Lines that pass the filter."""
        return 0 if parent.isValid() else len(self.ledger.order)

    def columnCount(self, parent: _Index = _NOWHERE) -> int:
        """The fixed columns."""
        return 0 if parent.isValid() else len(COLUMN_WORDS)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """Column names; the sorted one says its direction to a screen reader."""
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(COLUMN_WORDS):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return COLUMN_WORDS[section] + self._arrow(section)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = (
                Qt.AlignmentFlag.AlignRight
                if section == Column.READING
                else Qt.AlignmentFlag.AlignLeft
            )
            return Qt.AlignmentFlag.AlignVCenter | side
        return None

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """A cell in words; painting goes through `line`."""
        if not index.isValid() or index.row() >= len(self.ledger.order):
            return None
        line = self.line(index.row())
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return spoken(line, Column(index.column()), self.now_ms)
        if role == Qt.ItemDataRole.ToolTipRole and index.column() in (Column.STATUS, Column.ASSET):
            return line.told[0] or None
        return None

    def line(self, row: int) -> Line:
        """The device shown in a row."""
        return self.ledger.line(row)

    def replace(self, lines: list[Line]) -> None:
        """Take fresh lines. The view keeps its place when the same rows are shown."""
        self.layoutAboutToBeChanged.emit()
        before = self._held()
        self.ledger.replace(lines)
        self._rearranged(before)

    def arrange(
        self,
        *,
        group: Group | None = None,
        words: str | None = None,
        sort: Column | None = None,
        descending: bool = False,
    ) -> None:
        """Change the segment, the filter words or the order; None leaves each as it is."""
        ledger = self.ledger
        self.layoutAboutToBeChanged.emit()
        before = self._held()
        if group is not None:
            ledger.group = group
        if words is not None:
            ledger.words = tuple(words.casefold().split())
        if sort is not None:
            ledger.sort, ledger.descending = sort, descending
        ledger.arrange()
        self._rearranged(before)
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(COLUMN_WORDS) - 1)

    def take(self, fresh: Mapping[tuple[str, str], Reading]) -> set[int]:
        """Write live values and repaint the rows they show in; these rows."""
        self.now_ms = self._clock.now_ms()
        dirty = self.ledger.take(fresh)
        self.touch(dirty, Column.STATUS)
        return dirty

    def touch(self, rows: Iterable[int], first: Column) -> None:
        """Say that these rows look different from column `first` on."""
        for row in rows:
            self.dataChanged.emit(self.index(row, first), self.index(row, Column.LAST_REPORT))

    def tick(self, first_row: int, last_row: int) -> None:
        """A second has passed: the ages in these rows grew."""
        self.now_ms = self._clock.now_ms()
        last_row = min(last_row, len(self.ledger.order) - 1)
        if 0 <= first_row <= last_row:
            self.dataChanged.emit(
                self.index(first_row, Column.READING), self.index(last_row, Column.LAST_REPORT)
            )

    def _held(self) -> list[tuple[QModelIndex, str]]:
        """The view's own indexes (selection, focus) with the devices they stand on."""
        return [(index, self.line(index.row()).device) for index in self.persistentIndexList()]

    def _rearranged(self, held: list[tuple[QModelIndex, str]]) -> None:
        """Move the view's own indexes to where their devices are now."""
        new = []
        for index, device in held:
            row = self.ledger.row_of(device)
            new.append(_NOWHERE if row is None else self.index(row, index.column()))
        self.changePersistentIndexList([index for index, _ in held], new)
        self.now_ms = self._clock.now_ms()
        self.layoutChanged.emit()

    def _arrow(self, section: int) -> str:
        if self.ledger.sort is None or self.ledger.sort != section:
            return ""
        return "  ↓" if self.ledger.descending else "  ↑"
