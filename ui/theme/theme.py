"""Which appearance is on, and telling everybody who paints when it changes."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication

from ui.theme.fonts import font
from ui.theme.style_sheet import palette, style_sheet
from ui.theme.tokens import DARK, LIGHT, Tokens


class Theme(QObject):
    """The appearance of the whole application. Follows the system until a person chooses."""

    changed = Signal()

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)
        self._app = app
        self._chosen = False
        self._colours: dict[str, QColor] = {}
        self.tokens: Tokens = LIGHT
        app.setStyle("Fusion")
        app.setFont(font(13))
        hints = app.styleHints()
        hints.colorSchemeChanged.connect(self._follow)
        self._apply(DARK if hints.colorScheme() == Qt.ColorScheme.Dark else LIGHT)

    @property
    def dark(self) -> bool:
        """True while the dark appearance is on."""
        return self.tokens is DARK

    def choose(self, *, dark: bool) -> None:
        """Use this appearance from now on, whatever the system says."""
        self._chosen = True
        tokens = DARK if dark else LIGHT
        if tokens is not self.tokens:
            # Title bars and native dialogs follow where the platform can; ours do not depend on it.
            self._app.styleHints().setColorScheme(
                Qt.ColorScheme.Dark if dark else Qt.ColorScheme.Light
            )
            self._apply(tokens)

    def toggle(self) -> None:
        """Change to the other appearance."""
        self.choose(dark=not self.dark)

    def colour(self, token: str) -> QColor:
        """A token's colour, made once an appearance."""
        found = self._colours.get(token)
        if found is None:
            found = self._colours[token] = QColor(getattr(self.tokens, token))
        return found

    def _follow(self, scheme: Qt.ColorScheme) -> None:
        if not self._chosen:
            self._apply(DARK if scheme == Qt.ColorScheme.Dark else LIGHT)

    def _apply(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self._colours = {}
        self._app.setPalette(palette(tokens))
        self._app.setStyleSheet(style_sheet(tokens))
        self.changed.emit()
