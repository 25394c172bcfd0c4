"""The simulator's own record of what it said: one line per DP value that left in a whole frame."""

from __future__ import annotations

import json
from collections.abc import Mapping
from io import TextIOBase
from pathlib import Path
from typing import IO

from app.domain.errors import StoreFault
from app.domain.readings import Value
from app.runtime.clock import Clock


class Entry:
    """The values of one frame, written down once at least one session has all its bytes."""

    __slots__ = ("_cid", "_done", "_unit", "_values", "written")

    def __init__(self, unit: str, cid: str | None, values: Mapping[str, Value]) -> None:
        self._unit, self._cid, self._values = unit, cid, values
        self._done = False
        self.written = 0

    def settle(self, record: Record) -> None:
        """Write the lines if any session has the frame and nobody wrote them before."""
        if self.written and not self._done:
            self._done = True
            record.add(self._unit, self._cid, self._values, self.written)


class Record:
    """The record file, or nothing but a count when no file was asked for."""

    def __init__(self, path: Path | None, clock: Clock) -> None:
        self._clock = clock
        self._file: IO[str] | TextIOBase | None = None
        self._dirty = False
        self.values = 0
        if path is not None:
            try:
                self._file = path.open("w", encoding="utf-8", buffering=1 << 16)
            except OSError as error:
                raise StoreFault(
                    "simulator.record",
                    f"The record file cannot be written: {error.strerror}.",
                    where=str(path),
                    do="Name a file in a folder you may write to.",
                ) from None

    def add(self, unit: str, cid: str | None, values: Mapping[str, Value], sessions: int) -> None:
        """One line per value: device or sub-device, cid, dp, raw value, epoch seconds, sessions."""
        self.values += len(values)
        if self._file is None:
            return
        head = f'{{"device":{json.dumps(unit)},"cid":{json.dumps(cid)},"dp":'
        tail = f',"at":{self._clock.now_ms() / 1000:.3f},"sessions":{sessions}}}\n'
        self._file.write(
            "".join(
                f'{head}"{dp}","value":{json.dumps(value)}{tail}' for dp, value in values.items()
            )
        )
        self._dirty = True

    def flush(self) -> None:
        """Hand what is written to the system, so that a killed simulator loses nothing of it."""
        if self._dirty and self._file is not None:
            self._file.flush()
            self._dirty = False

    def close(self) -> None:
        """Flush and close."""
        if self._file is not None:
            self._file.close()
            self._file = None
