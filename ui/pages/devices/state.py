"""What the device table holds: lines with their words, live values, filter and order. No Qt.

Lines are made off the main thread from the directory's rows. On the main thread a live value only
writes into its line; sorting and filtering work on one list of positions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from app.domain.points import PointSpec, unmapped
from app.domain.readings import CONNECTION_POINT, Reading, Value
from app.domain.words import Connection, Path, Quality
from app.services.views import DeviceRow, PointView
from ui.pages.devices.words import (
    CONCERN_RANK,
    STATUS,
    Group,
    Status,
    age_word,
    point_name,
    unit_word,
    value_word,
    with_unit,
)
from ui.widgets.marks import ChipStyle

LOW_BATTERY_PERCENT = 15
_REACHED = (Connection.ONLINE, Connection.ASLEEP, Connection.SUSPECT)
_INTERNAL_CODES = ("sim_stamp_ns",)
"""Points that measure the program rather than the building; never shown."""


class Column(IntEnum):
    """The table's columns, in their order."""

    STATUS = 0
    ASSET = 1
    READING = 2
    PATH = 3
    LAST_REPORT = 4


COLUMN_WORDS = ("Status", "Asset", "Reading", "Path", "Last report")


@dataclass(slots=True)
class Point:
    """One data point of a device with its last value, raw."""

    spec: PointSpec
    name: str
    unit: str
    raw: Value | None = None
    at_ms: int | None = None
    quality: Quality | None = None

    @property
    def label(self) -> str:
        """The argument that names this point in a command."""
        return self.spec.code or f"dp:{self.spec.dp}"

    @property
    def word(self) -> str:
        """The value in words without its unit; a dash when nothing was reported."""
        return "–" if self.raw is None else value_word(self.spec, self.raw)

    @property
    def text(self) -> str:
        """Value and unit."""
        return self.word if self.raw is None else with_unit(self.word, self.unit)

    @property
    def numeric(self) -> bool:
        """True when a line can be drawn of it: numbers, and on or off."""
        if self.raw is None:
            return self.spec.type in ("value", "bool")
        return isinstance(self.raw, bool | int | float) and self.spec.type != "bitmap"

    @property
    def switchable(self) -> bool:
        """True for what a person can turn on and off here."""
        return self.spec.type == "bool" and self.spec.writable


@dataclass(slots=True)
class Line:
    """One device as the table shows it. Live values are written into it on the main thread."""

    device: str
    name: str
    place: str
    row: DeviceRow
    status: Status
    points: dict[str, Point]
    headline: Point | None
    last_report_ms: int | None
    sentence: str = ""
    concern: str = ""
    hidden: frozenset[str] = frozenset()
    haystack: str = field(default="", repr=False)
    sort_name: str = ""

    @property
    def attention(self) -> bool:
        """True when a person should look at this device."""
        return self.status.group is Group.ATTENTION or bool(self.concern)

    @property
    def switchable(self) -> bool:
        """True while a command has a way to the device."""
        return self.row.connection in _REACHED and self.row.path is not Path.NONE

    @property
    def told(self) -> tuple[str, bool]:
        """The sentence on the second line, and whether it is a caution rather than a state.

        A device that is reached says what is wrong with what it reports; one that is not says why.
        """
        if self.concern and self.status.style is ChipStyle.PLAIN:
            return self.concern, True
        return self.sentence, False

    @property
    def rank(self) -> int:
        """How far up it stands in the order of urgency; 0 is first."""
        return min(self.status.rank, CONCERN_RANK) if self.concern else self.status.rank

    def take(self, reading: Reading) -> bool:
        """Write a live value; False when it is no data point."""
        if reading.point == CONNECTION_POINT or reading.point in self.hidden:
            return False
        point = self.points.get(reading.point)
        if point is None:
            point = self.points[reading.point] = _unmapped_point(reading.point)
        # What arrived last holds, whatever its stamp: a computer's clock can be set back.
        point.raw, point.at_ms, point.quality = reading.value, reading.at_ms, reading.quality
        if self.last_report_ms is None or reading.at_ms > self.last_report_ms:
            self.last_report_ms = reading.at_ms
        self.concern = concern(self.points.values())
        return True


def make_lines(rows: Sequence[DeviceRow], earlier: Sequence[Line] = ()) -> list[Line]:
    """The table's lines by name; plain Python that runs on a jobs thread.

    A row that is the same object as in `earlier` keeps its line, and what was written into it.
    """
    known = {line.device: line for line in earlier}
    lines = []
    for row in rows:
        line = known.get(row.id)
        lines.append(line if line is not None and line.row is row else _line(row))
    lines.sort(key=_name_key)
    return lines


