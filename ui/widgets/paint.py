"""Drawing text and status shapes inside painted cells and chips."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPainterPath, QPen, QPolygonF

from ui.theme.fonts import REGULAR, font, metrics
from ui.widgets.marks import Shape


def text_line(
    painter: QPainter,
    box: QRectF,
    text: str,
    colour: QColor,
    size_px: int = 13,
    weight: QFont.Weight = REGULAR,
    *,
    right: bool = False,
    tabular: bool = False,
) -> float:
    """Draw one line, vertically centred and elided to the box; returns the width it took."""
    measure = metrics(size_px, weight, tabular=tabular)
    width = measure.horizontalAdvance(text)
    if width > box.width() + 0.6:
        text = measure.elidedText(text, Qt.TextElideMode.ElideRight, box.width() + 0.6)
        width = measure.horizontalAdvance(text)
    side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
    painter.setFont(font(size_px, weight, tabular=tabular))
    painter.setPen(colour)
    painter.drawText(
        box, int(Qt.AlignmentFlag.AlignVCenter | side) | Qt.TextFlag.TextSingleLine.value, text
    )
    return width


def two_lines(box: QRectF) -> tuple[QRectF, QRectF]:
    """The two lines of a row, with the same baselines in every cell."""
    middle = box.center().y()
    return (
        QRectF(box.left(), middle - 17, box.width(), 18),
        QRectF(box.left(), middle, box.width(), 17),
    )


def draw_shape(painter: QPainter, shape: Shape, box: QRectF, colour: QColor) -> None:
    """Draw a status glyph in `box`, about 11 to 14 pixels square."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    pen = QPen(colour, 1.6)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    _DRAW[shape](painter, box, colour)
    painter.restore()


def _ring(painter: QPainter, box: QRectF, _colour: QColor) -> None:
    painter.drawEllipse(box.adjusted(1, 1, -1, -1))


def _dashed(painter: QPainter, box: QRectF, colour: QColor) -> None:
    pen = QPen(colour, 1.6)
    pen.setDashPattern([1.6, 1.5])
    painter.setPen(pen)
    painter.drawEllipse(box.adjusted(1, 1, -1, -1))


def _slashed(painter: QPainter, box: QRectF, _colour: QColor) -> None:
    ring = box.adjusted(1, 1, -1, -1)
    painter.drawEllipse(ring)
    reach = ring.width() / 2 * 0.707
    middle = ring.center()
    painter.drawLine(middle + QPointF(-reach, reach), middle + QPointF(reach, -reach))


def _moon(painter: QPainter, box: QRectF, colour: QColor) -> None:
    half = box.width() / 2
    whole, bite = QPainterPath(), QPainterPath()
    whole.addEllipse(box.adjusted(0.4, 0.4, -0.4, -0.4))
    bite.addEllipse(box.translated(half * 0.72, -half * 0.42))
    painter.fillPath(whole.subtracted(bite), colour)


def _key(painter: QPainter, box: QRectF, _colour: QColor) -> None:
    half, middle = box.width() / 2, box.center()
    painter.drawEllipse(middle - QPointF(half * 0.5, 0), half * 0.46, half * 0.46)
    painter.drawLine(middle, middle + QPointF(half, 0))
    tooth = middle + QPointF(half * 0.85, 0)
    painter.drawLine(tooth, tooth + QPointF(0, half * 0.5))


def _overlap(painter: QPainter, box: QRectF, _colour: QColor) -> None:
    half, middle = box.width() / 2, box.center()
    painter.drawEllipse(middle - QPointF(half * 0.38, 0), half * 0.58, half * 0.58)
    painter.drawEllipse(middle + QPointF(half * 0.38, 0), half * 0.58, half * 0.58)


def _unequal(painter: QPainter, box: QRectF, _colour: QColor) -> None:
    for at in (0.36, 0.66):
        y = box.top() + box.height() * at
        painter.drawLine(QPointF(box.left() + 1, y), QPointF(box.right() - 1, y))
    painter.drawLine(
        QPointF(box.left() + 2.5, box.bottom() - 1), QPointF(box.right() - 2.5, box.top() + 1)
    )


def _question(painter: QPainter, box: QRectF, colour: QColor) -> None:
    path = QPainterPath()
    path.moveTo(box.left() + box.width() * 0.27, box.top() + box.height() * 0.3)
    path.cubicTo(
        QPointF(box.left() + box.width() * 0.3, box.top() - 1),
        QPointF(box.right() + 1, box.top() + 0.5),
        QPointF(box.center().x() + 0.2, box.top() + box.height() * 0.62),
    )
    painter.drawPath(path)
    painter.setPen(QPen(colour, 2.0, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    painter.drawPoint(QPointF(box.center().x() + 0.2, box.bottom() - 1))


def _bars(painter: QPainter, box: QRectF, colour: QColor) -> None:
    painter.setPen(QPen(colour, 2.2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    for at in (0.32, 0.68):
        x = box.left() + box.width() * at
        painter.drawLine(QPointF(x, box.top() + 1.5), QPointF(x, box.bottom() - 1.5))


def _down(painter: QPainter, box: QRectF, colour: QColor) -> None:
    corners = [QPointF(box.center().x(), box.bottom()), box.topRight(), box.topLeft()]
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawPolygon(QPolygonF(corners))


_DRAW = {
    Shape.RING: _ring,
    Shape.DASHED: _dashed,
    Shape.SLASHED: _slashed,
    Shape.MOON: _moon,
    Shape.KEY: _key,
    Shape.OVERLAP: _overlap,
    Shape.UNEQUAL: _unequal,
    Shape.QUESTION: _question,
    Shape.BARS: _bars,
    Shape.DOWN: _down,
}
