"""A small core for the window: real live values, real jobs, and a directory of made-up devices."""

from __future__ import annotations

import math
from concurrent.futures import Future
from dataclasses import dataclass, field, replace

from app.domain.points import PointSpec
from app.domain.readings import Reading
from app.domain.words import Connection, ControlClass, Outcome, Path, Quality
from app.live.values import LiveValues
from app.runtime.clock import ManualClock
from app.runtime.events import EventBus
from app.runtime.jobs import JobRunner
from app.services.control import SetOutcome
from app.services.views import DeviceRow, PointView
from ui.bridge.console import Console

NOW_MS = 1_795_254_060_000  # 2026-11-21T09:41:00Z
POWER = PointSpec("19", "cur_power", "value", "W", 1, 0, 50_000, writable=False)
SWITCH = PointSpec("1", "switch_1", "bool")
TEMPERATURE = PointSpec("1", "va_temperature", "value", "℃", 1, -400, 800, writable=False)
HUMIDITY = PointSpec("2", "va_humidity", "value", "%", 0, 0, 100, writable=False)
BATTERY = PointSpec("4", "battery_percentage", "value", "%", 0, 0, 100, writable=False)
CO2 = PointSpec("2", "co2_value", "value", "ppm", 0, 0, 5000, writable=False)
LEAK = PointSpec("1", "watersensor_state", "enum", choices=("alarm", "normal"), writable=False)
DOOR = PointSpec("1", "doorcontact_state", "bool", writable=False)
STAMP = PointSpec("200", "sim_stamp_ns", "value", writable=False)


def view(spec, raw=None, age_s=5.0, quality=Quality.GOOD):
    """A point with its last raw value, `age_s` old."""
    shown = None if raw is None else spec.shown(raw)
    at_ms = None if raw is None else NOW_MS - round(age_s * 1000)
    return PointView(
        spec.dp, spec.code, spec.name, shown, spec.unit, at_ms,
        None if raw is None else quality, spec.writable, ControlClass.COMFORT, spec,
    )  # fmt: skip


def device(name, place=("Level 1",), points=(), connection=Connection.ONLINE, **more):
    """One row of the directory; `age_s` is how long ago its last report came."""
    age_s = more.pop("age_s", 5.0)
    path = more.pop("path", Path.LAN if connection in _REACHED else Path.NONE)
    id_ = more.pop("id", name.lower().replace(" ", "-"))
    row = DeviceRow(
        id=id_, record=f"r-{id_}", asset=f"a-{id_}", name=name, site="Harbour House",
        site_id="site", place=tuple(place), tags=(), category="cz", profile="Smart plug",
        connection=connection, since_ms=NOW_MS - 3_600_000, sentence="", path=path,
        health="normal", reasons=(), ip="127.61.0.4", port=6668, version="3.4", parent=None,
        last_report_ms=None if age_s is None else NOW_MS - round(age_s * 1000),
        next_expected_ms=None, points=tuple(points),
    )  # fmt: skip
    return replace(row, **more)


_REACHED = (Connection.ONLINE, Connection.ASLEEP, Connection.SUSPECT)