def _name_key(line: Line) -> tuple[str, str]:
    return line.sort_name, line.place


def concern(points: Iterable[Point]) -> str:
    """What a reached device says that a person should look at, in one sentence; empty if nothing.

    Only what the readings themselves prove: no limit is invented here.
    """
    for point in points:
        raw, code = point.raw, point.spec.code
        if raw is None:
            continue
        if code in ("battery_percentage", "va_battery") and _at_most(raw, LOW_BATTERY_PERCENT):
            return f"Battery {point.text}, replace it soon"
        if code == "battery_state" and raw == "low":
            return "Battery low, replace it soon"
        if point.spec.type == "bitmap" and isinstance(raw, int) and raw > 0:
            return f"It reports a fault of its own, code {raw}"
        if code in ("watersensor_state", "smoke_sensor_state", "smoke_sensor_status") and (
            raw in ("alarm", "1")
        ):
            return f"Reports {point.word.lower()}"
        if point.quality is Quality.OUT_OF_RANGE:
            return f"{point.name} {point.text} is outside its range"
    return ""


def _line(row: DeviceRow) -> Line:
    points = {view.dp: _point(view) for view in row.points if view.code not in _INTERNAL_CODES}
    status = STATUS[row.connection]
    place = " · ".join(row.place) if row.place else "No place yet"
    line = Line(
        device=row.id,
        name=row.name,
        place=place,
        row=row,
        status=status,
        points=points,
        headline=next(iter(points.values()), None),
        last_report_ms=row.last_report_ms,
        sentence=_sentence(row, status),
        hidden=frozenset(view.dp for view in row.points if view.code in _INTERNAL_CODES),
        sort_name=row.name.casefold(),
    )
    line.concern = concern(points.values()) or _reason(row)
    line.haystack = " ".join(
        (row.name, place, row.site, row.category, row.profile, row.ip or "", row.id, status.word,
         line.sentence, line.concern, *row.tags)
    ).casefold()  # fmt: skip
    return line


def _sentence(row: DeviceRow, status: Status) -> str:
    if row.connection is Connection.ONLINE:
        return ""
    return row.sentence or ("" if row.connection is Connection.CONNECTING else f"{status.word}.")


def _reason(row: DeviceRow) -> str:
    """A reason the core gives that is not the connection itself."""
    if row.connection not in (Connection.ONLINE, Connection.ASLEEP):
        return ""
    return next((reason for reason in row.reasons if reason and reason != row.sentence), "")


def _point(view: PointView) -> Point:
    raw: Value | None = view.value
    if raw is not None and view.spec.scale and isinstance(raw, int | float):
        raw = raw if isinstance(raw, bool) else round(raw * 10**view.spec.scale)
    return Point(
        spec=view.spec,
        name=point_name(view.spec),
        unit=unit_word(view.spec.unit),
        raw=raw,
        at_ms=view.at_ms,
        quality=view.quality,
    )


def _unmapped_point(point: str) -> Point:
    spec = unmapped(point)
    return Point(spec=spec, name=point_name(spec), unit="")


def _at_most(raw: Value, limit: float) -> bool:
    return isinstance(raw, int | float) and not isinstance(raw, bool) and raw <= limit


