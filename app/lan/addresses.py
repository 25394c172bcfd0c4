"""Small facts about addresses: subnets, loopback, who holds a socket where."""

from __future__ import annotations

import ipaddress


def subnet_of(ip: str) -> str:
    """The /24 an IPv4 address lies in, as text; an odd address is its own subnet."""
    return ip.rpartition(".")[0] + ".0/24" if ip.count(".") == 3 else ip


def is_address(text: str) -> bool:
    """Whether `text` is a literal address of a single host."""
    try:
        parsed = ipaddress.ip_address(text)
    except ValueError:
        return False
    return not (parsed.is_multicast or parsed.is_unspecified)


def is_loopback(ip: str | None) -> bool:
    """127.0.0.0/8 is always here (contract, Words)."""
    return ip is not None and ip.startswith("127.") and is_address(ip)


class Claims:
    """Which device holds the socket to an address. One socket per address, process-wide."""

    def __init__(self) -> None:
        self._holders: dict[tuple[str, int], str] = {}
        self._proved: set[tuple[str, int]] = set()

    def claim(self, ip: str, port: int, device: str) -> str | None:
        """Take the address for `device`; None when it is its own now, else who has it."""
        holder = self._holders.setdefault((ip, port), device)
        return None if holder == device else holder

    def holder(self, ip: str, port: int) -> str | None:
        """Who has the address now."""
        return self._holders.get((ip, port))

    def prove(self, ip: str, port: int) -> None:
        """Its holder showed that it is the device at this address."""
        self._proved.add((ip, port))

    def proved(self, ip: str, port: int) -> bool:
        """Whether nobody else need look for itself there."""
        return (ip, port) in self._proved

    def release(self, ip: str, port: int, device: str) -> None:
        """Give the address back."""
        if self._holders.get((ip, port)) == device:
            del self._holders[(ip, port)]
            self._proved.discard((ip, port))
