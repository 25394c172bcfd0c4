"""Keeps what machines were last seen to be, so that the next start does not begin with nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Protocol

from app.domain.links import LinkState
from app.domain.ports import DeviceLink
from app.domain.readings import CONNECTION_POINT, Reading, Value
from app.domain.words import Connection

STEP_MS = 60_000
"""A device that reports every second has its last report and values written this often at most."""

_Facts = dict[str, tuple[Value, int]]


class Observations(Protocol):
    """Where the last machine state is kept."""

    def observe(self, device: str, values: Mapping[str, Value], at_ms: int) -> None:
        """These were so at `at_ms`."""


class Observer:
    """Compares every held device with what was written of it and writes what moved."""

    def __init__(
        self,
        *,
        link: Callable[[], DeviceLink | None],
        latest: Callable[[str], Mapping[str, Reading]],
        store: Observations,
    ) -> None:
        self._link = link
        self._latest = latest
        self._store = store
        self._lock = threading.Lock()
        self._written: dict[str, _Facts] = {}

    def keep(self, *, everything: bool = False) -> None:
        """Write what changed since the last call; `everything` also what changes all the time."""
        link = self._link()
        if link is None:
            return
        with self._lock:
            for state in link.states().values():
                self._keep_one(state, everything)

    def _keep_one(self, state: LinkState, everything: bool) -> None:
        written = self._written.setdefault(state.device, {})
        facts = _facts(state)
        reported_ms = state.last_report_ms
        if reported_ms is not None and (everything or reported_ms - _told_ms(written) >= STEP_MS):
            facts["last_report_ms"] = (reported_ms, reported_ms)
            for point, reading in self._latest(state.device).items():
                if point != CONNECTION_POINT:
                    facts[point] = (reading.value, reading.at_ms)
        by_time: dict[int, dict[str, Value]] = {}
        for name, fact in facts.items():
            if written.get(name) != fact:
                written[name] = fact
                by_time.setdefault(fact[1], {})[name] = fact[0]
        for at_ms, values in by_time.items():
            self._store.observe(state.device, values, at_ms)


def _facts(state: LinkState) -> _Facts:
    """What of a state is worth keeping and rarely changes."""
    since_ms = state.since_ms
    facts: _Facts = {}
    if state.connection not in (Connection.NEVER_SEEN, Connection.CONNECTING):
        facts[CONNECTION_POINT] = (state.connection.value, since_ms)
    if state.ip is not None:
        facts["ip"] = (state.ip, since_ms)
    if state.version is not None:
        facts["version"] = (state.version, since_ms)
    if state.learned_interval_s is not None:
        facts["learned_interval_s"] = (state.learned_interval_s, since_ms)
    return facts


def _told_ms(written: _Facts) -> int:
    return written.get("last_report_ms", (0, 0))[1]
