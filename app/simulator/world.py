"""The physics of the building on one clock: weather, people, heat, air, power."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from random import Random

DAY_S = 86_400.0
OUTSIDE_CO2_PPM = 420.0
_STEP_S = 300.0
_LAG_S = 60_000.0  # a room alone follows the weather in about two thirds of a day
_HEAT_K_PER_S = 4.0 / 3600  # a fully open valve with all pumps running
_PERSON_K_PER_S = 0.6 / 3600
_PERSON_PPM_PER_S = 0.35


@dataclass(slots=True)
class Room:
    """One room: how warm, how stale its air, who is in it, what in it draws power.

    `valve` 0 to 1 is how far heating is open; `occupied` 0 to 1 how full it is.
    """

    floor: str
    name: str
    early_s: float = 0.0
    fill: float = 0.8
    temperature_c: float = 20.5
    humidity: float = 45.0
    co2_ppm: float = 480.0
    setpoint_c: float = 21.0
    valve: float = 0.0
    occupied: float = 0.0


@dataclass(slots=True)
class Floor:
    """A floor: its electrical sub-distribution and its ventilation."""

    name: str
    power_w: float = 0.0
    energy_wh: float = 0.0
    fans_on: int = 0
    rooms: list[Room] = field(default_factory=list)


class World:
    """Weather and rooms. `step` moves them to a simulated time; the same seed repeats the same."""

    def __init__(self, seed: int, start_s: float, *, mean_c: float = 9.0) -> None:
        self._random = Random(seed)
        self.time_s = start_s
        self.mean_c = mean_c
        self.floors: dict[str, Floor] = {}
        self.heating_share = 1.0
        self._drift_c = 0.0

    def room(self, floor: str, name: str) -> Room:
        """The room of this name, made when it is first asked for."""
        level = self.floors.setdefault(floor, Floor(floor))
        for room in level.rooms:
            if room.name == name:
                return room
        room = Room(
            floor,
            name,
            early_s=self._random.uniform(-2400, 2400),
            fill=self._random.uniform(0.4, 1.0),
            temperature_c=self._random.uniform(19.5, 22.0),
            humidity=self._random.uniform(38, 52),
            setpoint_c=self._random.choice((20.5, 21.0, 21.5)),
        )
        level.rooms.append(room)
        return room

    @property
    def outside_c(self) -> float:
        """Warmest at three in the afternoon, coldest before dawn, with the drift of the week."""
        hour = self.time_s % DAY_S / 3600
        return self.mean_c + self._drift_c + 5.5 * math.cos((hour - 15) / 24 * 2 * math.pi)

    @property
    def workday(self) -> bool:
        """Monday to Friday (the epoch began on a Thursday)."""
        return (int(self.time_s // DAY_S) + 3) % 7 < 5

    def step(self, to_s: float) -> None:
        """Move everything to simulated time `to_s` (epoch seconds); never backwards."""
        while self.time_s < to_s:
            dt_s = min(_STEP_S, to_s - self.time_s)
            self.time_s += dt_s
            self._drift_c += self._random.gauss(0, 0.02) * math.sqrt(dt_s / _STEP_S)
            self._drift_c = max(-4.0, min(4.0, self._drift_c))
            for floor in self.floors.values():
                floor.energy_wh += floor.power_w * dt_s / 3600
                for room in floor.rooms:
                    self._step_room(room, floor, dt_s)

    def _step_room(self, room: Room, floor: Floor, dt_s: float) -> None:
        room.occupied += (self._people(room) - room.occupied) * min(1.0, dt_s / 600)
        wish = max(0.0, min(1.0, (room.setpoint_c - room.temperature_c) * 1.6 + 0.1))
        room.valve += (wish - room.valve) * min(1.0, dt_s / 180)
        warmth = room.valve * self.heating_share * _HEAT_K_PER_S + room.occupied * _PERSON_K_PER_S
        leak = (self.outside_c - room.temperature_c) / _LAG_S
        room.temperature_c += (warmth + leak) * dt_s
        fresh_s = 1500 if floor.fans_on else 5400
        towards = OUTSIDE_CO2_PPM + room.occupied * _PERSON_PPM_PER_S * fresh_s
        room.co2_ppm += (towards - room.co2_ppm) * (1 - math.exp(-dt_s / fresh_s))
        damp = 44 + 9 * room.occupied + (self.outside_c - self.mean_c) * 0.6
        room.humidity += (damp - room.humidity) * (1 - math.exp(-dt_s / 5400))

    def _people(self, room: Room) -> float:
        if not self.workday:
            return 0.0
        second = (self.time_s + room.early_s) % DAY_S
        if not 7.5 * 3600 <= second <= 18 * 3600:
            return 0.0
        lunch = 12.2 * 3600 <= second <= 13 * 3600
        return room.fill * (0.3 if lunch else 1.0)
