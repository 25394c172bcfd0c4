"""A device and its points as the window and the command line show them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from app.domain.instants import iso
from app.domain.points import PointSpec
from app.domain.readings import Reading, Value
from app.domain.words import Connection, ControlClass, Path, Quality


@dataclass(frozen=True, slots=True)
class PointView:
    """One data point. `value` is what a person reads (scaled); None when nothing was reported.

    `at_ms` is UTC ms. `label` is how the point is named as an argument: its code, else `dp:N`.
    """

    dp: str
    code: str
    name: str
    value: Value | None
    unit: str
    at_ms: int | None
    quality: Quality | None
    writable: bool
    control_class: ControlClass
    spec: PointSpec = field(repr=False)

    @property
    def label(self) -> str:
        """The POINT argument that names it."""
        return point_label(self.spec)

    def document(self) -> dict[str, Any]:
        """The point as JSON shows it."""
        return {
            "dp": self.dp,
            "code": self.code or None,
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "at": iso(self.at_ms),
            "quality": self.quality.value if self.quality else None,
            "writable": self.writable,
            "class": self.control_class.value,
        }


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """One device with its asset, place, connection and points; what a table shows.

    `id` is the Tuya id, `record` the device record's id, `asset` the asset's id (None when it is
    not bound), `name` the asset's name. `points` has the headline point first. Times are UTC ms.
    """

    id: str
    record: str
    asset: str | None
    name: str
    site: str
    site_id: str
    place: tuple[str, ...]
    tags: tuple[str, ...]
    category: str
    profile: str
    connection: Connection
    since_ms: int | None
    sentence: str
    path: Path
    health: str
    reasons: tuple[str, ...]
    ip: str | None
    port: int
    version: str | None
    parent: str | None
    last_report_ms: int | None
    next_expected_ms: int | None
    interval_s: float | None = None
    paused: bool = False
    points: tuple[PointView, ...] = ()

    def point(self, dp: str) -> PointView | None:
        """The view of one data point number."""
        return next((view for view in self.points if view.dp == dp), None)

    def document(self) -> dict[str, Any]:
        """The device as JSON shows it."""
        return {
            "id": self.id,
            "asset": self.asset,
            "name": self.name,
            "site": self.site,
            "place": list(self.place),
            "tags": list(self.tags),
            "category": self.category,
            "profile": self.profile or None,
            "connection": self.connection.value,
            "since": iso(self.since_ms),
            "path": self.path.value,
            "health": self.health,
            "reasons": list(self.reasons),
            "ip": self.ip,
            "port": None if self.parent else self.port,
            "version": self.version,
            "parent": self.parent,
            "last_report": iso(self.last_report_ms),
            "next_expected": iso(self.next_expected_ms),
            "interval_s": self.interval_s,
            "paused": self.paused,
            "points": [point.document() for point in self.points],
        }


def point_label(spec: PointSpec) -> str:
    """How a point is named as an argument and as a series: its code, else `dp:N`."""
    return spec.code or f"dp:{spec.dp}"


def point_view(spec: PointSpec, reading: Reading | None, *, stale: bool) -> PointView:
    """The view of a point whose last reading is `reading`; `stale` says it may no longer hold."""
    quality = None
    if reading is not None:
        quality = Quality.STALE if stale and reading.quality is Quality.GOOD else reading.quality
    return PointView(
        dp=spec.dp,
        code=spec.code,
        name=spec.name,
        value=spec.shown(reading.value) if reading is not None else None,
        unit=spec.unit,
        at_ms=reading.at_ms if reading is not None else None,
        quality=quality,
        writable=spec.writable,
        control_class=spec.control_class,
        spec=spec,
    )


_HEADLINES = (
    "co2_value",
    "temp_current",
    "va_temperature",
    "watersensor_state",
    "smoke_sensor_state",
    "smoke_sensor_status",
    "doorcontact_state",
    "valve_state",
    "cur_power",
    "switch_led",
    "switch",
    "switch_1",
    "presence_state",
)
_RANK = {code: rank for rank, code in enumerate(_HEADLINES)}


def headline_order(spec: PointSpec) -> tuple[int, int]:
    """Sorts the point a person looks for first to the front, the rest by data point number."""
    number = int(spec.dp) if spec.dp.isdigit() else 1000
    return _RANK.get(spec.code, len(_RANK)), number
