"""Icons from `resources/icons`, tinted in a token's colour and kept once drawn."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer


@cache
def _source(name: str) -> str:
    return files("resources").joinpath("icons", f"{name}.svg").read_text(encoding="utf-8")


@cache
def pixmap(name: str, colour: str, size_px: int = 16, scale: float = 2.0) -> QPixmap:
    """The icon in one colour; `scale` is the screen's pixel ratio it is sharp at."""
    svg = _source(name).replace("currentColor", colour)
    svg = svg.replace('stroke-width="2"', 'stroke-width="1.75"')
    picture = QPixmap(int(size_px * scale), int(size_px * scale))
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    QSvgRenderer(QByteArray(svg.encode())).render(painter, QRectF(picture.rect()))
    painter.end()
    picture.setDevicePixelRatio(scale)
    return picture


def icon(name: str, colour: str, size_px: int = 20) -> QIcon:
    """The icon for buttons, sharp on screens of one, two and three times the pixels."""
    result = QIcon()
    for scale in (1.0, 2.0, 3.0):
        result.addPixmap(pixmap(name, colour, size_px, scale))
    return result
