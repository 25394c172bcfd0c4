"""One data point in the inspector: name, value and age; pressing it puts it on the chart."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QPushButton, QWidget

from ui.pages.devices.state import Point
from ui.pages.devices.words import age_word
from ui.theme.fonts import MEDIUM, metrics
from ui.theme.theme import Theme
from ui.widgets.paint import text_line

_AGE_PX = 66


class PointRow(QPushButton):
    """Checked while its point is the one on the chart."""

    def __init__(self, dp: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.dp = dp
        self._theme = theme
        self._name = self._value = self._age = ""
        self.setObjectName("point")
        self.setCheckable(True)
        self.setFixedHeight(32)

    def show_point(self, point: Point, now_ms: int) -> None:
        """Show what the point says now; nothing is repainted when it says the same."""
        age = "" if point.at_ms is None else age_word(now_ms - point.at_ms)
        shown = (point.name, point.text, age)
        if shown != (self._name, self._value, self._age):
            self._name, self._value, self._age = shown
            ago = f", {age} ago" if age else ", not reported yet"
            self.setAccessibleName(f"{point.name} {point.text}{ago}")
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The button's ground, then three texts on one line."""
        super().paintEvent(event)
        painter = QPainter(self)
        colour = self._theme.colour
        box = QRectF(self.rect()).adjusted(8, 0, -8, 0)
        value_px = min(
            metrics(13, MEDIUM, tabular=True).horizontalAdvance(self._value) + 1,
            box.width() - _AGE_PX - 60,
        )
        right = box.right() - _AGE_PX
        name_box = QRectF(box.left(), box.top(), right - value_px - box.left() - 8, box.height())
        text_line(painter, name_box, self._name, colour("text2"))
        value_box = QRectF(right - value_px, box.top(), value_px, box.height())
        text_line(
            painter, value_box, self._value, colour("text"), 13, MEDIUM, right=True, tabular=True
        )
        age_box = QRectF(right, box.top(), _AGE_PX, box.height())
        text_line(painter, age_box, self._age, colour("text3"), 12, right=True, tabular=True)
        painter.end()
