"""How fast connections are opened: polite to access points and gateways, fast where asked to be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from app.lan.addresses import subnet_of


@dataclass(frozen=True, slots=True)
class Politeness:
    """Bounds on opening connections. 1,000 devices on four subnets take about 20 s.

    `start_jitter_s` spreads the first attempts; `probes_per_s` bounds a range probe.
    """

    connects_per_s: float = 50.0
    per_subnet_per_s: float = 25.0
    at_once: int = 32
    start_jitter_s: float = 1.0
    probes_per_s: float = 100.0

    @classmethod
    def fast(cls) -> Politeness:
        """Maximum speed, for a building that is simulated or a bench."""
        return cls(5_000.0, 5_000.0, 64, 0.0, 2_000.0)


class Pacer:
    """Gives out turns to connect: in order, so many a second, so many at once."""

    def __init__(self, politeness: Politeness, loop: asyncio.AbstractEventLoop) -> None:
        self._politeness = politeness
        self._loop = loop
        self._slots = asyncio.Semaphore(politeness.at_once)
        self._next_s = 0.0
        self._subnet_next_s: dict[str, float] = {}

    @asynccontextmanager
    async def turn(self, ip: str, *, at_once: bool = False) -> AsyncIterator[None]:
        """Wait for a turn to connect to `ip`, and hold one of the slots inside the block.

        `at_once` skips the rate, not the slots: for a device that is awake for two seconds.
        """
        if not at_once:
            wait_s = self._reserve(ip)
            if wait_s > 0:
                await asyncio.sleep(wait_s)
        async with self._slots:
            yield

    def _reserve(self, ip: str) -> float:
        now_s = self._loop.time()
        subnet = subnet_of(ip)
        start_s = max(now_s, self._next_s, self._subnet_next_s.get(subnet, 0.0))
        # The global gap is counted from now, not from a slow subnet's turn, so that a crowded
        # subnet does not hold up the others.
        self._next_s = max(now_s, self._next_s) + 1 / self._politeness.connects_per_s
        self._subnet_next_s[subnet] = start_s + 1 / self._politeness.per_subnet_per_s
        return start_s - now_s
