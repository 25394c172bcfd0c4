"""The rail on the left: one button for each page that exists."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtWidgets import QButtonGroup, QFrame, QToolButton, QVBoxLayout, QWidget

from ui.theme.icons import icon
from ui.theme.theme import Theme


class Rail(QFrame):
    """`picked` says the index of the page. Ctrl+1 and on pick them too."""

    picked = Signal(int)

    def __init__(
        self, pages: Sequence[tuple[str, str]], theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._icons = [icon_name for _, icon_name in pages]
        self._group = QButtonGroup(self)
        self._group.setExclusive(True)
        self.setObjectName("rail")
        self.setFixedWidth(84)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 8, 6, 8)
        column.setSpacing(2)
        for at, (word, _) in enumerate(pages):
            button = QToolButton()
            button.setText(word)
            button.setAccessibleName(word)
            button.setCheckable(True)
            button.setChecked(at == 0)
            button.setIconSize(QSize(20, 20))
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
            button.setFixedSize(72, 50)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setShortcut(f"Ctrl+{at + 1}")
            button.setToolTip(f"{word} (Ctrl+{at + 1})")
            self._group.addButton(button, at)
            column.addWidget(button)
        column.addStretch()
        self._group.idClicked.connect(self.picked)
        theme.changed.connect(self._tint)
        self._tint()

    @Slot()
    def _tint(self) -> None:
        tokens = self._theme.tokens
        for at, name in enumerate(self._icons):
            button = self._group.button(at)
            colour = tokens.rail_on if button.isChecked() else tokens.rail_text
            button.setIcon(icon(name, colour))
