"""Data points as the vendor's mapping describes them: type, scale, unit, range, and their judge."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.domain.errors import InvalidRequest
from app.domain.readings import Value
from app.domain.words import ControlClass, Quality

MAX_POINTS = 256
"""A device with more data points than a byte can number is not a device."""

_TYPES = {
    "boolean": "bool",
    "bool": "bool",
    "integer": "value",
    "value": "value",
    "enum": "enum",
    "string": "string",
    "json": "json",
    "raw": "raw",
    "bitmap": "bitmap",
    "fault": "bitmap",
}
# Codes that every published instruction set of the vendor uses for measurements and status; the
# mapping itself does not say which points can be written.
_READ_ONLY = re.compile(
    r"^(cur_|va_|temp_current|humidity_(value|current)|co2_value|battery|watersensor|smoke_sensor"
    r"|doorcontact|fault|add_ele|total_|forward_energy|work_power|phase_|sim_stamp|pm25_value"
    r"|leakage_current|valve_state|work_state|tamper|presence_state|bright_value$)"
)


@dataclass(frozen=True, slots=True)
class PointSpec:
    """What one data point means. `dp` is its number as text, `code` its name in the mapping."""

    dp: str
    code: str
    type: str = "unknown"
    unit: str = ""
    scale: int = 0
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    choices: tuple[str, ...] = ()
    writable: bool = True
    control_class: ControlClass = ControlClass.COMFORT

    @property
    def name(self) -> str:
        """The code as words, for a person."""
        return self.code.replace("_", " ").capitalize() if self.code else f"Point {self.dp}"

    def shown(self, raw: Value) -> Value:
        """The value a person reads: integers divided by 10 to the `scale`; all else unchanged."""
        if self.scale and isinstance(raw, int | float) and not isinstance(raw, bool):
            return float(round(raw / 10**self.scale, self.scale))
        return raw

    def judge(self, raw: Value) -> Quality:
        """`good`, `out_of_range` or `invalid`, from the mapping alone."""
        if self.type == "bool":
            return Quality.GOOD if isinstance(raw, bool) else Quality.INVALID
        if self.type in ("value", "bitmap"):
            if isinstance(raw, bool) or not isinstance(raw, int | float):
                return Quality.INVALID
            low = self.minimum is not None and raw < self.minimum
            high = self.maximum is not None and raw > self.maximum
            return Quality.OUT_OF_RANGE if low or high else Quality.GOOD
        if self.type == "enum":
            if not isinstance(raw, str):
                return Quality.INVALID
            return (
                Quality.OUT_OF_RANGE if self.choices and raw not in self.choices else Quality.GOOD
            )
        if self.type in ("string", "raw", "json"):
            return Quality.GOOD if isinstance(raw, str) else Quality.INVALID
        return Quality.GOOD

    def raw(self, shown: Value) -> Value:
        """The raw value to write for what a person asked.

        Raises:
            InvalidRequest: wrong type, outside the range or not one of the choices.
        """
        if not self.writable:
            raise self._no(
                "is reported by the device and cannot be set", "Choose a point that can."
            )
        if self.type == "value":
            return self._raw_number(shown)
        if self.type == "bool" and not isinstance(shown, bool):
            raise self._no(f"is on or off, not {shown!r}", "Write on or off.")
        if self.type == "enum" and self.choices and shown not in self.choices:
            raise self._no(f"has no choice {shown!r}", f"Choose one of {', '.join(self.choices)}.")
        if self.type in ("string", "raw", "json", "enum") and not isinstance(shown, str):
            raise self._no(f"takes text, not {shown!r}", "Write it in quotes.")
        if self.type == "bitmap" and (isinstance(shown, bool) or not isinstance(shown, int)):
            raise self._no(f"takes a whole number, not {shown!r}", "Write a whole number.")
        return shown

    def _raw_number(self, shown: Value) -> int:
        if isinstance(shown, bool) or not isinstance(shown, int | float):
            raise self._no(f"takes a number, not {shown!r}", "Write a number.")
        if not abs(shown) < 1e15:
            raise self._no(f"takes a number, not {shown!r}", "Write a number.")
        exact: float = round(shown * 10**self.scale, 6)
        raw = round(exact)
        if abs(exact - raw) > 1e-6:
            smallest = f"{10**-self.scale:g}"
            raise self._no(f"counts in steps of {smallest}", f"Round {shown:g} to {smallest}.")
        low, high = self.minimum, self.maximum
        if (low is not None and raw < low) or (high is not None and raw > high):
            ends = [None if end is None else self.shown(end) for end in (low, high)]
            unit = f" {self.unit}" if self.unit else ""
            raise self._no(
                f"takes {ends[0]} to {ends[1]}{unit}, not {shown:g}", "Stay inside the range."
            )
        return raw

    def _no(self, what: str, do: str) -> InvalidRequest:
        label = self.code or f"dp:{self.dp}"
        return InvalidRequest("point.value_refused", f"{label} {what}.", where=label, do=do)


def unmapped(dp: str) -> PointSpec:
    """A point the mapping does not name: shown and charted all the same."""
    return PointSpec(dp=dp, code="")


def parse_mapping(mapping: object, *, where: str) -> dict[str, PointSpec]:
    """Points by data point number from an inventory's `mapping`, whatever its odd shapes.

    Each entry is `{"code", "type", "values"}`; `values` may be a dict or JSON text of one.

    Raises:
        InvalidRequest: not a dict, too many entries, a number that is no data point.
    """
    if mapping is None:
        return {}
    if not isinstance(mapping, Mapping):
        raise _bad_mapping("The mapping is not a table of data points.", where)
    if len(mapping) > MAX_POINTS:
        raise _bad_mapping(f"The mapping names {len(mapping)} data points.", where)
    points = {}
    for dp, entry in mapping.items():
        if not str(dp).isascii() or not str(dp).isdigit() or not 0 < int(dp) <= 255:
            raise _bad_mapping(f"'{str(dp)[:20]}' is not a data point number.", where)
        if isinstance(entry, Mapping):
            points[str(int(dp))] = _parse_point(str(int(dp)), entry)
    return points


def _parse_point(dp: str, entry: Mapping[str, Any]) -> PointSpec:
    values = entry.get("values")
    if isinstance(values, str):
        try:
            values = json.loads(values[:10_000])
        except (ValueError, RecursionError):
            values = {}
    if not isinstance(values, Mapping):
        values = {}
    code = str(entry.get("code") or "")[:64]
    kind = _TYPES.get(str(entry.get("type", "")).lower(), "unknown")
    scale = values.get("scale")
    access = str(entry.get("mode") or entry.get("access") or "")
    choices = values.get("range")
    return PointSpec(
        dp=dp,
        code=code,
        type=kind,
        unit=str(values.get("unit") or "")[:16],
        scale=scale if isinstance(scale, int) and 0 <= scale <= 9 else 0,
        minimum=_number(values.get("min")),
        maximum=_number(values.get("max")),
        step=_number(values.get("step")),
        choices=tuple(str(c)[:64] for c in choices[:256]) if isinstance(choices, list) else (),
        writable=access != "ro" if access else _READ_ONLY.match(code) is None,
    )


def _number(value: object) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15:
        return value
    return None


def _bad_mapping(what: str, where: str) -> InvalidRequest:
    return InvalidRequest(
        "inventory.mapping", what, where=where, do="Export the inventory again, or leave it out."
    )
