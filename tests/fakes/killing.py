"""Kills the program at random moments and keeps the books of what it had acknowledged by then.

Acknowledged is what a command printed before the process that wrote it was killed: an import's
result, an edit's result, the rows a `history query` answered with.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fakes.house import House
from fakes.plantroom import ROOT, Ended, Plantroom

ROWS = 240
"""More than one batch of an import: a kill can fall between two transactions."""

POINT = "switch_1"


@dataclass
class Kills:
    """One profile that is killed again and again; `turn` raises for anything that does not hold."""

    plantroom: Plantroom
    house: House
    folder: Path
    dice: random.Random
    names: dict[str, str] = field(default_factory=dict)
    in_flight: dict[str, set[str]] = field(default_factory=dict)
    imported: dict[str, int] = field(default_factory=dict)
    readings: list[list[Any]] = field(default_factory=list)
    lasts_s: dict[str, float] = field(default_factory=dict)
    killed: int = 0
    finished: int = 0

    def __post_init__(self) -> None:
        self.recorded = self.house.with_point(POINT)["id"]
        self.plantroom.json("devices", "import", str(self.house.inventory))

    def turn(self, kind: str) -> None:
        """One kill in the middle of `import`, `edit` or `record`, and what the next start finds."""
        {"import": self._import, "edit": self._edit, "record": self._record}[kind]()
        self._check()

    # --- what is killed

    def _import(self) -> None:
        file = self._inventory()
        ended = self._kill_within("import", "devices", "import", str(file))
        if ended is not None:
            assert ended.code == 0, ended.out + ended.err
            self._believe(file)

    def _edit(self) -> None:
        device = self.dice.choice(self.house.rows)["id"]
        name = self._new_name(device)
        ended = self._kill_within("edit", "device", "edit", device, "--name", name)
        if ended is not None:
            self._acknowledged(device, name, ended)

    def _record(self) -> None:
        """A holder that records, and is asked to edit and to import when it is killed."""
        file = self._inventory()
        with self.plantroom.holding("--fast") as holder:
            time.sleep(1.5 + self.dice.random())
            self.readings = self._stored()
            clients = [self._ask("devices", "import", str(file))]
            edits = []
            for device in {self.dice.choice(self.house.rows)["id"] for _ in range(2)}:
                name = self._new_name(device)
                edits.append((device, name, self._ask("device", "edit", device, "--name", name)))
            time.sleep(self.dice.random() * 1.8)
            holder.process.send_signal(signal.SIGKILL)
            holder.end()
            self.killed += 1
            for device, name, client in edits:
                self._acknowledged(device, name, self._answer(client))
            if self._answer(clients[0]).code == 0:
                self._believe(file)

    def _inventory(self) -> Path:
        """Rows of devices that do not exist; each time some new ones, and all renamed."""
        turn = self.killed + self.finished
        rows = [
            {
                "id": f"bf{n:020d}",
                "key": f"{n:016d}",
                "name": f"Spare {n} of {turn}",
                "ip": f"10.9.{n % 200}.{turn % 250}",
                "version": "3.3",
            }
            for n in range(ROWS + turn)
        ]
        file = self.folder / "spares.json"
        file.write_text(json.dumps(rows))
        return file

    def _kill_within(self, kind: str, *words: str) -> Ended | None:
        """Kill the command at a moment of its usual life; its answer if it was faster."""
        usual_s = self.lasts_s.get(kind, 2.0)
        began_s = time.monotonic()
        process = self._ask(*words)
        try:
            # two kills in three fall into the second half, where it writes
            process.wait(usual_s * self.dice.triangular(0.2, 1.1, 0.9))
        except subprocess.TimeoutExpired:
            process.kill()
            self.killed += 1
            self._answer(process)
            return None
        self.finished += 1
        self.lasts_s[kind] = time.monotonic() - began_s
        return self._answer(process)

    def _ask(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.plantroom.command("--json", *words),
            env=self.plantroom.environ,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @staticmethod
    def _answer(process: subprocess.Popen[str]) -> Ended:
        out, err = process.communicate(timeout=90)
        return Ended(process.returncode, out, err)

    # --- the books

    def _new_name(self, device: str) -> str:
        name = f"Name {self.dice.getrandbits(40):x}"
        self.in_flight.setdefault(device, set()).add(name)
        return name

    def _acknowledged(self, device: str, name: str, ended: Ended) -> None:
        if ended.code == 0:
            self.names[device] = name
            self.in_flight[device] = set()

    def _believe(self, file: Path) -> None:
        self.imported = {row["id"]: _turn(row["name"]) for row in json.loads(file.read_text())}

    def _stored(self) -> list[list[Any]]:
        span = ("--from", "2020-01-01T00:00:00Z", "--to", "2100-01-01T00:00:00Z")
        told = self.plantroom.json("history", "query", self.recorded, POINT, *span)
        items: list[list[Any]] = told["items"]
        return items

    # --- the next start

    def _check(self) -> None:
        report = self.plantroom.json("audit", "verify")
        assert report["ok"] is True, report
        items = {item["id"]: item for item in self.plantroom.json("devices", "list")["items"]}
        assert {row["id"] for row in self.house.rows} <= items.keys()
        for device, name in self.names.items():
            assert items[device]["name"] in {name, *self.in_flight[device]}, (device, name)
            if items[device]["name"] != name:  # it was written, and only its answer was lost
                self.names[device] = items[device]["name"]
        for device, turn in self.imported.items():
            assert device in items, device
            assert _turn(items[device]["name"]) >= turn, items[device]["name"]
        stored = self._stored()
        assert stored[: len(self.readings)] == self.readings


def _turn(name: str) -> int:
    """The turn whose import gave a spare its name."""
    return int(name.rpartition(" ")[2])
