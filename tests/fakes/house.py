"""A simulated building as a process of its own, described by its files."""

from __future__ import annotations

import itertools
import json
import os
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fakes.plantroom import Plantroom, Running, started

_seeds = itertools.count(100_000 + os.getpid() % 10_000 * 50)


@dataclass
class House:
    """A building that is ready. Its devices' ids are no other building's: the seed is its own."""

    running: Running
    ready: dict[str, Any]
    record: Path
    options: list[str]

    @property
    def inventory(self) -> Path:
        """Its `devices.json`."""
        return Path(self.ready["inventory"])

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows of its inventory."""
        rows: list[dict[str, Any]] = json.loads(self.inventory.read_text())
        return rows

    def fault(self, device: str, name: str, *, on: bool = True) -> None:
        """Switch a fault of a device."""
        wish = json.dumps({"device": device, "fault": name, "on": on}).encode()
        request = urllib.request.Request(f"{self.ready['control']}/faults", wish, method="POST")
        urllib.request.urlopen(request, timeout=10).close()

    def state(self) -> dict[str, Any]:
        """What the devices are like inside: sessions, faults, values, by id."""
        with urllib.request.urlopen(f"{self.ready['control']}/state", timeout=10) as answer:
            devices: dict[str, Any] = json.load(answer)["devices"]
        return devices

    def with_point(self, code: str) -> dict[str, Any]:
        """The first row that has a point of this code."""
        return next(
            row
            for row in self.rows
            if any(point["code"] == code for point in row.get("mapping", {}).values())
        )


@contextmanager
def house_of(folder: Path, *options: str) -> Iterator[House]:
    """Start a building; its files are in `folder`."""
    folder.mkdir(exist_ok=True)
    record = folder / "record.jsonl"
    words = ["simulate", "--record", str(record), "--export", str(folder / "devices.json")]
    words += options if "--seed" in options else ["--seed", str(next(_seeds)), *options]
    with started(Plantroom(folder).command(*words), dict(os.environ)) as running:
        ready = running.wait_line("ready")
        yield House(running, ready, record, words)
        running.stop()
