"""The log row: all readings of one commit, as one directory of series and one compressed block.

Readings are grouped by series and, within a series, stay in the order they arrived. The directory
is stored beside the block, uncompressed, so that a query for one series skips the rows that do
not have it without unpacking them. A row spans at most `MAX_SPAN_MS`, so that an index on its
start alone finds every row that can touch a time range.
"""

from __future__ import annotations

import struct
import threading
import zlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import zstandard

from app.domain.readings import Value
from app.store.history.columns import (
    MAX_POINTS,
    ByteReader,
    Bytes,
    Column,
    DamagedBlock,
    Ints,
    compressor,
    pack,
    read_marks,
    read_uints,
    unpack,
    write_marks,
    write_uints,
    write_values,
)

VERSION = 1
MAX_SPAN_MS = 60_000
_HEADER = struct.Struct("<IqI")
_DIRECTORY = struct.Struct("<BI")
_LEVEL = 1
_local = threading.local()


class LogRow(NamedTuple):
    """One row as it is stored. `t0` and `t1` are the first and last time in it, UTC ms."""

    t0: int
    t1: int
    readings: int
    directory: bytes
    block: bytes


class SeriesSlice(NamedTuple):
    """What one row holds of one series, in order of arrival."""

    at_ms: Ints
    values: list[Value]
    marks: Bytes


def encode_row(series: Ints, at_ms: Ints, values: Sequence[Value], marks: Bytes) -> LogRow:
    """Write readings that are grouped by ascending series id and span at most `MAX_SPAN_MS`.

    `values` hold int within 64 bits, float, bool and str of valid Unicode only.
    """
    starts = np.flatnonzero(np.concatenate(([True], series[1:] != series[:-1])))
    ids = series[starts]
    counts = np.diff(np.append(starts, series.size))
    directory = b"".join(
        (
            _DIRECTORY.pack(VERSION, ids.size),
            write_uints(np.diff(ids, prepend=0)),
            write_uints(counts - 1),
        )
    )
    t0, t1 = int(at_ms.min()), int(at_ms.max())
    payload = b"".join(
        (
            _HEADER.pack(series.size, t0, zlib.crc32(directory)),
            write_uints(at_ms - t0),
            write_values(values, delta=False),
            write_marks(marks),
        )
    )
    return LogRow(t0, t1, series.size, directory, pack(VERSION, payload, _packer()))


def read_directory(directory: bytes) -> tuple[Ints, Ints]:
    """The series ids of a row, ascending, and how many readings it has of each."""
    reader = ByteReader(directory)
    version, size = reader.fields(_DIRECTORY)
    if version != VERSION or size > MAX_POINTS:
        raise DamagedBlock(f"its directory is not of version {VERSION}")
    steps = read_uints(reader, size).astype(np.int64)
    counts = read_uints(reader, size).astype(np.int64) + 1
    reader.end()
    if size and (steps.min() < 0 or (steps[1:] <= 0).any() or counts.min() < 1):
        raise DamagedBlock("its directory is out of order")
    if size and (steps.max() > 1 << 40 or counts.max() > MAX_POINTS):
        raise DamagedBlock("its directory is not believable")
    return np.cumsum(steps), counts


class RowReader:
    """A log row, unpacked once, from which the readings of each series are taken."""

    def __init__(self, directory: bytes, block: bytes) -> None:
        self.series, counts = read_directory(directory)
        self._ends = np.cumsum(counts)
        self._starts = self._ends - counts
        reader = unpack(block, VERSION, "log row")
        size, t0, check = reader.fields(_HEADER)
        if check != zlib.crc32(directory):
            raise DamagedBlock("its directory is not its own")
        if size > MAX_POINTS or size != (int(self._ends[-1]) if self._ends.size else 0):
            raise DamagedBlock("its directory counts other readings than it holds")
        self._at_ms: Ints = t0 + read_uints(reader, size).astype(np.int64)
        self._values = Column(reader, size)
        self._marks = read_marks(reader, size)
        reader.end()

    def of(self, series: int) -> SeriesSlice | None:
        """The readings of `series`; None when the row has none."""
        place = int(np.searchsorted(self.series, series))
        if place == self.series.size or int(self.series[place]) != series:
            return None
        start, stop = int(self._starts[place]), int(self._ends[place])
        return SeriesSlice(
            self._at_ms[start:stop], self._values.values(start, stop), self._marks[start:stop]
        )


def _packer() -> zstandard.ZstdCompressor:
    """One compressor a thread: sharing one between threads is not safe, making one is not free."""
    if not hasattr(_local, "packer"):
        _local.packer = compressor(_LEVEL)
    packer: zstandard.ZstdCompressor = _local.packer
    return packer
