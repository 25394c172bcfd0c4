"""The kinds of device in the building: category, data points, and how they follow the world."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from app.domain.readings import Value
from app.simulator.world import DAY_S, World

if TYPE_CHECKING:
    from app.simulator.unit import Unit

STAMP_DP = "250"
STAMP_CODE = "sim_stamp_ns"
OVERLOAD_FACTOR = 1.9


@dataclass(frozen=True, slots=True)
class Point:
    """One data point as the vendor's mapping describes it, and its value at the start."""

    code: str
    type: str
    initial: Value
    low: int | None = None
    high: int | None = None
    scale: int = 0
    step: int = 1
    unit: str = ""
    choices: tuple[str, ...] = ()

    def mapping(self) -> dict[str, Any]:
        """The entry of an exported `mapping`."""
        values: dict[str, Any] = {}
        if self.type == "Integer":
            values = {"unit": self.unit, "scale": self.scale, "step": self.step}
            if self.low is not None and self.high is not None:
                values |= {"min": self.low, "max": self.high}
        elif self.type == "Enum":
            values = {"range": list(self.choices)}
        elif self.type == "String":
            values = {"maxlen": 255}
        return {"code": self.code, "type": self.type, "values": values}

    def takes(self, value: object) -> bool:
        """Whether a written value has this point's type; a range is not judged here."""
        if self.type == "Boolean":
            return isinstance(value, bool)
        if self.type in ("Integer", "Bitmap"):
            return isinstance(value, int) and not isinstance(value, bool)
        return isinstance(value, str)

    def within(self, value: Value) -> bool:
        """Whether a written value of the right type is one the device can have."""
        if self.type == "Enum":
            return value in self.choices
        if self.type == "Integer" and self.low is not None and self.high is not None:
            return self.low <= int(value) <= self.high
        return True


Behave = Callable[["Unit", World, Random], None]
Load = Callable[["Unit", World], float]


def no_load(_unit: Unit, _world: World) -> float:
    """Draws nothing worth counting."""
    return 0.0


@dataclass(frozen=True, slots=True)
class Kind:
    """One product: `behave` sets its data points from the world, `load` is its power in watts."""

    word: str
    category: str
    product_id: str
    points: Mapping[str, Point]
    behave: Behave
    load: Load = no_load
    headline: str = "1"
    sleepy: bool = False
    battery: str | None = None
    refreshes: bool = False
    nominal_w: float = 0.0
    power: str | None = None
    tags: frozenset[str] = field(default_factory=frozenset)


def _flag(code: str, value: bool = False) -> Point:
    return Point(code, "Boolean", value)


def _number(
    code: str, value: int, low: int, high: int, *, scale: int = 0, unit: str = "", step: int = 1
) -> Point:
    return Point(code, "Integer", value, low, high, scale, step, unit)


def _choice(code: str, value: str, *choices: str) -> Point:
    return Point(code, "Enum", value, choices=choices)


_METERING = {
    "17": _number("add_ele", 0, 0, 500_000_000, scale=3, unit="kWh"),
    "18": _number("cur_current", 0, 0, 100_000, unit="mA"),
    "19": _number("cur_power", 0, 0, 1_000_000, scale=1, unit="W"),
    "20": _number("cur_voltage", 2300, 0, 5000, scale=1, unit="V"),
}


def _meter(unit: Unit, world: World, chance: Random) -> None:
    """Voltage of the grid, power and current of the unit's own load, energy added up."""
    volts = 230.5 + 3 * math.sin(world.time_s / 5400) + chance.gauss(0, 0.4)
    watts = unit.load_w * chance.gauss(1, 0.006)
    unit.dps["20"] = round(volts * 10)
    unit.dps["19"] = max(0, round(watts * 10))
    unit.dps["18"] = max(0, round(watts / volts / 0.93 * 1000))
    unit.dps["17"] = round(unit.energy_wh)