class Ledger:
    """All lines, which of them are shown, and in which order."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.order: list[int] = []
        self.group = Group.ALL
        self.words: tuple[str, ...] = ()
        self.sort: Column | None = None
        self.descending = False
        self._heard: set[str] = set()
        self._index: dict[str, int] = {}
        self._rows: dict[int, int] = {}

    def replace(self, lines: list[Line]) -> None:
        """Take fresh lines from `make_lines`; values heard meanwhile that are newer stay."""
        before = self.lines
        index = {line.device: at for at, line in enumerate(lines)}
        for device in self._heard:
            old, now = self._index.get(device), index.get(device)
            if old is not None and now is not None and before[old] is not lines[now]:
                _keep_newer(before[old], lines[now])
        self._heard.clear()
        self.lines = lines
        self._index = index
        self.arrange()

    def arrange(self) -> None:
        """Filter and sort afresh."""
        if self.group is Group.ALL and not self.words:
            chosen = list(range(len(self.lines)))
        else:
            chosen = [at for at, line in enumerate(self.lines) if self._passes(line)]
        # Lines are in the order of names already, and sorting keeps what is equal in place.
        if self.sort is None or self.sort is Column.STATUS:
            chosen.sort(key=self._by_rank, reverse=self.descending)
        elif self.sort is not Column.ASSET:
            chosen.sort(key=_KEYS[self.sort](self.lines), reverse=self.descending)
        elif self.descending:
            chosen.reverse()
        self.order = chosen
        self._rows = {at: row for row, at in enumerate(chosen)}

    def counts(self) -> tuple[int, int, int, int]:
        """How many devices each segment holds, whatever the filter words say."""
        attention = asleep = unobserved = 0
        for line in self.lines:
            group = line.status.group
            if group is Group.ATTENTION or line.concern:
                attention += 1
            if group is Group.ASLEEP:
                asleep += 1
            elif group is Group.UNOBSERVED:
                unobserved += 1
        return len(self.lines), attention, asleep, unobserved

    def line(self, row: int) -> Line:
        """The line shown in `row`."""
        return self.lines[self.order[row]]

    def find(self, device: str) -> Line | None:
        """A device's line, shown or not."""
        at = self._index.get(device)
        return None if at is None else self.lines[at]

    def row_of(self, device: str) -> int | None:
        """The row a device is shown in, None when it is filtered out."""
        at = self._index.get(device)
        return None if at is None else self._rows.get(at)

    def take(self, fresh: Mapping[tuple[str, str], Reading]) -> set[int]:
        """Write live values into their lines; the rows that look different now."""
        dirty = set()
        for (device, _), reading in fresh.items():
            at = self._index.get(device)
            if at is None or not self.lines[at].take(reading):
                continue
            self._heard.add(device)
            if at in self._rows:
                dirty.add(self._rows[at])
        return dirty

    def _passes(self, line: Line) -> bool:
        group = self.group
        if group is Group.ATTENTION and not line.attention:
            return False
        if group in (Group.ASLEEP, Group.UNOBSERVED) and line.status.group is not group:
            return False
        return all(word in line.haystack for word in self.words)

    def _by_rank(self, at: int) -> int:
        return self.lines[at].rank


_OVERTAKEN_MS = 10_000
"""A live value may overtake rows that were being read; further apart the clock was set back."""


def _keep_newer(old: Line, fresh: Line) -> None:
    for dp, before in old.points.items():
        if before.at_ms is None:
            continue
        now = fresh.points.get(dp)
        if now is None:
            fresh.points[dp] = before
        elif now.at_ms is None or 0 < before.at_ms - now.at_ms < _OVERTAKEN_MS:
            now.raw, now.at_ms, now.quality = before.raw, before.at_ms, before.quality
    fresh.last_report_ms = _later(old.last_report_ms, fresh.last_report_ms)


def _later(before_ms: int | None, now_ms: int | None) -> int | None:
    if before_ms is None or now_ms is None:
        return now_ms if before_ms is None else before_ms
    return before_ms if 0 < before_ms - now_ms < _OVERTAKEN_MS else now_ms


def _reading_key(lines: Sequence[Line]) -> Callable[[int], tuple[str, str, float]]:
    # Numbers of one unit belong together: 40 % is not more than 21 °C.
    def key(at: int) -> tuple[str, str, float]:
        point = lines[at].headline
        if point is None or point.raw is None:
            return "\uffff", "", 0.0
        shown = point.spec.shown(point.raw)
        if isinstance(shown, bool | int | float):
            return point.unit, "", float(shown)
        return point.unit, point.word, 0.0

    return key


def _path_key(lines: Sequence[Line]) -> Callable[[int], str]:
    def key(at: int) -> str:
        path = lines[at].row.path
        return "~" if path is Path.NONE else path.value

    return key


def _report_key(lines: Sequence[Line]) -> Callable[[int], int]:
    def key(at: int) -> int:
        return -(lines[at].last_report_ms or 0)

    return key


_KEYS: dict[Column, Callable[[Sequence[Line]], Callable[[int], Any]]] = {
    Column.READING: _reading_key,
    Column.PATH: _path_key,
    Column.LAST_REPORT: _report_key,
}


def spoken(line: Line, column: Column, now_ms: int) -> str:
    """A cell in words, for a screen reader and for tests."""
    if column is Column.STATUS:
        return line.status.word
    if column is Column.ASSET:
        more, _ = line.told
        return f"{line.name}, {line.place}" + (f". {more}" if more else "")
    if column is Column.READING:
        return f"{line.headline.name} {line.headline.text}" if line.headline else "Nothing reported"
    if column is Column.PATH:
        return {Path.LAN: "Local", Path.CLOUD: "Cloud", Path.SERVER: "Server"}.get(
            line.row.path, "None"
        )
    if line.last_report_ms is None:
        return "Never"
    return f"{age_word(now_ms - line.last_report_ms)} ago"
