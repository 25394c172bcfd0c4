"""Which network this computer is on, noticed when it changes or when the laptop has slept."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psutil

from app.lan.addresses import is_loopback
from app.runtime.clock import Clock

POLL_S = 5.0
SLEPT_S = 15.0
"""A gap this much longer than the poll means that the computer slept or its clock was set."""
_ROUTES, _NEIGHBOURS = Path("/proc/net/route"), Path("/proc/net/arp")


@dataclass(frozen=True, slots=True)
class Network:
    """`fingerprint` tells this network from others; `subnets` are its IPv4 ranges."""

    fingerprint: tuple[str, ...] = ()
    subnets: tuple[str, ...] = ()

    def holds(self, ip: str) -> bool:
        """Whether `ip` lies in one of the ranges; loopback is always here."""
        if is_loopback(ip):
            return True
        try:
            address = ipaddress.ip_address(ip)
        except ValueError:
            return False
        return any(address in ipaddress.ip_network(subnet) for subnet in self.subnets)


def wrong_network_sentence(ip: str, network: Network) -> str:
    """Both ranges in one sentence."""
    here = ", ".join(network.subnets) or "no network"
    there = ip.rpartition(".")[0] + ".0/24"
    return f"The device is in {there}, this computer is on {here}."


def current_network() -> Network:
    """Ask the operating system. The gateway's hardware address is included where it is known."""
    subnets = set()
    up = {name for name, stats in psutil.net_if_stats().items() if stats.isup}
    for name, addresses in psutil.net_if_addrs().items():
        for address in addresses:
            if address.family != socket.AF_INET or name not in up or not address.netmask:
                continue
            if is_loopback(address.address):
                continue
            net = ipaddress.ip_network(f"{address.address}/{address.netmask}", strict=False)
            subnets.add(str(net))
    ranges = tuple(sorted(subnets))
    macs = tuple(f"gateway {mac}" for mac in _gateway_macs())
    return Network(macs + tuple(f"subnet {net}" for net in ranges), ranges)


def _gateway_macs() -> tuple[str, ...]:
    """Hardware addresses of default gateways, from Linux's tables; elsewhere none."""
    try:
        routes = _ROUTES.read_text("ascii").splitlines()[1:]
        neighbours = _NEIGHBOURS.read_text("ascii").splitlines()[1:]
    except OSError:
        return ()
    gateways = set()
    for line in routes:
        fields = line.split()
        if len(fields) > 2 and fields[1] == "00000000" and fields[2] != "00000000":
            gateways.add(str(ipaddress.ip_address(bytes.fromhex(fields[2])[::-1])))
    found = {f[3] for line in neighbours if (f := line.split())[:1] and f[0] in gateways}
    return tuple(sorted(found - {"00:00:00:00:00:00"}))


class _OnChange(Protocol):
    def __call__(self, network: Network, *, woke: bool) -> None: ...


class NetworkWatch:
    """Polls, because no portable event exists, and calls back on a change or after a sleep."""

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: Clock, changed: _OnChange) -> None:
        self.current = current_network()
        self._loop = loop
        self._clock = clock
        self._changed = changed

    async def watch(self) -> None:
        """Until cancelled."""
        while True:
            wall_ms, mono_s = self._clock.now_ms(), self._loop.time()
            await asyncio.sleep(POLL_S)
            wall_gap_s = (self._clock.now_ms() - wall_ms) / 1000
            mono_gap_s = self._loop.time() - mono_s
            woke = max(wall_gap_s, mono_gap_s) > POLL_S + SLEPT_S
            network = current_network()
            if woke or network != self.current:
                self.current = network
                self._changed(network, woke=woke)
