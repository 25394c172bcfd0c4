"""Asks every address of a range, by unicast and at a bounded rate, whether a device is there."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Mapping, Sequence

from app.domain.errors import InvalidRequest
from app.domain.links import DEFAULT_PORT, Sighting
from app.lan.presence import World

WIDEST = 16
PROBE_TIMEOUT_S = 1.5
AT_ONCE = 128


def parse_range(cidr: str) -> ipaddress.IPv4Network:
    """A range of IPv4 addresses, at most a /16.

    Raises:
        InvalidRequest: not a range, or too wide.
    """
    try:
        net = ipaddress.IPv4Network(cidr.strip(), strict=False)
    except ValueError:
        raise InvalidRequest(
            "range.not_understood",
            f"'{cidr[:40]}' is not a range of addresses.",
            where="--range",
            do="Write it like 192.168.10.0/24.",
        ) from None
    if net.prefixlen < WIDEST:
        raise InvalidRequest(
            "range.too_wide",
            f"{net} has {net.num_addresses:,} addresses.",
            where="--range",
            do="Probe at most a /16 (65,536 addresses) at a time.",
        )
    return net


async def probe(cidr: str, world: World, known: Mapping[str, str]) -> Sequence[Sighting]:
    """Who accepts a connection on the device port in `cidr`.

    Addresses of devices that are held are not opened a second time: many devices throw out their
    first client. What answers is not identified (that takes its key): its id is empty.

    Raises:
        InvalidRequest: not a range, or too wide.
    """
    net = parse_range(cidr)
    gate = asyncio.Semaphore(AT_ONCE)
    found: list[Sighting] = []

    async def look(ip: str) -> None:
        try:
            if await _answers(ip):
                found.append(Sighting("", ip, None, None, world.clock.now_ms()))
        finally:
            gate.release()

    async with asyncio.TaskGroup() as group:
        for address in net if net.prefixlen >= 31 else net.hosts():
            ip = str(address)
            if ip in known:
                found.append(Sighting(known[ip], ip, None, None, world.clock.now_ms()))
                continue
            await gate.acquire()
            group.create_task(look(ip))
            await asyncio.sleep(1 / world.politeness.probes_per_s)
    return found


async def _answers(ip: str) -> bool:
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            _, writer = await asyncio.open_connection(ip, DEFAULT_PORT)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True
