"""The format is what docs/history-format.md says: read by the page, without the product's code.

The bytes below were written once and must be readable for ever.
"""

import struct
import zlib

import numpy as np
import zstandard

from app.store.history.chunk import decode_chunk, encode_chunk
from app.store.history.log import RowReader, encode_row

VALUES = [623, -5, True, False, 21.5, 0.1, "auto", "Ärger", "auto", 1 << 40]
TIMES = [0, 5, 5, 9, 1000, 1001, 2000, 2500, 60_000, 60_000]
MARKS = [0, 0, 16, 16, 16, 33, 0, 0, 0, 48]
SERIES = [3, 3, 3, 3, 7, 7, 300, 300, 300, 70_000]
T0 = 1_790_000_000_000

DIRECTORY = bytes.fromhex("010400000002030000000400000025010000441001000003010200")
BLOCK = bytes.fromhex(
    "0128b52ffd247615030062061622a019d2013f00597ee7b70b4130c0116dfe6a6f1f14ae4ec658f0"
    "3650d61222b74c012c7b1b260cfed1fca558ac08a5e1782400e7ff201f279c7fa70fa6df96bcfb4d"
    "534d2516b854d3cc69347a1e0a96ca53c2108c7f410200c0705d000a86465453"
)
CHUNK = bytes.fromhex(
    "0128b52ffd2494950300a2451422a035e93f3ad011bcff01e5c407709ec4684ba99ebe5cc57b4598"
    "c634a7d6c8de3205cd26be9c20ce791ca0d022a931d45481a17d642b447eeb99d9227ea204e5f3f0"
    "ebfdebd7e0c08b6fe031d07f7f160c007808109848496f9c60a0c50a8ae195a65525ffcf1b804a49"
    "b1d700c2d90cba3b"
)


class Plain:
    """A reader written from the page alone: no numpy, no code of the product."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def get(self, layout):
        layout = "<" + layout
        found = struct.unpack_from(layout, self.data, self.at)
        self.at += struct.calcsize(layout)
        return found if len(found) > 1 else found[0]

    def uints(self, n):
        width = self.get("B")
        if width == 4:
            return [0] * n
        return [self.get("BHIQ"[width]) for _ in range(n)]

    def zigzags(self, n):
        return [(u >> 1) ^ -(u & 1) for u in self.uints(n)]

    def ints(self, n):
        if self.get("B") == 0:
            return self.zigzags(n)
        numbers = [self.get("q")]
        for step in self.zigzags(n - 1):
            numbers.append((numbers[-1] + step + (1 << 63)) % (1 << 64) - (1 << 63))
        return numbers

    def floats(self, n):
        decimals = self.get("B")
        if decimals == 255:
            return [self.get("d") for _ in range(n)]
        return [number / 10**decimals for number in self.ints(n)]

    def bools(self, n):
        packed = [self.get("B") for _ in range((n + 7) // 8)]
        return [bool(packed[i // 8] >> (7 - i % 8) & 1) for i in range(n)]

    def texts(self, n):
        lengths = self.uints(self.get("I"))
        words = []
        for length in lengths:
            words.append(self.data[self.at : self.at + length].decode())
            self.at += length
        return [words[i] for i in self.uints(n)]

    def values(self, n):
        read = (self.ints, self.floats, self.bools, self.texts)
        kind = self.get("B")
        if kind != 255:
            return read[kind](n)
        kinds = [self.get("B") for _ in range(n)]
        columns = {k: iter(read[k](kinds.count(k))) for k in range(4) if k in kinds}
        return [next(columns[k]) for k in kinds]

    def marks(self, n):
        runs = self.get("I")
        codes = [self.get("B") for _ in range(runs)]
        lengths = self.uints(runs)
        marks = [code for code, length in zip(codes, lengths, strict=True) for _ in range(length)]
        assert len(marks) == n
        assert self.at == len(self.data)
        return marks


def payload(block):
    assert block[0] == 1
    return Plain(zstandard.ZstdDecompressor().decompress(block[1:]))


def read_row(directory, block):
    head = Plain(directory)
    version, m = head.get("BI")
    assert version == 1
    ids, last = [], 0
    for step in head.uints(m):
        last += step
        ids.append(last)
    counts = [less + 1 for less in head.uints(m)]
    series = [one for one, count in zip(ids, counts, strict=True) for _ in range(count)]
    body = payload(block)
    n, t0, check = body.get("IqI")
    assert check == zlib.crc32(directory)
    return series, [t0 + at for at in body.uints(n)], body.values(n), body.marks(n)


def read_chunk(block):
    body = payload(block)
    n, resolution, first, usual = body.get("IIqq")
    steps = [first]
    for gap in body.zigzags(n - 1):
        steps.append(steps[-1] + gap + usual)
    return [step * resolution for step in steps], body.values(n), body.marks(n)


def expected_row():
    return SERIES, [T0 + at for at in TIMES], VALUES, MARKS


def columns():
    at_ms = np.array(TIMES, np.int64) + T0
    return np.array(SERIES, np.int64), at_ms, VALUES, np.array(MARKS, np.uint8)


def test_a_log_row_can_be_read_by_the_page():
    row = encode_row(*columns())
    assert read_row(row.directory, row.block) == expected_row()


def test_a_chunk_can_be_read_by_the_page():
    _, at_ms, values, marks = columns()
    seconds = [T0 + at // 1000 * 1000 for at in TIMES]
    assert read_chunk(encode_chunk(at_ms, values, marks)) == (seconds, VALUES, MARKS)
    floats = [0.1, 1e300, -0.0, 2.5]
    blob = encode_chunk(at_ms[:4], floats, marks[:4], resolution_ms=1)
    assert read_chunk(blob) == (at_ms[:4].tolist(), floats, MARKS[:4])


def test_a_log_row_written_by_the_first_version_is_still_read():
    reader = RowReader(DIRECTORY, BLOCK)
    parts = [reader.of(one) for one in sorted(set(SERIES))]
    assert [at for part in parts for at in part.at_ms.tolist()] == [T0 + at for at in TIMES]
    assert [value for part in parts for value in part.values] == VALUES
    assert [mark for part in parts for mark in part.marks.tolist()] == MARKS
    assert read_row(DIRECTORY, BLOCK) == expected_row()


def test_a_chunk_written_by_the_first_version_is_still_read():
    chunk = decode_chunk(CHUNK)
    assert chunk.resolution_ms == 1
    assert chunk.at_ms.tolist() == [T0 + at for at in TIMES]
    assert chunk.values == VALUES
    assert chunk.marks.tolist() == MARKS
