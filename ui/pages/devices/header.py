"""The line above the table: title, segments with counts, filter words, order."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QMenu, QPushButton, QWidget

from ui.pages.devices.state import COLUMN_WORDS
from ui.pages.devices.words import GROUP_WORDS
from ui.theme.icons import icon, pixmap
from ui.theme.theme import Theme
from ui.widgets.labels import label
from ui.widgets.segments import Segments


class DevicesHeader(QWidget):
    """Emits what a person asks for; keeps nothing itself."""

    grouped = Signal(int)
    filtered = Signal(str)
    sorted_by = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.segments = Segments(GROUP_WORDS, "Which devices")
        self.field = QLineEdit()
        self.field.setPlaceholderText("Filter devices")
        self.field.setAccessibleName("Filter devices")
        self.field.setToolTip("Name, place, state, address (Ctrl+F)")
        self.field.setClearButtonEnabled(False)
        self.field.setMinimumWidth(150)
        self.field.setMaximumWidth(300)
        self._glass = QAction(self.field)
        self.field.addAction(self._glass, QLineEdit.ActionPosition.LeadingPosition)
        self.order = QPushButton(" Sort")
        self.order.setAccessibleName("Sort the devices")
        self._menu = QMenu(self.order)
        self._orders = QActionGroup(self._menu)
        for word in COLUMN_WORDS:
            self._orders.addAction(self._menu.addAction(word))
        self.order.setMenu(self._menu)
        self._arrange()
        self._tint()
        self.segments.picked.connect(self.grouped)
        self.field.textChanged.connect(self.filtered)
        self._orders.triggered.connect(self._on_order)
        theme.changed.connect(self._tint)

    def set_counts(self, counts: Sequence[int]) -> None:
        """How many devices stand behind each segment."""
        self.segments.set_counts(counts)

    def _arrange(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(label("Devices", "title"))
        row.addSpacing(6)
        row.addWidget(self.segments)
        row.addStretch(1)
        row.addWidget(self.field, 2)
        row.addWidget(self.order)

    @Slot(QAction)
    def _on_order(self, action: QAction) -> None:
        self.sorted_by.emit(COLUMN_WORDS.index(action.text()))

    @Slot()
    def _tint(self) -> None:
        tokens = self._theme.tokens
        self._glass.setIcon(icon("search", tokens.text2, 16))
        self.order.setIcon(icon("arrow-down-up", tokens.text, 16))
        # Touching the pixmap cache here keeps the first repaint after a change of theme short.
        pixmap("router", tokens.text3, 15)
