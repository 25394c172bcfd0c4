"""The status chip: shape, word and colour, never colour alone."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFont, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui.theme.fonts import REGULAR, STRONG, metrics
from ui.theme.theme import Theme
from ui.widgets.marks import ChipStyle, Shape
from ui.widgets.paint import draw_shape, text_line

HEIGHT_PX = 24


def chip_width(word: str, style: ChipStyle) -> float:
    """How wide `draw_chip` will draw, in pixels."""
    return metrics(12, _weight(style)).horizontalAdvance(word) + 33


def draw_chip(
    painter: QPainter, x: float, middle_y: float, word: str, shape: Shape, style: ChipStyle,
    theme: Theme,
) -> None:  # fmt: skip
    """Draw a chip with its left edge at `x`, centred on `middle_y`."""
    box = QRectF(x, middle_y - HEIGHT_PX / 2, chip_width(word, style), HEIGHT_PX)
    plain = style is ChipStyle.PLAIN
    colour = theme.colour("text2" if plain else "fault")
    if not plain:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pen = QPen(colour, 1)
        if style is ChipStyle.DASHED:
            pen.setDashPattern([3, 2.5])
            painter.setBrush(Qt.BrushStyle.NoBrush)
        else:
            painter.setBrush(theme.colour("fault_soft"))
        painter.setPen(pen)
        painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 5, 5)
        painter.restore()
    draw_shape(painter, shape, QRectF(x + 8, middle_y - 5.5, 11, 11), colour)
    text_line(painter, box.adjusted(24.5, 0, 4, 0), word, colour, 12, _weight(style))


def _weight(style: ChipStyle) -> QFont.Weight:
    return REGULAR if style is ChipStyle.PLAIN else STRONG


class Chip(QWidget):
    """A chip on its own, outside a table."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._word, self._shape, self._style = "", Shape.RING, ChipStyle.PLAIN
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    def show_status(self, word: str, shape: Shape, style: ChipStyle) -> None:
        """Show this status from now on."""
        if (word, shape, style) != (self._word, self._shape, self._style):
            self._word, self._shape, self._style = word, shape, style
            self.setAccessibleName(word)
            self.updateGeometry()
            self.update()

    def sizeHint(self) -> QSize:
        """As wide as its word."""
        return QSize(int(chip_width(self._word, self._style)) + 2, HEIGHT_PX + 2)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the chip; a plain one starts where the text of other lines starts."""
        painter = QPainter(self)
        x = -8.0 if self._style is ChipStyle.PLAIN else 0.0
        draw_chip(painter, x, self.height() / 2, self._word, self._shape, self._style, self._theme)
        painter.end()