def _motor_load(unit: Unit, world: World) -> float:
    if not unit.dps["1"]:
        return 0.0
    swing = 1 + 0.05 * math.sin(world.time_s / 700 + unit.phase)
    return unit.kind.nominal_w * unit.size * swing * (OVERLOAD_FACTOR if unit.overload else 1.0)


def _motor(unit: Unit, world: World, chance: Random) -> None:
    _meter(unit, world, chance)
    unit.dps["26"] = 2 if unit.overload and unit.dps["1"] else 0


def _fan(unit: Unit, world: World, chance: Random) -> None:
    """As a motor, switched by the time programme when it changes; in between people may."""
    day = world.workday and 6 * 3600 <= world.time_s % DAY_S < 20 * 3600
    if day != unit.memory.get("day"):
        unit.memory["day"] = day
        unit.dps["1"] = day
    _motor(unit, world, chance)


def _socket_load(unit: Unit, _world: World) -> float:
    if not unit.dps["1"]:
        return 0.0
    people = unit.room.occupied
    return (4 + people * unit.kind.nominal_w * unit.size) * (
        OVERLOAD_FACTOR if unit.overload else 1.0
    )


def _light_load(unit: Unit, _world: World) -> float:
    if not unit.dps["20"]:
        return 0.5
    return unit.kind.nominal_w * unit.size * int(unit.dps["22"]) / 1000


def _light(unit: Unit, _world: World, _chance: Random) -> None:
    busy = unit.room.occupied > 0.15
    if busy != unit.memory.get("busy"):
        unit.memory["busy"] = busy
        unit.dps["20"] = busy


def _thermostat(unit: Unit, _world: World, chance: Random) -> None:
    room = unit.room
    asked = int(unit.dps["2"]) / 10 if unit.dps["1"] else 8.0
    room.setpoint_c = asked
    unit.dps["3"] = round(room.temperature_c * 10 + chance.gauss(0, 0.3))
    unit.dps["5"] = "heating" if room.valve > 0.2 else "idle"
    unit.dps["101"] = round(room.valve * 100)


def _radiator(unit: Unit, _world: World, chance: Random) -> None:
    unit.room.setpoint_c = int(unit.dps["16"]) / 10
    unit.dps["24"] = round(unit.room.temperature_c * 10 + chance.gauss(0, 0.3))
    unit.dps["101"] = round(unit.room.valve * 100)


def _climate(unit: Unit, _world: World, chance: Random) -> None:
    unit.dps["1"] = round(unit.room.temperature_c * 10 + chance.gauss(0, 0.4))
    unit.dps["2"] = round(unit.room.humidity + chance.gauss(0, 0.3))


def _air(unit: Unit, _world: World, chance: Random) -> None:
    ppm = round(unit.room.co2_ppm + chance.gauss(0, 4))
    unit.dps["2"] = ppm
    unit.dps["1"] = "alarm" if ppm > 1400 else "normal"
    unit.dps["18"] = round(unit.room.temperature_c * 10 + chance.gauss(0, 0.3))
    unit.dps["19"] = round(unit.room.humidity + chance.gauss(0, 0.3))


def _floor_meter(unit: Unit, world: World, chance: Random) -> None:
    floor = world.floors[unit.room.floor]
    volts = 230.5 + 3 * math.sin(world.time_s / 5400) + chance.gauss(0, 0.4)
    watts = floor.power_w * chance.gauss(1, 0.004)
    unit.dps["1"] = round(floor.energy_wh / 10) + unit.base
    unit.dps["20"] = round(volts * 10)
    unit.dps["19"] = round(watts * 10)
    unit.dps["18"] = round(watts / volts / 0.95 * 1000)


def _breaker(unit: Unit, world: World, chance: Random) -> None:
    share = world.floors[unit.room.floor].power_w * 0.2 if unit.dps["16"] else 0.0
    volts = 230.5 + 3 * math.sin(world.time_s / 5400) + chance.gauss(0, 0.4)
    unit.dps["20"] = round(volts * 10)
    unit.dps["19"] = round(share * 10 * chance.gauss(1, 0.004))
    unit.dps["18"] = round(share / volts / 0.95 * 1000)
    unit.dps["15"] = max(0, round(chance.gauss(3, 0.7)))
    unit.dps["103"] = round(240 + share / 40 + chance.gauss(0, 1))


