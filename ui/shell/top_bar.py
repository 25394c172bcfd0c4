"""The bar above every page: which site, where the values come from, and the appearance."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QWidget

from ui.theme.icons import icon, pixmap
from ui.theme.theme import Theme
from ui.widgets.labels import label


class TopBar(QFrame):
    """Says honestly whether anything is read at this moment."""

    def __init__(self, theme: Theme, *, demo: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._demo = demo
        self._source_icon_name = "eye-off"
        self.setObjectName("top")
        self.setFixedHeight(56)
        self._site = label("Plantroom", "section")
        self._scope = label("Demonstration building" if demo else "", "dim")
        self._source_icon = QLabel()
        self._source_icon.setFixedSize(18, 18)
        self._source = label("", "dim")
        self._appearance = QPushButton()
        self._appearance.setObjectName("flat")
        self._appearance.clicked.connect(theme.toggle)
        self._arrange()
        theme.changed.connect(self._tint)
        self.show_source(devices=0, reached=0)
        self._tint()

    @property
    def source(self) -> str:
        """The line about where values come from."""
        return self._source.text()

    def show_site(self, name: str) -> None:
        """The site, or how many there are."""
        self._site.setText(name)

    def show_source(self, *, devices: int, reached: int) -> None:
        """How many of the devices are reached over the local network now."""
        if not devices:
            text, name = "No devices yet", "eye-off"
        elif reached:
            text, name = "Local network, live · no server set up", "router"
        else:
            text, name = "No device is reached · values are the last ones known", "eye-off"
        if name != self._source_icon_name or self._source.text() != text:
            self._source_icon_name = name
            self._source.setText(text)
            self._tint()

    def _arrange(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 0, 12, 0)
        row.setSpacing(10)
        row.addWidget(self._site)
        row.addWidget(self._scope)
        row.addStretch()
        row.addWidget(self._source_icon)
        row.addWidget(self._source)
        row.addSpacing(8)
        row.addWidget(self._appearance)

    @Slot()
    def _tint(self) -> None:
        tokens = self._theme.tokens
        self._source_icon.setPixmap(pixmap(self._source_icon_name, tokens.text2, 18))
        dark = self._theme.dark
        self._appearance.setText(" Light" if dark else " Dark")
        self._appearance.setAccessibleName(
            "Change to the light appearance" if dark else "Change to the dark appearance"
        )
        self._appearance.setIcon(icon("sun" if dark else "moon", tokens.text2, 16))