def building(extra=0):
    """A believable building: plant, sensors, and one of each thing that goes wrong."""
    rows = [
        device("Chilled-water pump P-3", ("Basement", "Plant room B1"),
               (view(POWER, 48_210, 1), view(SWITCH, True, 12))),
        device("Rear door contact", ("Level 0",), (view(DOOR, False, 7_300), view(BATTERY, 64)),
               Connection.WRONG_KEY, age_s=7_300, profile="Door sensor",
               sentence="The key was changed on the device: it answers, but nothing can be read."),
        device("Kitchen extract fan", ("Level 1", "Kitchen"), (view(POWER, 4_200, 300),),
               Connection.BUSY, age_s=300,
               sentence="It accepts the connection and closes it at once: something else is "
               "connected to it."),
        device("Car park lighting, zone A", ("Basement",), (view(SWITCH, True, 1_900),),
               Connection.OFFLINE, age_s=1_900, sentence="It does not answer at 127.61.0.9."),
        device("Boiler flow temperature", ("Basement", "Plant room B1"),
               (view(TEMPERATURE, 684, 40),), Connection.SUSPECT, age_s=40,
               sentence="It accepts the connection but does not answer."),
        device("Leak sensor, riser 4", ("Level 4",), (view(LEAK, "normal", 11_520),
               view(BATTERY, 58, 11_520)), Connection.ASLEEP, age_s=11_520,
               next_expected_ms=NOW_MS + 16_000_000, profile="Leak sensor",
               sentence="Asleep: last report 3 h 12 min ago, next due by 14:10."),
        device("Archive climate", ("Level 3",), (view(TEMPERATURE, 214, 3_000),
               view(HUMIDITY, 45, 3_000), view(BATTERY, 9, 3_000)), Connection.ASLEEP,
               age_s=3_000, profile="Climate sensor",
               sentence="Asleep: last report 50 min ago, next due by 11:30."),
        device("Weather station", ("Roof",), (view(TEMPERATURE, 71, 3_060),),
               Connection.PARENT_DOWN, age_s=3_060, ip=None, parent="gw-roof",
               sentence="Its gateway Roof gateway is silent since 08:50."),
        device("Sump level", ("Basement",), (), Connection.NEVER_SEEN, age_s=None,
               sentence="It has never been reached from this computer."),
        device("Lobby air quality", ("Level 0", "Lobby"),
               (view(CO2, 612, 9), view(TEMPERATURE, 216, 9)), age_s=9, profile="Air sensor"),
        device("Meeting room 3.02", ("Level 3",), (view(TEMPERATURE, 213, 14),
               view(BATTERY, 9, 14)), age_s=14, profile="Thermostat"),
        device("Main incomer", ("Basement", "Electrical"), (view(POWER, 118_400, 0.4),
               view(STAMP, 123, 0.4)), age_s=0.4, profile="Energy meter"),
    ]  # fmt: skip
    rows += [
        device(f"Room {1 + n // 40}.{n % 40:02d} climate", (f"Level {1 + n // 40}",),
               (view(TEMPERATURE, 205 + n % 30, n % 50), view(HUMIDITY, 40 + n % 20, n % 50)),
               id=f"room{n}", age_s=n % 50, profile="Thermostat")
        for n in range(extra)
    ]  # fmt: skip
    return rows


class ListDirectory:
    """Rows as given; counts how often they were read, and fails while `error` is set."""

    def __init__(self, rows):
        self.list = list(rows)
        self.error = None
        self.asked = 0

    def rows(self):
        """The rows, or the error."""
        self.asked += 1
        if self.error is not None:
            raise self.error
        return list(self.list)


class HandControl:
    """Commands that end when the test says how."""

    def __init__(self):
        self.asked = []
        self.future = None

    def set(self, device_, point, value):
        """Keep the wish; the test settles `future`."""
        self.asked.append((device_, point, value))
        self.future = Future()
        return self.future

    def end(self, outcome=Outcome.CONFIRMED, reported=None, reason=""):
        """Settle the last wish as a device would."""
        device_, point, value = self.asked[-1]
        self.future.set_result(SetOutcome(device_, point, value, reported, outcome, 41.0, reason))


@dataclass
class WindowCore:
    """What a window test holds in its hands."""

    clock: ManualClock = field(default_factory=lambda: ManualClock(NOW_MS))
    bus: EventBus = field(default_factory=EventBus)
    directory: ListDirectory = field(default_factory=lambda: ListDirectory(building()))
    control: HandControl = field(default_factory=HandControl)

    def __post_init__(self):
        self.jobs = JobRunner(self.bus, workers=2)
        self.live = LiveValues(self.clock)
        self.earlier = {}

    def past(self, device_, point, _from_ms):
        """What the history would say."""
        return self.earlier.get((device_, point), ((), ()))

    def console(self):
        """The window's view on this core."""
        return Console(
            self.clock, self.bus, self.jobs, self.live, self.directory, self.control, self.past
        )

    def say(self, device_, dp, raw, at_ms=None):
        """A device reports one value."""
        self.live.publish([Reading(device_, dp, raw, at_ms or self.clock.now_ms())])

    def pump_history(self):
        """Ten minutes of the pump's power with a silence in them."""
        times = [t for t in range(NOW_MS - 590_000, NOW_MS, 2_000)
                 if not NOW_MS - 300_000 < t < NOW_MS - 240_000]  # fmt: skip
        values = [round(39_000 + 4_000 * math.sin(t / 90_000) + 9_000 * (t > NOW_MS - 200_000)
                  + 300 * math.sin(t / 3_100)) for t in times]  # fmt: skip
        self.earlier["chilled-water-pump-p-3", "cur_power"] = (times, values)
