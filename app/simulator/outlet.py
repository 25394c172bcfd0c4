"""The way out of one session: whole frames at once, or as faults damage, delay and tear them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections import deque
from collections.abc import Set as AbstractSet

from app.simulator.record import Entry
from app.simulator.site import Site

STALLED_FRAMES = 64
QUEUED_PIECES = 2000
DRIBBLE_BYTES = 4
DRIBBLE_S = 0.01
GLUE_WAIT_S = 0.25
LOSS = 0.3
FLUSH_S = 0.05

# Share of replies up to so many seconds, 51 devices over 26 h (openHAB add-ons, issue 21686).
_DELAYS = ((0.498, 0.0, 0.05), (0.717, 0.05, 0.1), (0.883, 0.1, 0.15), (0.944, 0.15, 0.2),
           (0.971, 0.2, 0.3), (0.985, 0.3, 0.5), (0.994, 0.5, 1.0), (1.0, 1.0, 2.5))  # fmt: skip
_SHAPING = frozenset(
    ("half_frames", "glued", "dribble", "bad_crc", "bad_tag", "delay", "loss", "rst")
)


class Outlet:
    """Writes frames and settles their record entries once the system took every byte."""

    def __init__(self, site: Site, transport: asyncio.Transport) -> None:
        self._site = site
        self._transport = transport
        self._stalled: deque[Entry] = deque()
        self._queue: deque[tuple[float, bytes, tuple[Entry, ...], bool]] = deque()
        self._queued_until_s = 0.0
        self._glue: list[tuple[bytes, Entry | None]] = []
        self._waiting = False
        self._torn = False

    def put(
        self, frame: bytes, entry: Entry | None, faults: AbstractSet[str], *, report: bool
    ) -> None:
        """Send a frame; `report` says that it carries data and so is what faults work on."""
        if self._waiting or self._glue or not _SHAPING.isdisjoint(faults):
            self._put_shaped(frame, entry, faults, report=report)
        else:
            self._write(frame, () if entry is None else (entry,))

    def drained(self) -> None:
        """The system took all that was held back."""
        while self._stalled:
            self._done(self._stalled.popleft())

    def _write(self, data: bytes, entries: tuple[Entry, ...], *, torn: bool = False) -> None:
        transport = self._transport
        if transport.is_closing() or len(self._stalled) >= STALLED_FRAMES:
            return
        if self._torn:
            # Behind half a frame or a damaged one nobody finds the next one's beginning.
            entries = ()
        self._torn = self._torn or torn
        transport.write(data)
        if transport.is_closing():
            return
        if transport.get_write_buffer_size():
            self._stalled.extend(entries)
        else:
            for entry in entries:
                entry.written += 1

    def _done(self, entry: Entry) -> None:
        entry.written += 1
        entry.settle(self._site.record)

    def _put_shaped(
        self, frame: bytes, entry: Entry | None, faults: AbstractSet[str], *, report: bool
    ) -> None:
        chance = self._site.chance
        if report and "loss" in faults and chance.random() < LOSS:
            return
        if report and "rst" in faults:
            self._reset(frame)
            return
        if report and not faults.isdisjoint(("bad_crc", "bad_tag")):
            self._spoil(_damaged(frame))
            return
        if report and "half_frames" in faults:
            self._spoil(frame[: len(frame) // 2])
            return
        if report and "glued" in faults:
            self._glue.append((frame, entry))
            if len(self._glue) == 1:
                self._site.agenda.after(GLUE_WAIT_S, self._unglue)
                return
            if len(self._glue) < 3:
                return
            self._unglue()
            return
        self._unglue()
        delay_s = _delay_s(chance.random(), chance.random()) if "delay" in faults else 0.0
        self._enqueue(frame, () if entry is None else (entry,), delay_s, faults, report=report)

    def _spoil(self, data: bytes) -> None:
        """Send what is no valid frame, after everything that waits."""
        self._unglue()
        self._enqueue(data, (), 0.0, frozenset(), report=True, torn=True)

    def _unglue(self) -> None:
        if not self._glue:
            return
        frames, self._glue = self._glue, []
        entries = tuple(entry for _, entry in frames if entry is not None)
        self._enqueue(
            b"".join(frame for frame, _ in frames), entries, 0.0, frozenset(), report=True
        )
        for entry in entries:
            entry.settle(self._site.record)

    def _enqueue(
        self,
        data: bytes,
        entries: tuple[Entry, ...],
        delay_s: float,
        faults: AbstractSet[str],
        *,
        report: bool,
        torn: bool = False,
    ) -> None:
        now_s = self._site.agenda.now_s()
        slow = report and "dribble" in faults
        if not slow and not delay_s and not self._queue:
            self._write(data, entries, torn=torn)
            return
        if len(self._queue) > QUEUED_PIECES:
            return
        due_s = max(self._queued_until_s, now_s + delay_s)
        size = DRIBBLE_BYTES if slow else len(data)
        for start in range(0, len(data), size):
            due_s += DRIBBLE_S if slow else 0.0
            last = start + size >= len(data)
            self._queue.append((due_s, data[start : start + size], entries if last else (), torn))
        self._queued_until_s = due_s
        self._wait()

    def _wait(self) -> None:
        if not self._waiting and self._queue:
            self._waiting = True
            delay_s = max(0.0, self._queue[0][0] - self._site.agenda.now_s())
            self._site.agenda.after(delay_s, self._release)

    def _release(self) -> None:
        self._waiting = False
        now_s = self._site.agenda.now_s()
        while self._queue and self._queue[0][0] <= now_s + 1e-6:
            _, data, entries, torn = self._queue.popleft()
            self._write(data, entries, torn=torn)
            for entry in entries:
                entry.settle(self._site.record)
        self._wait()

    def _reset(self, frame: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(frame[: len(frame) // 2])
            abort_with_reset(self._transport)


def abort_with_reset(transport: asyncio.Transport) -> None:
    """Close so that the peer sees a reset rather than an end."""
    peer = transport.get_extra_info("socket")
    with contextlib.suppress(OSError):
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def _damaged(frame: bytes) -> bytes:
    """The last byte of the CRC, HMAC or tag turned over."""
    return frame[:-5] + bytes((frame[-5] ^ 0x5A,)) + frame[-4:]


def _delay_s(which: float, where: float) -> float:
    for share, low_s, high_s in _DELAYS:
        if which <= share:
            return low_s + (high_s - low_s) * where
    return _DELAYS[-1][2]
