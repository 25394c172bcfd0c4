"""The last known machine state of each device: address, version, last report, connection."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import Any

from app.domain.readings import Value

Observed = Mapping[str, tuple[Value, int]]
"""Name to (value, UTC ms it was observed at)."""


class ObservedTable:
    """Held in memory, written behind in batches: a crash loses seconds of what is seen again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._devices: dict[str, dict[str, tuple[Value, int]]] = {}
        self._dirty: set[tuple[str, str]] = set()
        self._writing: set[tuple[str, str]] = set()

    def load(self, connection: Any) -> None:
        """Take in what the file knows; what was observed since then wins."""
        rows = connection.execute("SELECT device, name, value, at_ms FROM observed").fetchall()
        with self._lock:
            for device, name, value, at_ms in rows:
                known = self._devices.setdefault(device, {})
                known.setdefault(name, (json.loads(value), at_ms))

    def observe(self, device: str, values: Mapping[str, Value], at_ms: int) -> None:
        """Remember `values`, by name, as what was seen of `device` at `at_ms`."""
        with self._lock:
            known = self._devices.setdefault(device, {})
            for name, value in values.items():
                known[name] = (value, at_ms)
                self._dirty.add((device, name))

    def of(self, device: str) -> Observed:
        """A snapshot of what is known of `device`."""
        with self._lock:
            return dict(self._devices.get(device, {}))

    def all(self) -> dict[str, Observed]:
        """A snapshot of what is known of every device."""
        with self._lock:
            return {device: dict(known) for device, known in self._devices.items()}

    def store(self, connection: Any) -> None:
        """Write what changed; `stored` or `not_stored` must follow."""
        with self._lock:
            self._writing |= self._dirty
            self._dirty = set()
            rows = [
                (device, name, json.dumps(value), at_ms)
                for device, name in sorted(self._writing)
                for value, at_ms in (self._devices[device][name],)
            ]
        connection.executemany(
            "INSERT OR REPLACE INTO observed(device, name, value, at_ms) VALUES(?, ?, ?, ?)", rows
        )

    def stored(self) -> None:
        """The commit is through."""
        with self._lock:
            self._writing = set()

    def not_stored(self) -> None:
        """The commit failed: everything is still to be written."""
        with self._lock:
            self._dirty |= self._writing
            self._writing = set()

    def store_all_again(self) -> None:
        """The file was replaced by an empty one."""
        with self._lock:
            self._dirty |= {(d, name) for d, known in self._devices.items() for name in known}

    @property
    def unstored(self) -> bool:
        """True when there is something to write."""
        return bool(self._dirty)
