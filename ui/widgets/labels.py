"""Small labels in the roles of the style sheet."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QLabel, QSizePolicy, QWidget


def label(text: str = "", role: str = "") -> QLabel:
    """A label in plain text; `role` names its look in the style sheet."""
    made = QLabel(text)
    made.setObjectName(role)
    made.setTextFormat(Qt.TextFormat.PlainText)
    return made


def rule() -> QFrame:
    """A hairline across."""
    line = QFrame()
    line.setObjectName("rule")
    line.setFixedHeight(1)
    return line


class ElidedLabel(QLabel):
    """One line that shortens with an ellipsis instead of forcing its neighbours away.

    The whole text is its tool tip while it is shortened, and its accessible name always.
    """

    def __init__(self, text: str = "", role: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(role)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setText(text)

    def setText(self, text: str) -> None:
        """Show this text."""
        super().setText(text)
        self.setAccessibleName(text)
        self._note_elision()

    def minimumSizeHint(self) -> QSize:
        """As narrow as the room is."""
        return QSize(0, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The text may fit now, or no longer."""
        super().resizeEvent(event)
        self._note_elision()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the text, shortened to the width."""
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(
            self.contentsRect(), self.alignment() | Qt.AlignmentFlag.AlignVCenter, self._elided()
        )
        painter.end()

    def _elided(self) -> str:
        return self.fontMetrics().elidedText(
            self.text(), Qt.TextElideMode.ElideRight, self.contentsRect().width()
        )

    def _note_elision(self) -> None:
        self.setToolTip(self.text() if self._elided() != self.text() else "")
