"""Which devices stand where: floors, rooms, names, keys and addresses, all from one seed."""

from __future__ import annotations

import string
from dataclasses import dataclass, field
from random import Random
from typing import Any

from app.domain.errors import InvalidRequest
from app.simulator import kinds
from app.simulator.kinds import Kind

VERSIONS = ("3.1", "3.3", "3.4", "3.5")
CHILDREN_PER_GATEWAY = 8
PER_ADDRESS_BLOCK = 250
MAX_DEVICES = 60_000
SLEEPY_EVERY = 25
_KEY_LETTERS = string.ascii_letters + string.digits + "!#$%&*+-=?@^_~"


@dataclass(slots=True)
class PlannedChild:
    """A sub-device: its id, its node id (`cid`) on the gateway, its place."""

    id: str
    cid: str
    name: str
    kind: Kind
    place: tuple[str, str]


@dataclass(slots=True)
class PlannedDevice:
    """A device with a socket of its own. `sleepy` ones live on a battery and wake now and then."""

    id: str
    uuid: str
    key: bytes = field(repr=False)
    mac: str
    name: str
    kind: Kind
    place: tuple[str, str]
    version: str
    address: str
    port: int = 6668
    sleepy: bool = False
    quiet: bool = False
    stale_power: bool = False
    children: list[PlannedChild] = field(default_factory=list)


@dataclass(slots=True)
class BuildingPlan:
    """Every device of a building."""

    net: int
    seed: int
    devices: list[PlannedDevice]

    @property
    def gateways(self) -> list[PlannedDevice]:
        """Devices with sub-devices."""
        return [device for device in self.devices if device.children]

    @property
    def sub_devices(self) -> int:
        """How many sub-devices the gateways have between them."""
        return sum(len(device.children) for device in self.devices)


def address_of(net: int, number: int) -> str:
    """The loopback address of device `number`, counted from 0."""
    return f"127.{net}.{1 + number // PER_ADDRESS_BLOCK}.{1 + number % PER_ADDRESS_BLOCK}"


