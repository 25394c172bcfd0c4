"""The card under the table: one live line of the selected device's point, or why there is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QStackedLayout, QVBoxLayout, QWidget

from app.domain.readings import Value
from ui.bridge.console import Console
from ui.pages.devices.past import Past
from ui.pages.devices.state import Line, Point
from ui.pages.devices.words import age_word, value_word
from ui.theme.theme import Theme
from ui.widgets.labels import ElidedLabel, label
from ui.widgets.notice import Notice
from ui.widgets.series import draw_series

if TYPE_CHECKING:
    from ui.widgets.chart import LiveChart

SPAN_S = 600
_SHORTEST_SPAN_S = 30
_REDRAW_MS = 250
"""At most four redraws a second; none while nothing new came, except for the moving clock."""
_FEWEST_DECIMALS_SPAN = 4


class ChartCard(QFrame):
    """Keeps the readings of one point while it is shown, and draws them."""

    def __init__(
        self, console: Console, theme: Theme, zone: tzinfo | None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._console = console
        self._theme = theme
        self._zone = zone
        self._line: Line | None = None
        self._dp = ""
        self._let_go: Callable[[], None] | None = None
        self._chart: LiveChart | None = None
        self._earlier: tuple[list[int], list[Value]] = ([], [])
        self._past = Past(console, self._on_past, self)
        self.setObjectName("card")
        self._title = label("", "section")
        self._unit = label("", "caption")
        self._whose = ElidedLabel("", "caption")
        self._note = label("", "caption")
        self._notice = Notice(theme)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_REDRAW_MS)
        self._timer.timeout.connect(self.redraw)
        self._arrange()
        self.clear()

    @property
    def note(self) -> str:
        """What the corner says about the line."""
        return self._note.text()

    @property
    def shown(self) -> tuple[str, str]:
        """Device and data point on the chart."""
        return (self._line.device if self._line else "", self._dp)

    def clear(self) -> None:
        """Nothing is selected."""
        self._forget()
        self._line, self._dp = None, ""
        self._title.setText("Live chart")
        for text in (self._unit, self._whose, self._note):
            text.setText("")
        self._notice.tell("cpu", "Select a device", "Its readings are drawn here as they come.")
        self._stack.setCurrentWidget(self._notice)

    def show_point(self, line: Line, dp: str) -> None:
        """Draw this point from now on."""
        if self.shown != (line.device, dp):
            self._forget()
            self._line, self._dp = line, dp
            if dp:
                self._let_go = self._console.live.keep_recent(line.device, dp)
                self._past.ask(line, dp, self._console.clock.now_ms() - SPAN_S * 1000)
        self._line = line
        self.redraw()

    def hear(self) -> None:
        """A new reading of this point came: draw soon."""
        if not self._timer.isActive():
            self._timer.start()

    def redraw(self) -> None:
        """Draw what is known at this moment."""
        point = self._point()
        if self._line is None or point is None:
            return
        self._title.setText(point.name)
        self._unit.setText(point.unit)
        self._whose.setText(self._line.name)
        if not point.numeric:
            self._say("eye-off", "This point speaks in words", f"It says: {point.word}.")
            return
        now_ms = self._console.clock.now_ms()
        times, values = self._readings(now_ms)
        if not times:
            self._say(*self._silence(self._line))
            return
        self._draw(point, times, values, now_ms)

    def close_card(self) -> None:
        """Let go of everything that is kept for the chart."""
        self._timer.stop()
        self._forget()

    def _draw(self, point: Point, times: list[int], values: list[float], now_ms: int) -> None:
        line = self._line
        assert line is not None
        is_switch = isinstance(point.raw, bool)
        drawn = draw_series(times, values, now_ms, expected_s=_expected_s(line), steps=is_switch)
        first_s = max(times[0] / 1000, now_ms / 1000 - SPAN_S)
        first_s = min(first_s, now_ms / 1000 - _SHORTEST_SPAN_S)
        states = None
        if is_switch:
            states = (value_word(point.spec, False), value_word(point.spec, True))
        chart = self._open_chart()
        smallest = _FEWEST_DECIMALS_SPAN * 10.0**-point.spec.scale
        chart.show_line(drawn, (first_s, now_ms / 1000 + 1), smallest_span=smallest, states=states)
        covered = f"last {age_word(int(now_ms - first_s * 1000))}"
        if drawn.gaps and drawn.gaps[-1][1] >= now_ms / 1000:
            self._note.setText(f"No report for {age_word(now_ms - times[-1])} · {covered}")
        elif drawn.gaps:
            self._note.setText(f"Hatched: nothing reported · {covered}")
        else:
            self._note.setText(f"Live · {covered}")
        chart.setAccessibleName(
            f"{point.name} of {line.name}, {covered}, now {point.text}. {self._note.text()}"
        )
        self._stack.setCurrentWidget(chart)

    def _readings(self, now_ms: int) -> tuple[list[int], list[float]]:
        """Earlier readings from the history, then those kept since; numbers only, as shown."""
        point = self._point()
        assert self._line is not None
        assert point is not None
        kept_at, kept = self._console.live.recent(self._line.device, self._dp)
        before_at, before = self._earlier
        border = kept_at[0] if kept_at else now_ms + 1
        oldest = now_ms - SPAN_S * 1000
        both: list[tuple[int, Value]] = [
            (at, value)
            for at, value in zip(before_at, before, strict=True)
            if oldest <= at < border
        ]
        # One reading before the window holds the line's beginning.
        both += [(at, v) for at, v in zip(kept_at, kept, strict=True) if at >= oldest]
        shown = [(at, point.spec.shown(value)) for at, value in both]
        numbers = [(at, float(v)) for at, v in shown if isinstance(v, bool | int | float)]
        return [at for at, _ in numbers], [value for _, value in numbers]

    def _on_past(self, device: str, dp: str, times: Sequence[int], values: Sequence[Value]) -> None:
        if self.shown == (device, dp):
            self._earlier = (list(times), list(values))
            self.redraw()

    def _silence(self, line: Line) -> tuple[str, str, str]:
        if line.last_report_ms is None:
            return "eye-off", "Nothing reported yet", line.sentence
        ago = age_word(self._console.clock.now_ms() - line.last_report_ms)
        return (
            "eye-off",
            f"Nothing reported in the last {age_word(SPAN_S * 1000)}",
            (line.sentence or f"Its last report was {ago} ago."),
        )

    def _say(self, icon_name: str, what: str, do: str) -> None:
        self._note.setText("")
        self._notice.tell(icon_name, what, do)
        self._stack.setCurrentWidget(self._notice)

    def _open_chart(self) -> LiveChart:
        if self._chart is None:
            # pyqtgraph costs a quarter of a second to import: not before somebody looks.
            from ui.widgets.chart import LiveChart  # noqa: PLC0415

            self._chart = LiveChart(self._theme, self._zone)
            self._stack.addWidget(self._chart)
        return self._chart

    def _point(self) -> Point | None:
        return self._line.points.get(self._dp) if self._line else None

    def _forget(self) -> None:
        if self._let_go is not None:
            self._let_go()
            self._let_go = None
        self._earlier = ([], [])
        self._past.release()

    def _arrange(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 10, 12, 8)
        column.setSpacing(6)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self._title)
        head.addWidget(self._unit)
        head.addWidget(self._whose, 1)
        head.addWidget(self._note)
        column.addLayout(head)
        body = QWidget()
        body.setObjectName("body")
        self._stack = QStackedLayout(body)
        self._stack.addWidget(self._notice)
        column.addWidget(body, 1)


def _expected_s(line: Line) -> float | None:
    row = line.row
    if row.interval_s is not None:
        return row.interval_s
    if row.next_expected_ms is not None and row.last_report_ms is not None:
        expected = (row.next_expected_ms - row.last_report_ms) / 1000
        return expected if expected > 60 else None
    return None
