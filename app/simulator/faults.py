"""Everything that can be wrong with a device, and what switching it on or off does."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from app.domain.errors import InvalidRequest
from app.simulator import announce

if TYPE_CHECKING:
    from app.simulator.building import Building
    from app.simulator.endpoint import Endpoint
    from app.simulator.unit import Unit

FLAGS = frozenset((
    "frozen", "half_frames", "glued", "dribble", "oversize", "bad_crc", "bad_tag", "no_retcode",
    "bad_utf8", "bad_clock", "delay", "loss", "zombie", "rst",
))  # fmt: skip
BY_KEY = frozenset(("wrong_key", "key_change"))
ABSENT = frozenset(("silent", "asleep"))
OF_UNIT = frozenset(("low_battery", "flapping", "overload"))
OF_CHILD = OF_UNIT | ABSENT | {"frozen"}
ALL = (
    FLAGS | BY_KEY | ABSENT | OF_UNIT
    | {"held", "zero_key", "flood", "reboot", "ip_change", "version_change", "wedge",
       "forged_announcement"}
)  # fmt: skip

REBOOT_S = 3.0
FLOOD_S = 0.004
"""One frame at a time, so that no two are sent in the same millisecond."""
FORGE_S = 2.0
FLAP_S = 2.0
_UPDATED = {"3.1": "3.3", "3.2": "3.3", "3.3": "3.4", "3.4": "3.5", "3.5": "3.4"}


def check(fault: str, unit: Unit, *, child: bool) -> None:
    """Say what is wrong with a wish for a fault before anything is done.

    Raises:
        InvalidRequest: unknown, or not a thing that can happen to this device.
    """
    if fault not in ALL:
        raise _no(f"There is no fault '{fault}'.", f"Choose one of {', '.join(sorted(ALL))}.")
    if child and fault not in OF_CHILD:
        raise _no(
            f"A sub-device has no socket that could be '{fault}'.",
            f"Switch it on its gateway, or choose one of {', '.join(sorted(OF_CHILD))}.",
        )
    if fault == "low_battery" and not unit.kind.battery:
        raise _no(f"{unit.name} has no battery.", "Choose a battery device.")
    if fault == "overload" and not unit.kind.nominal_w:
        raise _no(f"{unit.name} drives no load.", "Choose a pump, a fan or a socket.")


def _no(what: str, do: str) -> InvalidRequest:
    return InvalidRequest("simulator.fault", what, where="fault", do=do)


def switch_unit(building: Building, endpoint: Endpoint, unit: Unit, fault: str, on: bool) -> None:
    """Faults of the building, and those of a sub-device."""
    if fault == "low_battery":
        unit.weaken(on)
    elif fault == "overload":
        unit.overload = on
    elif fault == "flapping":
        started = on and not unit.flapping
        unit.flapping = on
        if started:
            _flap(building, endpoint, unit)
    elif fault == "asleep":
        unit.asleep = on
    else:
        unit.dead = on
    if on:
        endpoint.push_changes(unit)


def _flap(building: Building, endpoint: Endpoint, unit: Unit) -> None:
    if unit.flapping:
        endpoint.push_changes(unit)
        building.site.agenda.after(FLAP_S, _flap, building, endpoint, unit)


async def switch_endpoint(building: Building, endpoint: Endpoint, fault: str, on: bool) -> None:
    """Faults of a device with a socket; switching one on twice changes nothing."""
    was = fault in endpoint.faults
    if was == on and fault != "reboot":
        return
    (endpoint.faults.add if on else endpoint.faults.discard)(fault)
    if fault in ABSENT:
        await _appear(endpoint, abruptly=fault == "silent")
    elif fault in BY_KEY:
        endpoint.key = _key(endpoint)
        endpoint.hang_up()
    elif fault in ("held", "zero_key"):
        endpoint.hang_up()
    elif fault == "wedge":
        endpoint.connections_since_wedge = 0
        endpoint.hang_up()
    elif fault == "version_change":
        version = endpoint.planned.version
        endpoint.version = _UPDATED[version] if on else version
        endpoint.hang_up()
        building.announce(endpoint)
    elif fault == "ip_change":
        await _move(building, endpoint, on=on)
    elif on:
        _begin(building, endpoint, fault)


async def _appear(endpoint: Endpoint, *, abruptly: bool) -> None:
    if endpoint.reachable:
        await endpoint.open()
    else:
        endpoint.close(abruptly=abruptly)


def _key(endpoint: Endpoint) -> bytes:
    """The exported key, or one of its own: the device was paired again."""
    active = BY_KEY & endpoint.faults
    if not active:
        return endpoint.planned.key
    seed = endpoint.planned.key + ",".join(sorted(active)).encode()
    return hashlib.sha256(seed).hexdigest()[:16].encode()


async def _move(building: Building, endpoint: Endpoint, *, on: bool) -> None:
    endpoint.close()
    if on:
        endpoint.address = building.spare_address()
    else:
        endpoint.address, endpoint.port = endpoint.planned.address, endpoint.planned.port
    if endpoint.reachable:
        await endpoint.open()
        building.announce(endpoint)


def _begin(building: Building, endpoint: Endpoint, fault: str) -> None:
    if fault == "reboot":
        endpoint.faults.discard("reboot")
        endpoint.close(abruptly=True)
        building.site.agenda.after(REBOOT_S, building.reopen, endpoint)
    elif fault == "flood":
        _flood(building, endpoint)
    elif fault == "forged_announcement":
        _forge(building, endpoint, building.spare_address())


def _flood(building: Building, endpoint: Endpoint) -> None:
    if "flood" not in endpoint.faults:
        return
    endpoint.push_changes(endpoint.unit, always=True)
    building.site.agenda.after(FLOOD_S, _flood, building, endpoint)


def _forge(building: Building, endpoint: Endpoint, address: str) -> None:
    """Somebody else says that this device is at their address."""
    if "forged_announcement" not in endpoint.faults:
        return
    datagram, port = announce.packet(endpoint.planned, endpoint.version, address)
    announce.send(address, datagram, (announce.LOOPBACK_BROADCAST, port))
    building.site.agenda.after(FORGE_S, _forge, building, endpoint, address)