def make_plan(
    devices: int,
    gateways: int,
    *,
    seed: int = 1,
    net: int = 61,
    sleepers: bool = False,
    versions: tuple[str, ...] = VERSIONS,
    children: int = CHILDREN_PER_GATEWAY,
) -> BuildingPlan:
    """A building of `devices` with a socket each, `gateways` among them; the same for a seed.

    With `sleepers` some devices with a socket sleep on a battery; without, all are awake.

    Raises:
        InvalidRequest: the counts do not fit each other.
    """
    if not 1 <= devices <= MAX_DEVICES:
        raise _no(f"{devices} devices cannot be simulated.", f"Ask for 1 to {MAX_DEVICES}.")
    if not 0 <= gateways <= devices:
        raise _no(
            f"{gateways} gateways do not fit into {devices} devices.",
            "Gateways are counted among the devices: ask for fewer.",
        )
    return _Planner(seed, net, max(3, devices // 40), versions).plan(
        devices, gateways, children, sleepers=sleepers
    )


def _no(what: str, do: str) -> InvalidRequest:
    return InvalidRequest("simulator.counts", what, where="--devices, --gateways", do=do)


# In turn: what a building has much of comes often. The names are given by `_Planner._name`.
_MIX: tuple[Kind, ...] = (
    kinds.PUMP, kinds.THERMOSTAT, kinds.LIGHT, kinds.AIR, kinds.SOCKET, kinds.METER, kinds.FAN,
    kinds.LIGHT, kinds.THERMOSTAT, kinds.VALVE, kinds.SOCKET, kinds.BREAKER, kinds.LIGHT, kinds.AIR,
    kinds.STRIP, kinds.THERMOSTAT,
)  # fmt: skip
_CHILDREN: tuple[Kind, ...] = (
    kinds.RADIATOR, kinds.CLIMATE, kinds.DOOR, kinds.LEAK, kinds.RADIATOR, kinds.SMOKE,
    kinds.CLIMATE, kinds.DOOR,
)  # fmt: skip
_SLEEPERS: tuple[Kind, ...] = (kinds.LEAK, kinds.CLIMATE, kinds.DOOR, kinds.SMOKE)
_PUMPS = ("Heating pump", "Chilled-water pump", "Domestic hot-water pump", "Sump pump")
_FANS = ("Supply fan", "Extract fan", "Stairwell fan")
_VALVES = ("Mixing valve", "Zone valve", "Irrigation valve")
_ROOMS = ("Office", "Office", "Meeting", "Comms", "Office", "Kitchen", "Corridor", "Store")


class _Planner:
    def __init__(self, seed: int, net: int, floors: int, versions: tuple[str, ...]) -> None:
        self._chance = Random(seed)
        self._seed, self._net, self._versions = seed, net, versions
        self._floors = ["Basement", "Ground", *(f"Level {n}" for n in range(1, floors - 1))]
        self._counts: dict[str, int] = {}
        self._seats = 0

    def plan(self, devices: int, gateways: int, children: int, *, sleepers: bool) -> BuildingPlan:
        made = []
        for number in range(devices):
            gateway = number < gateways
            sleepy = sleepers and not gateway and number % SLEEPY_EVERY == SLEEPY_EVERY - 1
            kind = kinds.GATEWAY if gateway else _MIX[(number - gateways) % len(_MIX)]
            if sleepy:
                kind = _SLEEPERS[number // SLEEPY_EVERY % len(_SLEEPERS)]
            device = self._device(number, kind, sleepy=sleepy)
            if gateway:
                device.children = [self._child(n, device) for n in range(children)]
            made.append(device)
        return BuildingPlan(self._net, self._seed, made)

    def _device(self, number: int, kind: Kind, *, sleepy: bool) -> PlannedDevice:
        bits = self._chance.getrandbits
        place = self._place(kind)
        version = self._versions[number % len(self._versions)]
        return PlannedDevice(
            id=f"bf{bits(80):020x}",
            uuid=f"{bits(64):016x}",
            key="".join(self._chance.choices(_KEY_LETTERS, k=16)).encode(),
            mac=":".join(
                f"{byte:02x}" for byte in (0xD8, 0x1F, 0x12, *bits(24).to_bytes(3, "big"))
            ),
            name=self._name(kind, place),
            kind=kind,
            place=place,
            version=version,
            address=address_of(self._net, number),
            sleepy=sleepy,
            quiet=version == "3.5" and number // 4 % 2 == 1,
            stale_power=kind is kinds.SOCKET and number % 3 == 0,
        )

    def _child(self, number: int, gateway: PlannedDevice) -> PlannedChild:
        kind = _CHILDREN[number % len(_CHILDREN)]
        place = (gateway.place[0], self._room(gateway.place[0]))
        return PlannedChild(
            id=f"eb{self._chance.getrandbits(80):020x}",
            cid=f"a4c138{self._chance.getrandbits(40):010x}",
            name=self._name(kind, place),
            kind=kind,
            place=place,
        )

    def _place(self, kind: Kind) -> tuple[str, str]:
        if kind in (kinds.PUMP, kinds.VALVE):
            return "Basement", f"Plant room B.{1 + self._next('plant') // 12:02d}"
        if kind is kinds.FAN:
            return self._floors[-1], "Air plant"
        self._seats += 1
        floor = self._floors[self._seats % len(self._floors)]
        if kind in (kinds.METER, kinds.BREAKER):
            return floor, "Riser"
        return floor, self._room(floor)

    def _room(self, floor: str) -> str:
        level = self._floors.index(floor)
        number = self._next(f"room {floor}") // 2 % 24
        prefix = "B" if level == 0 else str(level - 1)
        return f"{_ROOMS[number % len(_ROOMS)]} {prefix}.{number + 1:02d}"

    def _name(self, kind: Kind, place: tuple[str, str]) -> str:
        if kind is kinds.PUMP:
            number = self._next("pump")
            return f"{_PUMPS[number % len(_PUMPS)]} P-{number + 1}"
        if kind is kinds.FAN:
            number = self._next("fan")
            return f"{_FANS[number % len(_FANS)]} F-{number + 1}"
        if kind is kinds.VALVE:
            number = self._next("valve")
            return f"{_VALVES[number % len(_VALVES)]} V-{number + 1}"
        if kind is kinds.GATEWAY:
            return f"{place[0]} gateway GW-{self._next('gateway') + 1}"
        if kind in (kinds.METER, kinds.BREAKER):
            letter = "M" if kind is kinds.METER else "Q"
            return f"{place[0]} {kind.word} {letter}-{self._next(kind.word) + 1}"
        again = self._next(f"{place} {kind.word}")
        return f"{place[1]} {kind.word}" + (f" {again + 1}" if again else "")

    def _next(self, what: str) -> int:
        self._counts[what] = self._counts.get(what, -1) + 1
        return self._counts[what]


def inventory(plan: BuildingPlan) -> list[dict[str, Any]]:
    """The building as a tinytuya `devices.json` list, keys and children included."""
    rows: list[dict[str, Any]] = []
    for device in plan.devices:
        row: dict[str, Any] = {
            "id": device.id,
            "key": device.key.decode(),
            "name": device.name,
            "ip": device.address,
            "port": device.port,
            "version": device.version,
            "category": device.kind.category,
            "product_id": device.kind.product_id,
            "mac": device.mac,
            "uuid": device.uuid,
            "place": list(device.place),
            "mapping": _mapping(device.kind, stamped=True),
        }
        if device.port == 6668:
            del row["port"]
        rows.append(row)
        rows += [
            {
                "id": child.id,
                "name": child.name,
                "node_id": child.cid,
                "parent": device.id,
                "key": device.key.decode(),
                "category": child.kind.category,
                "product_id": child.kind.product_id,
                "place": list(child.place),
                "mapping": _mapping(child.kind, stamped=False),
            }
            for child in device.children
        ]
    return rows


def _mapping(kind: Kind, *, stamped: bool) -> dict[str, Any]:
    points = dict(kind.points)
    if stamped:
        points[kinds.STAMP_DP] = kinds.STAMP
    return {dp: point.mapping() for dp, point in points.items()}