def _valve(unit: Unit, _world: World, chance: Random) -> None:
    wanted = int(unit.dps["2"]) if unit.dps["1"] else 0
    seen = int(unit.dps["3"])
    unit.dps["3"] = seen + max(-20, min(20, wanted - seen))
    unit.dps["12"] = round(unit.room.temperature_c * 10 + 60 + chance.gauss(0, 1))


def _door(unit: Unit, _world: World, chance: Random) -> None:
    if chance.random() < 0.25 * max(0.02, unit.room.occupied):
        unit.dps["1"] = not unit.dps["1"]


def _still(_unit: Unit, _world: World, _chance: Random) -> None:
    """Nothing moves by itself: leak and smoke sensors, gateways."""


_BATTERY = _number("battery_percentage", 86, 0, 100, unit="%")

THERMOSTAT = Kind(
    "thermostat", "wk", "kthermo7x2wq4bzn", {
        "1": _flag("switch", True),
        "2": _number("temp_set", 210, 50, 350, scale=1, unit="℃", step=5),
        "3": _number("temp_current", 205, -200, 600, scale=1, unit="℃"),
        "4": _choice("mode", "auto", "auto", "manual", "holiday"),
        "5": _choice("work_state", "idle", "heating", "idle"),
        "40": _flag("child_lock"),
        "101": _number("valve_state", 0, 0, 100, unit="%"),
        "110": Point("display_text", "String", "Plant room  B.01 – Büro"),
    }, _thermostat, headline="3",
)  # fmt: skip
AIR = Kind(
    "air quality", "co2bj", "kairq3m8vn2xk6pd", {
        "1": _choice("co2_state", "normal", "alarm", "normal"),
        "2": _number("co2_value", 480, 0, 5000, unit="ppm"),
        "13": _flag("alarm_switch", True),
        "18": _number("temp_current", 210, -200, 800, scale=1, unit="℃"),
        "19": _number("humidity_value", 45, 0, 100, unit="%"),
    }, _air, headline="2",
)  # fmt: skip
METER = Kind(
    "energy meter", "zndb", "kmeter5c9rt1yh8u", {
        "1": _number("total_forward_energy", 0, 0, 999_999_999, scale=2, unit="kWh"),
        "9": Point("fault", "Bitmap", 0),
        "18": _number("cur_current", 0, 0, 1_000_000, unit="mA"),
        "19": _number("cur_power", 0, 0, 5_000_000, scale=1, unit="W"),
        "20": _number("cur_voltage", 2300, 0, 5000, scale=1, unit="V"),
    }, _floor_meter, headline="19", refreshes=True, power="19",
)  # fmt: skip
PUMP = Kind(
    "pump", "kg", "kpump2h4d8s6a1f0", {
        "1": _flag("switch_1", True), "9": _number("countdown_1", 0, 0, 86_400, unit="s"),
        **_METERING, "26": Point("fault", "Bitmap", 0),
    }, _motor, _motor_load, headline="19", refreshes=True, nominal_w=2200, power="19",
    tags=frozenset(("pump",)),
)  # fmt: skip
FAN = Kind(
    "fan", "kg", "kfanr6b3n9m2v5c7", {
        "1": _flag("switch_1", True), "9": _number("countdown_1", 0, 0, 86_400, unit="s"),
        **_METERING, "26": Point("fault", "Bitmap", 0),
    }, _fan, _motor_load, headline="19", refreshes=True, nominal_w=1500, power="19",
    tags=frozenset(("fan",)),
)  # fmt: skip
VALVE = Kind(
    "valve", "sfkzq", "kvalve8j1l5o3p9q", {
        "1": _flag("switch", True), "2": _number("percent_control", 60, 0, 100, unit="%"),
        "3": _number("valve_state", 60, 0, 100, unit="%"),
        "12": _number("temp_current", 280, -200, 1200, scale=1, unit="℃"),
        "14": Point("fault", "Bitmap", 0),
    }, _valve, headline="3",
)  # fmt: skip
BREAKER = Kind(
    "breaker", "dlq", "kbreak4g7t0y2w6e", {
        "16": _flag("switch", True), "15": _number("leakage_current", 3, 0, 1000, unit="mA"),
        "18": _number("cur_current", 0, 0, 1_000_000, unit="mA"),
        "19": _number("cur_power", 0, 0, 5_000_000, scale=1, unit="W"),
        "20": _number("cur_voltage", 2300, 0, 5000, scale=1, unit="V"),
        "103": _number("temp_current", 260, -400, 2000, scale=1, unit="℃"),
        "9": Point("fault", "Bitmap", 0),
    }, _breaker, headline="19", power="19",
)  # fmt: skip
SOCKET = Kind(
    "socket", "cz", "ksockt9z5x1c7v3b", {
        "1": _flag("switch_1", True), "9": _number("countdown_1", 0, 0, 86_400, unit="s"),
        **_METERING,
    }, _meter, _socket_load, headline="19", refreshes=True, nominal_w=180, power="19",
)  # fmt: skip
STRIP = Kind(
    "power strip", "pc", "kstrip0q8w4e6r2t", {
        "1": _flag("switch_1", True), "2": _flag("switch_2", True), "3": _flag("switch_3"),
        "9": _number("countdown_1", 0, 0, 86_400, unit="s"), **_METERING,
    }, _meter, _socket_load, headline="19", refreshes=True, nominal_w=320, power="19",
)  # fmt: skip
LIGHT = Kind(
    "lights", "dj", "klight3u7i1o5p9a", {
        "20": _flag("switch_led"), "21": _choice("work_mode", "white", "white", "colour", "scene"),
        "22": _number("bright_value_v2", 800, 10, 1000),
        "23": _number("temp_value_v2", 400, 0, 1000),
    }, _light, _light_load, headline="20", nominal_w=90,
)  # fmt: skip
CLIMATE = Kind(
    "climate", "wsdcg", "kclim6k2j8h4g0fd", {
        "1": _number("va_temperature", 210, -400, 1000, scale=1, unit="℃"),
        "2": _number("va_humidity", 45, 0, 100, unit="%"), "4": _BATTERY,
    }, _climate, sleepy=True, battery="4",
)  # fmt: skip
LEAK = Kind(
    "leak sensor", "sj", "kleak1a9s7d5f3gh", {
        "1": _choice("watersensor_state", "normal", "alarm", "normal"), "4": _BATTERY,
    }, _still, sleepy=True, battery="4",
)  # fmt: skip
SMOKE = Kind(
    "smoke detector", "ywbj", "ksmok4l6k8j0hg2f", {
        "1": _choice("smoke_sensor_status", "normal", "alarm", "normal"),
        "14": _choice("battery_state", "high", "low", "middle", "high"), "15": _BATTERY,
    }, _still, sleepy=True, battery="15",
)  # fmt: skip
DOOR = Kind(
    "door", "mcs", "kdoor7y5t3r1e9wq", {
        "1": _flag("doorcontact_state"), "2": _BATTERY,
    }, _door, sleepy=True, battery="2",
)  # fmt: skip
RADIATOR = Kind(
    "radiator valve", "wkf", "kradi2x4c6v8b0nm", {
        "16": _number("temp_set", 210, 50, 300, scale=1, unit="℃", step=5),
        "24": _number("temp_current", 205, -200, 600, scale=1, unit="℃"),
        "101": _number("valve_state", 0, 0, 100, unit="%"), "35": _BATTERY,
    }, _radiator, headline="24", battery="35",
)  # fmt: skip
GATEWAY = Kind(
    "gateway", "wg2", "kgate5n3m1b9v7cx", {
        "4": _flag("switch_alarm_sound"), "34": Point("fault", "Bitmap", 0),
    }, _still, headline="4",
)  # fmt: skip
STAMP = Point(STAMP_CODE, "Integer", 0, unit="ns")
