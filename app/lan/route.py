"""Where and in which protocol version to try a device next, and how long to wait before it.

Addresses and versions that worked are proved; what an announcement says is a candidate until a
handshake or a decodable reply there proves it: anyone on the network can forge one.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.links import LinkSpec, Sighting
from app.lan.classify import PERSISTENT, Trouble
from app.lan.codec import VERSIONS

FIRST_WAIT_S = 2.0
LONGEST_WAIT_S = 300.0
BUSY_WAIT_S = 40.0
"""Between attempts at a device that is taken, or whose key or version is another: asked more often,
devices of 3.4 stop answering anybody (tinytuya issue 581)."""
PATIENT_AFTER = 10
"""So many failures later, some eight minutes, even that is too often."""
SIGHTING_WAIT_S = 10.0
"""A device that is heard is tried again this soon after a failure, at the earliest."""
JITTER = 0.3
MAX_OFFERED = 4_096
OFFER_TRIES = 200
"""So often an offered address is left for later because another device is just trying it."""
BARRED_S = 300.0
"""A candidate address that proved nothing is not believed again for this long."""
_ABOUT_VERSION = frozenset(
    {
        Trouble.OTHER_VERSION,
        Trouble.CLOSED_ON_WORD,
        Trouble.SILENT,
        Trouble.NEVER_ANSWERED,
        Trouble.UNREADABLE,
        Trouble.KEY_REJECTED,
        Trouble.BROKEN_STREAM,
        Trouble.BROKEN_FRAME,
    }
)
_CLOSED = frozenset({Trouble.CLOSED, Trouble.RESET, Trouble.CLOSED_AT_ONCE})


@dataclass(frozen=True, slots=True)
class Target:
    """One attempt: where, in which version, and whether the address is only a candidate.

    `offered` is a candidate that nobody named for this device: something answered there, and
    whether it is this one only its key can tell.
    """

    ip: str
    port: int
    version: str
    candidate: bool = False
    offered: bool = False


class Route:
    """The next target of one device and what its outcome teaches."""

    def __init__(self, spec: LinkSpec) -> None:
        self.spec = spec
        self.ip = spec.ip
        self.version: str | None = None
        self._tried: list[str] = []
        self._barred: dict[str, float] = {}
        self._missed = False
        self._offered: dict[str, int] = {}
        if spec.last_ip is not None and self.ip is None:
            self.ip = spec.last_ip
        elif spec.last_ip is not None:
            self.offer((spec.last_ip,))

    @property
    def searching(self) -> bool:
        """Addresses it was offered are still to be tried."""
        return bool(self._offered)

    def offer(self, addresses: Sequence[str]) -> None:
        """Something answers at these: the device may be there, if it is not where it was."""
        for ip in addresses[:MAX_OFFERED]:
            if ip != self.ip:
                self._offered[ip] = OFFER_TRIES

    def withdraw(self, ip: str) -> None:
        """Another device proved to be there."""
        self._offered.pop(ip, None)

    def renew(self, spec: LinkSpec) -> None:
        """The record changed: an address a person entered counts again, versions are open."""
        if spec.ip != self.spec.ip and spec.ip is not None:
            self.ip = spec.ip
        if spec.version != self.spec.version:
            self.version = None
        self._tried.clear()
        self._barred.clear()
        self.spec = spec

    def next(self, seen: Sighting | None, now_s: float) -> Target | None:
        """What to try now; None while no address is known."""
        ip, candidate = self.ip, False
        if seen is not None and seen.ip != ip and self._barred.get(seen.ip, 0.0) <= now_s:
            ip, candidate = seen.ip, True
        offered = not candidate and self.searching and (ip is None or self._missed)
        if offered:
            ip = next(iter(self._offered))
        if ip is None:
            return None
        choices = self._choices(seen)
        version = next((v for v in choices if v not in self._tried), choices[0])
        return Target(ip, self.spec.port, version, candidate or offered, offered)

    def _choices(self, seen: Sighting | None) -> list[str]:
        announced = seen.version if seen is not None else None
        first = [self.version or self.spec.version, announced]
        wanted = [v for v in first if v in VERSIONS]
        if self.version is None and (self.spec.version not in VERSIONS):
            wanted += VERSIONS
        return list(dict.fromkeys(v for v in wanted if v is not None)) or list(VERSIONS)

    def succeeded(self, target: Target) -> None:
        """The device proved itself there."""
        self.ip, self.version = target.ip, target.version
        self._missed = False
        self._tried.clear()
        self._offered.clear()

    def failed(self, target: Target, trouble: Trouble, seen: Sighting | None, now_s: float) -> bool:
        """Learn from a failure; True when there is something else to try at once."""
        self._missed = self._missed or not target.candidate
        if target.candidate and not target.offered:
            self._barred[target.ip] = now_s + BARRED_S
            if len(self._barred) > 64:
                self._barred.pop(next(iter(self._barred)))
        about_version = trouble in (_ABOUT_VERSION | _CLOSED if target.offered else _ABOUT_VERSION)
        if about_version and (self.version is None or seen is not None):
            self._tried.append(target.version)
            if any(v not in self._tried for v in self._choices(seen)):
                return True
            self._tried.clear()
        if target.offered:
            self._strike(target.ip, trouble)
        return self.searching or (target.candidate and self.ip is not None)

    def _strike(self, ip: str, trouble: Trouble) -> None:
        """An offered address was not this device's; one that another is just trying waits."""
        self._tried.clear()
        tries = self._offered.pop(ip, 0) - 1
        if trouble is Trouble.ADDRESS_TAKEN and tries > 0:
            self._offered[ip] = tries


class Backoff:
    """Waits that double from 2 s to 300 s, jittered, and what may cut them short."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._failures = 0
        self._trouble: Trouble | None = None
        self._since_s = 0.0

    def reset(self) -> None:
        """It worked."""
        self._failures, self._trouble = 0, None

    def failed(self, trouble: Trouble, now_s: float) -> float:
        """Seconds to wait after this failure."""
        self._trouble, self._since_s = trouble, now_s
        wait_s = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0**self._failures)
        self._failures = min(self._failures + 1, 20)
        if trouble is Trouble.REFUSED:
            wait_s = min(wait_s, BUSY_WAIT_S)
        if trouble in PERSISTENT:
            wait_s = BUSY_WAIT_S if self._failures < PATIENT_AFTER else LONGEST_WAIT_S
        return wait_s * (1 + self._dice.uniform(-JITTER, JITTER))

    def cut_by_sighting(self, now_s: float) -> bool:
        """Whether an announcement ends the wait now."""
        if self._trouble in PERSISTENT:
            return False
        return self._failures <= 1 or now_s - self._since_s >= SIGHTING_WAIT_S
