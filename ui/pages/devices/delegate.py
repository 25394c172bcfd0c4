"""Paints the cells of the device table; one text call a line and no style machinery."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QTableView

from ui.pages.devices.model import DeviceModel
from ui.pages.devices.state import Column, Line
from ui.pages.devices.words import PATH_ICONS, PATH_WORDS, age_word
from ui.theme.fonts import MEDIUM, REGULAR, STRONG, metrics
from ui.theme.icons import pixmap
from ui.theme.theme import Theme
from ui.widgets.chip import draw_chip
from ui.widgets.marks import Shape
from ui.widgets.paint import draw_shape, text_line, two_lines

PADDING_PX = 12


class DeviceDelegate(QStyledItemDelegate):
    """A row has two lines; a sentence takes the second line across Asset and Reading."""

    def __init__(self, view: QTableView, model: DeviceModel, theme: Theme) -> None:
        super().__init__(view)
        self._view = view
        self._model = model
        self._theme = theme
        self._paint = {
            Column.STATUS: self._status,
            Column.ASSET: self._asset,
            Column.READING: self._reading,
            Column.PATH: self._path,
            Column.LAST_REPORT: self._last_report,
        }

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """Background, hairline, then the cell."""
        rect: QRect = option.rect
        state: QStyle.StateFlag = option.state
        selected = bool(state & QStyle.StateFlag.State_Selected)
        hovered = bool(state & QStyle.StateFlag.State_MouseOver)
        column = Column(index.column())
        painter.save()
        ground = "accent_soft" if selected else "hover" if hovered else "raised"
        painter.fillRect(rect, self._colour(ground))
        painter.fillRect(QRect(rect.left(), rect.bottom(), rect.width(), 1), self._colour("border"))
        if selected and column is Column.STATUS:
            painter.fillRect(
                QRect(rect.left(), rect.top(), 3, rect.height()), self._colour("accent")
            )
        box = QRectF(rect).adjusted(PADDING_PX, 0, -PADDING_PX, -1)
        self._paint[column](painter, box, self._model.line(index.row()))
        if selected and column is Column.ASSET and state & QStyle.StateFlag.State_HasFocus:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(self._colour("accent"), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(rect).adjusted(4, 3, -4, -4), 4, 4)
        painter.restore()

    def _colour(self, token: str) -> QColor:
        return self._theme.colour(token)

    def _status(self, painter: QPainter, box: QRectF, line: Line) -> None:
        status = line.status
        draw_chip(
            painter, box.left(), box.center().y(), status.word, status.shape, status.style,
            self._theme,
        )  # fmt: skip

    def _asset(self, painter: QPainter, box: QRectF, line: Line) -> None:
        first, second = two_lines(box)
        weight = STRONG if line.attention else MEDIUM
        told, _ = line.told
        if not told:
            text_line(painter, first, line.name, self._colour("text"), 13, weight)
            text_line(painter, second, line.place, self._colour("text3"), 12)
            return
        width = text_line(painter, first, line.name, self._colour("text"), 13, weight)
        beside = first.adjusted(width + 8, 0.5, 0, 0.5)
        if beside.width() > 40:
            text_line(painter, beside, line.place, self._colour("text3"), 12)
        self._told(painter, box, line)

    def _told(self, painter: QPainter, box: QRectF, line: Line) -> None:
        """The sentence, drawn in each cell it runs across and clipped to it."""
        left = self._view.columnViewportPosition(Column.ASSET) + PADDING_PX
        width = (
            self._view.columnWidth(Column.ASSET)
            + self._view.columnWidth(Column.READING)
            - 2 * PADDING_PX
        )
        _, second = two_lines(QRectF(left, box.top(), width, box.height()))
        painter.save()
        painter.setClipRect(box.adjusted(-PADDING_PX, 0, PADDING_PX, 0))
        told, caution = line.told
        if not caution:
            text_line(painter, second, told, self._colour("text2"), 12)
        else:
            mark = QRectF(second.left(), second.center().y() - 4.5, 10, 9)
            draw_shape(painter, Shape.DOWN, mark, self._colour("caution_glyph"))
            beside = second.adjusted(15, 0, 0, 0)
            text_line(painter, beside, told, self._colour("caution"), 12, MEDIUM)
        painter.restore()

    def _runs_across(self, line: Line) -> bool:
        """True when the sentence needs the second line of the reading as well."""
        told, caution = line.told
        room = self._view.columnWidth(Column.ASSET) - 2 * PADDING_PX - (15 if caution else 0)
        weight = MEDIUM if caution else REGULAR
        return bool(told) and metrics(12, weight).horizontalAdvance(told) > room

    def _reading(self, painter: QPainter, box: QRectF, line: Line) -> None:
        first, second = two_lines(box)
        point = line.headline
        told = self._runs_across(line)
        if point is None or point.raw is None:
            where = first if told else box
            text_line(painter, where, "No reading yet", self._colour("text3"), 12, right=True)
        else:
            text_line(
                painter, first, point.text, self._colour("text"), 13, STRONG, right=True,
                tabular=True,
            )  # fmt: skip
        if told:
            self._told(painter, box, line)
        elif point is not None and point.raw is not None and point.at_ms is not None:
            text = f"{point.name} · {age_word(self._model.now_ms - point.at_ms)}"
            text_line(painter, second, text, self._colour("text3"), 12, right=True, tabular=True)

    def _path(self, painter: QPainter, box: QRectF, line: Line) -> None:
        path = line.row.path
        picture = pixmap(PATH_ICONS[path], self._theme.tokens.text3, 15)
        painter.drawPixmap(QPointF(box.left(), box.center().y() - 7.5), picture)
        text_line(painter, box.adjusted(22, 0, 8, 0), PATH_WORDS[path], self._colour("text2"))

    def _last_report(self, painter: QPainter, box: QRectF, line: Line) -> None:
        at_ms = line.last_report_ms
        text = "Never" if at_ms is None else age_word(self._model.now_ms - at_ms)
        text_line(painter, box, text, self._colour("text2"), 13, tabular=True)
