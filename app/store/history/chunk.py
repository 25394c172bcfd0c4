"""The sealed chunk: up to 2,048 readings of one series, a few bits each.

Times are kept at the series' resolution, one second unless it was set finer, and read back at the
start of that step. Two readings in one step stay two, in order.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from app.domain.readings import Value
from app.store.history.columns import (
    MAX_POINTS,
    Bytes,
    Column,
    DamagedBlock,
    Ints,
    compressor,
    pack,
    read_marks,
    read_uints,
    unpack,
    unzigzag,
    write_marks,
    write_uints,
    write_values,
    zigzag,
)

VERSION = 1
SEAL_POINTS = 512
COMPACT_POINTS = 2_048
KEY_TIME_BITS = 42
MAX_TIME_MS = (1 << KEY_TIME_BITS) - 1
"""The last time a key can hold: the year 2109."""
_LEVEL = 3
_HEADER = struct.Struct("<IIqq")
_MAX_STEPS = 1 << 53


class Chunk(NamedTuple):
    """The readings of one chunk: times in UTC ms at the chunk's resolution, values, marks."""

    resolution_ms: int
    at_ms: Ints
    values: list[Value]
    marks: Bytes


def chunk_key(series: int, t0_ms: int) -> int:
    """Where a chunk belongs: by series, then by the time of its first reading.

    When the key is taken, as for a late reading's own small chunk, the next free one is used.
    """
    if not 0 <= t0_ms <= MAX_TIME_MS or not 0 < series < 1 << 63 - KEY_TIME_BITS:
        raise ValueError("a chunk's time or series is out of range")
    return series << KEY_TIME_BITS | t0_ms


def series_of_key(key: int) -> int:
    """The series a chunk's key names."""
    return key >> KEY_TIME_BITS


def encode_chunk(
    at_ms: Ints, values: Sequence[Value], marks: Bytes, *, resolution_ms: int = 1_000
) -> bytes:
    """Write readings of one series in order of time, those of one time in order of arrival.

    Args:
        at_ms: UTC ms, at least one.
        values: int within 64 bits, float, bool and str of valid Unicode.
        marks: quality and path, as in `columns.MARKS`.
        resolution_ms: 1 to keep milliseconds, 1,000 for seconds.
    """
    steps = at_ms // resolution_ms
    gaps = np.diff(steps)
    usual = int(np.median(gaps)) if gaps.size else 0
    payload = b"".join(
        (
            _HEADER.pack(steps.size, resolution_ms, int(steps[0]), usual),
            write_uints(zigzag(gaps - usual)),
            write_values(values, delta=True),
            write_marks(marks),
        )
    )
    return pack(VERSION, payload, compressor(_LEVEL))


def decode_chunk(blob: bytes) -> Chunk:
    """Undo `encode_chunk`.

    Raises:
        DamagedBlock: the bytes are not a chunk this program wrote.
    """
    reader = unpack(blob, VERSION, "chunk")
    size, resolution_ms, t0, usual = reader.fields(_HEADER)
    if not 0 < size <= MAX_POINTS or resolution_ms == 0:
        raise DamagedBlock("its header is not believable")
    if max(abs(t0), abs(usual)) > _MAX_STEPS // resolution_ms:
        raise DamagedBlock("its time is not believable")
    steps = np.empty(size, np.int64)
    steps[0] = t0
    steps[1:] = unzigzag(read_uints(reader, size - 1)) + usual
    values = Column(reader, size)
    marks = read_marks(reader, size)
    reader.end()
    return Chunk(
        resolution_ms,
        np.cumsum(steps, dtype=np.int64) * resolution_ms,
        values.values(0, size),
        marks,
    )
