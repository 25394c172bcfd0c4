"""The words of the device page: connection, values, ages, names of points. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from app.domain.points import PointSpec
from app.domain.readings import Value
from app.domain.words import Connection, Outcome, Path
from ui.widgets.marks import ChipStyle, Shape


class Group(IntEnum):
    """The segments above the table, in their order."""

    ALL = 0
    ATTENTION = 1
    ASLEEP = 2
    UNOBSERVED = 3


GROUP_WORDS = ("All", "Needs attention", "Asleep", "Not observed")


@dataclass(frozen=True, slots=True)
class Status:
    """How one connection word looks: word, shape, style, where it is counted, how urgent it is."""

    word: str
    shape: Shape
    style: ChipStyle
    group: Group
    rank: int


_PLAIN, _FAULT, _DASHED = ChipStyle.PLAIN, ChipStyle.FAULT, ChipStyle.DASHED

STATUS: dict[Connection, Status] = {
    Connection.OFFLINE: Status("Offline", Shape.SLASHED, _FAULT, Group.ATTENTION, 0),
    Connection.WRONG_KEY: Status("Wrong key", Shape.KEY, _FAULT, Group.ATTENTION, 1),
    Connection.WRONG_VERSION: Status("Wrong version", Shape.UNEQUAL, _FAULT, Group.ATTENTION, 2),
    Connection.BUSY: Status("Busy", Shape.OVERLAP, _FAULT, Group.ATTENTION, 3),
    Connection.NO_LOCAL_API: Status("No local access", Shape.SLASHED, _FAULT, Group.ATTENTION, 4),
    Connection.SUSPECT: Status("Suspect", Shape.QUESTION, _FAULT, Group.ATTENTION, 5),
    Connection.PARENT_DOWN: Status("Gateway down", Shape.DASHED, _DASHED, Group.UNOBSERVED, 7),
    Connection.SOURCE_DOWN: Status("Source down", Shape.DASHED, _DASHED, Group.UNOBSERVED, 8),
    Connection.CONNECTING: Status("Connecting", Shape.DASHED, _PLAIN, Group.UNOBSERVED, 9),
    Connection.ONLINE: Status("Online", Shape.RING, _PLAIN, Group.ALL, 10),
    Connection.ASLEEP: Status("Asleep", Shape.MOON, _PLAIN, Group.ASLEEP, 11),
    Connection.NOT_HERE: Status("Not here", Shape.DASHED, _DASHED, Group.UNOBSERVED, 12),
    Connection.PAUSED: Status("Paused", Shape.BARS, _DASHED, Group.UNOBSERVED, 13),
    Connection.NEVER_SEEN: Status("Never seen", Shape.DASHED, _DASHED, Group.UNOBSERVED, 14),
}
CONCERN_RANK = 6
"""Where a device stands that is reached but says something a person should look at."""

PATH_WORDS = {
    Path.LAN: "Local",
    Path.CLOUD: "Cloud",
    Path.SERVER: "Server",
    Path.NONE: "None",
}
PATH_ICONS = {
    Path.LAN: "router",
    Path.CLOUD: "cloud",
    Path.SERVER: "server",
    Path.NONE: "eye-off",
}

# The vendor's codes, in the words of the people who keep buildings running.
_POINT_NAMES = {
    "add_ele": "Energy",
    "alarm_state": "Alarm",
    "battery_percentage": "Battery",
    "battery_state": "Battery",
    "battery_value": "Battery",
    "bright_value": "Brightness",
    "bright_value_v2": "Brightness",
    "ch2o_value": "Formaldehyde",
    "co2_value": "CO₂",
    "cur_current": "Current",
    "cur_power": "Power",
    "cur_voltage": "Voltage",
    "doorcontact_state": "Contact",
    "fan_speed_enum": "Fan speed",
    "forward_energy_total": "Energy",
    "humidity_current": "Humidity",
    "humidity_value": "Humidity",
    "leakage_current": "Leakage current",
    "pm25_value": "PM2.5",
    "pir": "Movement",
    "smoke_sensor_state": "Smoke",
    "smoke_sensor_status": "Smoke",
    "switch": "Switch",
    "switch_1": "Switch",
    "switch_led": "Light",
    "temp_current": "Temperature",
    "temp_set": "Set-point",
    "temp_value_v2": "Colour temperature",
    "total_forward_energy": "Energy",
    "va_battery": "Battery",
    "va_humidity": "Humidity",
    "va_temperature": "Temperature",
    "valve_state": "Valve",
    "watersensor_state": "Leak",
    "work_state": "State",
}
_TRUE_FALSE = {
    "doorcontact_state": ("Open", "Closed"),
    "pir": ("Movement", "No movement"),
    "presence_state": ("Present", "Absent"),
    "tamper_alarm": ("Tampered", "Untouched"),
    "temper_alarm": ("Tampered", "Untouched"),
    "child_lock": ("Locked", "Unlocked"),
}
_CHOICES = {
    ("watersensor_state", "alarm"): "Wet",
    ("watersensor_state", "normal"): "Dry",
    ("watersensor_state", "1"): "Wet",
    ("watersensor_state", "2"): "Dry",
    ("smoke_sensor_state", "alarm"): "Smoke",
    ("smoke_sensor_state", "normal"): "Clear",
    ("smoke_sensor_status", "alarm"): "Smoke",
    ("smoke_sensor_status", "normal"): "Clear",
}
_UNITS = {"℃": "°C", "℉": "°F", "kW·h": "kWh", "kwh": "kWh", "KW": "kW", "w": "W"}
_OUTCOMES = {
    Outcome.CONFIRMED: "Confirmed: the device reports {value}.",
    Outcome.UNCONFIRMED: "Not confirmed: the device has not reported {asked}.",
    Outcome.REJECTED: "The device rejected it.",
    Outcome.TIMED_OUT: "No answer in time. It is not known whether the device acted.",
    Outcome.OFFLINE: "Not sent: the device cannot be reached.",
    Outcome.REFUSED: "Not sent: a rule says no.",
}


def outcome_sentence(outcome: Outcome, asked: str, reported: str | None, reason: str) -> str:
    """How a command ended, for the person who pressed the button. Values are already words."""
    if outcome is Outcome.UNCONFIRMED and reported is not None:
        text = f"Not confirmed: asked for {asked}, the device reports {reported}."
    else:
        text = _OUTCOMES[outcome].format(value=reported or asked, asked=asked)
    return f"{text} {reason}".strip()


def point_name(spec: PointSpec) -> str:
    """A point's name for a person."""
    if spec.code in _POINT_NAMES:
        return _POINT_NAMES[spec.code]
    return spec.name


