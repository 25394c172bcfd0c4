"""Looks for devices on the network and says which of them are known here."""

from __future__ import annotations

import concurrent.futures
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.domain.errors import DeviceFault, InvalidRequest
from app.domain.links import Sighting
from app.services.directory import Directory
from app.services.locality import SiteLink
from app.services.reaching import held

MAX_ADDRESSES = 4096
SCAN_TIMEOUT_S = 600.0


@dataclass(frozen=True, slots=True)
class Found:
    """A device that announced itself or answered; an announcement proves nothing by itself."""

    sighting: Sighting
    known: bool
    name: str

    def document(self) -> dict[str, Any]:
        """The device as JSON shows it."""
        return {
            "id": self.sighting.device,
            "ip": self.sighting.ip,
            "version": self.sighting.version,
            "product_id": self.sighting.product_id,
            "known": self.known,
        }


class Scanning:
    """Listens for announcements, and asks an address range where one is given."""

    def __init__(self, *, directory: Directory, link: Callable[[], SiteLink | None]) -> None:
        self._directory = directory
        self._link = link

    def scan(self, cidr: str | None = None) -> list[Found]:
        """What is there, by address; takes seconds, for a large range minutes.

        Raises:
            InvalidRequest: `cidr` is no IPv4 range, or too large a one.
        """
        wanted = check_range(cidr) if cidr else None
        future = held(self._link()).scan(wanted)
        try:
            sightings = future.result(SCAN_TIMEOUT_S)
        except concurrent.futures.TimeoutError:
            raise DeviceFault(
                "scan.unfinished", "The scan did not end.", do="Give a smaller range.", retry=True
            ) from None
        names = self._directory.names()
        found = [Found(s, s.device in names, names.get(s.device, "")) for s in sightings]
        return sorted(found, key=lambda f: (_order(f.sighting.ip), f.sighting.device))


def check_range(cidr: str) -> str:
    """`cidr` in its plain form, such as ``192.168.4.0/24``.

    Raises:
        InvalidRequest: no IPv4 range, or more than 4,096 addresses.
    """
    try:
        network = ipaddress.IPv4Network(cidr.strip(), strict=False)
    except ValueError:
        raise InvalidRequest(
            "scan.range",
            f"'{cidr[:40]}' is not an IPv4 range.",
            where="--range",
            do="Write it like 192.168.4.0/24.",
        ) from None
    if network.num_addresses > MAX_ADDRESSES:
        raise InvalidRequest(
            "scan.range",
            f"The range has {network.num_addresses} addresses; {MAX_ADDRESSES} at most.",
            where="--range",
            do="Scan it in parts.",
        )
    return str(network)


def _order(ip: str) -> int:
    try:
        return int(ipaddress.ip_address(ip))
    except ValueError:
        return 0
