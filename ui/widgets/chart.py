"""One live line over time, drawn by pyqtgraph. Imported only when the first line is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QBrush
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ui.theme.fonts import font
from ui.theme.theme import Theme
from ui.widgets.series import Drawn, level_range

_AXIS_PX = 52
_FEW_READINGS = 60
"""Up to here each reading is marked, so that a line between two is not taken for many."""


class _ClockAxis(pg.AxisItem):  # type: ignore[misc]
    """Time of day at the site."""

    def __init__(self, zone: tzinfo | None) -> None:
        super().__init__("bottom")
        self._zone = zone

    def tickStrings(self, values: Sequence[float], _scale: float, spacing: float) -> list[str]:
        """Hours and minutes; seconds only where ticks are closer than a minute."""
        pattern = "%H:%M:%S" if spacing < 60 else "%H:%M"
        return [
            datetime.fromtimestamp(value, UTC).astimezone(self._zone).strftime(pattern)
            for value in values
        ]

    def tickSpacing(self, low: float, high: float, size: float) -> list[tuple[float, float]]:
        """Round steps of a clock, about one label in 110 pixels."""
        wanted = (high - low) / max(1.0, size / 110)
        for step in (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600):
            if step >= wanted:
                return [(step, 0)]
        return [(86_400, 0)]


class _LevelAxis(pg.AxisItem):  # type: ignore[misc]
    """Values, or Off and On."""

    def __init__(self) -> None:
        super().__init__("left")
        self.states: tuple[str, str] | None = None

    def tickValues(self, low: float, high: float, size: float) -> list[tuple[float, list[float]]]:
        """Two ticks for a switch; round numbers otherwise, never more than fit."""
        if self.states is not None:
            return [(1.0, [0.0, 1.0])]
        ticks: list[tuple[float, list[float]]] = super().tickValues(low, high, size)
        return ticks[:1] if len(ticks[0][1]) >= 3 else ticks[:2]

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        """The two words of a switch, or numbers."""
        if self.states is not None:
            return [self.states[1 if value > 0.5 else 0] for value in values]
        strings: list[str] = super().tickStrings(values, scale, spacing)
        return [text.replace("-", "\u2212") for text in strings]


class LiveChart(QWidget):
    """Draws what `show_line` gives it; silences are hatched, never bridged."""

    def __init__(self, theme: Theme, zone: tzinfo | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._level = _LevelAxis()
        self._clock = _ClockAxis(zone)
        self._plot = pg.PlotWidget(
            self, axisItems={"bottom": self._clock, "left": self._level}, enableMenu=False
        )
        self._plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._plot.setFrameShape(pg.QtWidgets.QFrame.Shape.NoFrame)
        item = self._plot.getPlotItem()
        item.hideButtons()
        item.setMouseEnabled(x=False, y=False)
        self._line = pg.PlotCurveItem(antialias=True, connect="finite")
        self._dot = pg.ScatterPlotItem(size=9, pxMode=True)
        self._marks = pg.ScatterPlotItem(size=5, pxMode=True, pen=None)
        self._hatches: list[pg.LinearRegionItem] = []
        item.addItem(self._line)
        item.addItem(self._marks)
        item.addItem(self._dot)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._plot)
        self.gap_count = 0
        theme.changed.connect(self.apply_theme)
        self.apply_theme()

    def show_line(
        self,
        drawn: Drawn,
        span_s: tuple[float, float],
        *,
        smallest_span: float,
        states: tuple[str, str] | None = None,
    ) -> None:
        """Draw a line over `span_s` (epoch seconds); `states` are the words of a switch."""
        if states != self._level.states:
            self._level.states = states
            self._level.picture = None
        item = self._plot.getPlotItem()
        low, high = (-0.25, 1.25) if states else level_range(drawn.y, smallest_span)
        item.setXRange(*span_s, padding=0)
        item.setYRange(low, high, padding=0)
        self._line.setData(drawn.x, drawn.y, connect="finite")
        if drawn.last is None:
            self._dot.clear()
        else:
            self._dot.setData([drawn.last[0]], [drawn.last[1]])
        few = states is None and drawn.x.size <= _FEW_READINGS
        self._marks.setData(drawn.x if few else [], drawn.y if few else [])
        self._hatch(drawn.gaps)

    @Slot()
    def apply_theme(self) -> None:
        """Colours of the appearance that is on; pyqtgraph fixes its own at creation."""
        colour = self._theme.colour
        self._plot.setBackground(colour("raised"))
        for axis in (self._level, self._clock):
            axis.setPen(pg.mkPen(colour("border")))
            axis.setTextPen(pg.mkPen(colour("text2")))
            axis.setStyle(tickFont=font(12, tabular=True), tickLength=0, tickTextOffset=8)
        self._level.setWidth(_AXIS_PX)
        self._level.setGrid(150)
        self._line.setPen(pg.mkPen(colour("trace"), width=1.6))
        self._dot.setBrush(pg.mkBrush(colour("trace")))
        self._marks.setBrush(pg.mkBrush(colour("trace")))
        self._dot.setPen(pg.mkPen(colour("raised"), width=2))
        for hatch in self._hatches:
            hatch.setBrush(self._hatch_brush())

    def _hatch_brush(self) -> QBrush:
        return QBrush(self._theme.colour("hatch"), Qt.BrushStyle.BDiagPattern)

    def _hatch(self, gaps: Sequence[tuple[float, float]]) -> None:
        item = self._plot.getPlotItem()
        while len(self._hatches) > len(gaps):
            item.removeItem(self._hatches.pop())
        while len(self._hatches) < len(gaps):
            hatch = pg.LinearRegionItem(movable=False, pen=pg.mkPen(None))
            hatch.setBrush(self._hatch_brush())
            hatch.setZValue(-50)
            self._hatches.append(hatch)
            item.addItem(hatch)
        for hatch, gap in zip(self._hatches, gaps, strict=True):
            if not np.allclose(hatch.getRegion(), gap, rtol=0, atol=1e-6):
                hatch.setRegion(gap)
        self.gap_count = len(gaps)