def unit_word(unit: str) -> str:
    """The unit as it is written on screen."""
    return _UNITS.get(unit, unit)


def value_word(spec: PointSpec, raw: Value) -> str:
    """A raw value in words, without its unit."""
    shown = spec.shown(raw)
    if isinstance(shown, bool):
        yes, no = _TRUE_FALSE.get(spec.code, ("On", "Off"))
        return yes if shown else no
    if isinstance(shown, int | float):
        if spec.type == "bitmap":
            return "None" if not shown else f"Fault {int(shown)}"
        return number_word(float(shown), spec.scale)
    text = _CHOICES.get((spec.code, shown))
    if text is None:
        text = shown.strip().replace("_", " ")
        if spec.type == "enum":
            text = text[:1].upper() + text[1:]
    return text[:80] if text else "Empty"


def number_word(value: float, decimals: int) -> str:
    """A number with the decimals its point has, none from 1,000 on, and a true minus."""
    if value != value or abs(value) >= 1e15:  # noqa: PLR0124  the test for not-a-number
        return "Not a number"
    decimals = max(0, min(decimals, 3))
    if abs(value) >= 1_000:
        decimals = 0
    text = f"{abs(value):,.{decimals}f}".replace(",", "\u2009" if abs(value) >= 10_000 else "")
    return f"\u2212{text}" if value < 0 and float(text.replace("\u2009", "")) else text


def with_unit(word: str, unit: str) -> str:
    """A value and its unit as one text."""
    return f"{word} {unit}" if unit else word


def age_word(age_ms: int) -> str:
    """How long ago, in words as short as the column: `9 s`, `2 min`, `3 h 12 min`, `4 d 2 h`.

    A stamp from the future counts as now: clocks differ by a little.
    """
    seconds = max(0, age_ms) // 1000
    if seconds < 60:
        return f"{seconds} s"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86_400
    if minutes < 60:
        return f"{minutes} min"
    if hours < 24:
        left = minutes % 60
        return f"{hours} h {left} min" if left else f"{hours} h"
    left = hours % 24
    return f"{days} d {left} h" if left else f"{days} d"
