"""Keeps what machines were last seen to be, so that the next start does not begin with nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Protocol

from app.domain.links import LinkState
from app.domain.ports import DeviceLink
from app.domain.readings import CONNECTION_POINT, Reading, Value
from app.domain.words import Connection

REPORT_STEP_MS = 60_000
"""A device that reports every second moves its last report this often at most in the store."""

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
            for device, state in link.states().items():
                self._keep_one(device, self._facts(state), everything)

    def _keep_one(self, device: str, facts: _Facts, everything: bool) -> None:
        written = self._written.setdefault(device, {})
        moved = {name: fact for name, fact in facts.items() if written.get(name) != fact}
        if not everything:
            last = written.get("last_report_ms", (0, 0))[1]
            if facts.get("last_report_ms", (0, 0))[1] - last < REPORT_STEP_MS:
                moved = {name: moved[name] for name in moved if not _restless(name)}
        by_time: dict[int, dict[str, Value]] = {}
        for name, (value, at_ms) in moved.items():
            by_time.setdefault(at_ms, {})[name] = value
        for at_ms, values in by_time.items():
            self._store.observe(device, values, at_ms)
        written.update(moved)

    def _facts(self, state: LinkState) -> _Facts:
        since_ms = state.since_ms
        facts: _Facts = {}
        if state.connection not in (Connection.NEVER_SEEN, Connection.CONNECTING):
            facts[CONNECTION_POINT] = (state.connection.value, since_ms)
        if state.last_report_ms is not None:
            facts["last_report_ms"] = (state.last_report_ms, state.last_report_ms)
        for name, value in (
            ("ip", state.ip),
            ("version", state.version),
            ("learned_interval_s", state.learned_interval_s),
        ):
            if value is not None:
                facts[name] = (value, since_ms)
        for point, reading in self._latest(state.device).items():
            if point != CONNECTION_POINT:
                facts[point] = (reading.value, reading.at_ms)
        return facts


def _restless(name: str) -> bool:
    return name == "last_report_ms" or name.isdigit()
