"""Lists in words: columns that line up, values as a person writes them."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.readings import Value
from app.services.views import PointView

MAX_CELL = 48


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Rows under a head, two spaces between columns; long cells are cut with an ellipsis."""
    cells = [tuple(_cell(value) for value in row) for row in (head, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    lines = ("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in cells)
    return "\n".join(line.rstrip() for line in lines)


def shown(value: Value | None, unit: str = "") -> str:
    """A value with its unit: `on` and `off` for switches, a dash for nothing."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "on" if value else "off"
    text = f"{value:g}" if isinstance(value, float) and abs(value) < 1e6 else str(value)
    return f"{text} {unit}" if unit else text


def point_rows(points: Sequence[PointView]) -> str:
    """The points of one device."""
    rows = [
        (p.label, shown(p.value, p.unit), p.quality.value if p.quality else "-") for p in points
    ]
    return table(("Point", "Value", "Quality"), rows)


def counted(number: int, thing: str) -> str:
    """`1 device`, `2 devices`."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _cell(value: object) -> str:
    text = "".join(c if c.isprintable() else " " for c in str(value))
    return text if len(text) <= MAX_CELL else text[: MAX_CELL - 1] + "…"
