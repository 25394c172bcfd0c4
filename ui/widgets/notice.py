"""What stands where content would: loading, empty, nothing found, or an error that helps."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from ui.theme.icons import pixmap
from ui.theme.theme import Theme


class Notice(QWidget):
    """An icon, one line that says what, one that says what to do, and at most one button."""

    acted = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._icon_name = ""
        self._icon = QLabel(self)
        self._what = QLabel(self)
        self._what.setObjectName("section")
        self._do = QLabel(self)
        self._do.setObjectName("dim")
        self._do.setWordWrap(True)
        self._do.setMaximumWidth(460)
        for label in (self._icon, self._what, self._do):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._button = QPushButton(self)
        self._button.clicked.connect(self._on_clicked)
        self._arrange()
        theme.changed.connect(self._tint)

    def tell(self, icon_name: str, what: str, do: str = "", action: str = "") -> None:
        """Say this from now on; `action` names the button, none without it."""
        self._icon_name = icon_name
        self._what.setText(what)
        self._do.setText(do)
        self._do.setVisible(bool(do))
        self._button.setText(action)
        self._button.setVisible(bool(action))
        self.setAccessibleName(f"{what} {do}".strip())
        self._tint()

    @property
    def sentence(self) -> str:
        """What it says, in one line."""
        return self.accessibleName()

    def _arrange(self) -> None:
        column = QVBoxLayout(self)
        column.setSpacing(8)
        column.addStretch()
        column.addWidget(self._icon)
        column.addWidget(self._what)
        middle = QHBoxLayout()
        middle.addStretch()
        middle.addWidget(self._do, 1)
        middle.addStretch()
        column.addLayout(middle)
        row = QHBoxLayout()
        row.addStretch()
        row.addWidget(self._button)
        row.addStretch()
        column.addLayout(row)
        column.addStretch()

    @Slot()
    def _tint(self) -> None:
        if self._icon_name:
            self._icon.setPixmap(pixmap(self._icon_name, self._theme.tokens.text3, 28))

    @Slot()
    def _on_clicked(self) -> None:
        self.acted.emit()
