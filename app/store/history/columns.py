"""Columns of numbers, values and marks as bytes: what log rows and chunks are made of.

Every writer here has its reader beside it, and `docs/history-format.md` describes the bytes. All
numbers are little-endian. Readers check every length before they use it and raise
`DamagedBlock` for whatever does not fit; nothing else comes out of them.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import zstandard

from app.domain.readings import Value
from app.domain.words import Path, Quality

Ints = npt.NDArray[np.int64]
Uints = npt.NDArray[np.uint64]
Bytes = npt.NDArray[np.uint8]

INT, FLOAT, BOOL, TEXT, MIXED = 0, 1, 2, 3, 255
KIND_OF: Final[dict[type, int]] = {int: INT, float: FLOAT, bool: BOOL, str: TEXT}
MAX_POINTS = 1 << 22
MAX_UNPACKED_BYTES = 1 << 28
RAW_FLOATS = 255
_PLAIN, _DELTA = 0, 1
_MAX_DECIMALS = 6
_EXACT_INT = 2.0**53
_ZEROS = 4
_WIDTHS: Final = (np.dtype("<u1"), np.dtype("<u2"), np.dtype("<u4"), np.dtype("<u8"))
_LIMITS: Final = (1 << 8, 1 << 16, 1 << 32)

QUALITIES: Final = (
    Quality.GOOD,
    Quality.OUT_OF_RANGE,
    Quality.INVALID,
    Quality.LATE,
    Quality.DUPLICATE,
    Quality.STALE,
)
PATHS: Final = (Path.LAN, Path.CLOUD, Path.SERVER, Path.NONE)
MARKS: Final[dict[tuple[Quality, Path], int]] = {
    (quality, path): q << 4 | p
    for q, quality in enumerate(QUALITIES)
    for p, path in enumerate(PATHS)
}
MARK_MEANS: Final[dict[int, tuple[Quality, Path]]] = {code: mark for mark, code in MARKS.items()}


class DamagedBlock(Exception):
    """Stored bytes that are not what this program wrote; the message says what did not fit."""


class ByteReader:
    """Takes fields off a block from the front and never reads past its end."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, size: int) -> bytes:
        """The next `size` bytes."""
        end = self._at + size
        if size < 0 or end > len(self._data):
            raise DamagedBlock("it ends too early")
        taken = self._data[self._at : end]
        self._at = end
        return taken

    def fields(self, layout: struct.Struct) -> tuple[Any, ...]:
        """The next fields of this layout."""
        return layout.unpack(self.take(layout.size))

    def byte(self) -> int:
        """The next byte as a number."""
        return self.take(1)[0]

    def end(self) -> None:
        """Nothing may be left over."""
        if self._at != len(self._data):
            raise DamagedBlock("bytes are left over at its end")


def pack(version: int, payload: bytes, packer: zstandard.ZstdCompressor) -> bytes:
    """A version byte, then the compressed payload with its checksum."""
    return bytes((version,)) + packer.compress(payload)


def unpack(blob: bytes, version: int, what: str) -> ByteReader:
    """Undo `pack`; refuses another version, a wrong checksum, an absurd size."""
    if not blob or blob[0] != version:
        raise DamagedBlock(f"it is not a {what} of version {version}")
    try:
        size = zstandard.frame_content_size(blob[1:])
        if not 0 <= size <= MAX_UNPACKED_BYTES:
            raise DamagedBlock("its size is not believable")
        # A decompressor must not be shared between threads; making one costs two microseconds.
        unpacker = zstandard.ZstdDecompressor()
        return ByteReader(unpacker.decompress(blob[1:], allow_extra_data=False))
    except (zstandard.ZstdError, MemoryError) as error:
        raise DamagedBlock("it does not decompress") from error


def compressor(level: int) -> zstandard.ZstdCompressor:
    """The compressor every block is written with: content size and checksum included."""
    return zstandard.ZstdCompressor(level=level, write_checksum=True, write_content_size=True)


def zigzag(numbers: Ints) -> Uints:
    """Small numbers of either sign as small unsigned ones."""
    return ((numbers << 1) ^ (numbers >> 63)).view(np.uint64)


def unzigzag(coded: Uints) -> Ints:
    """Undo `zigzag`."""
    return (coded >> np.uint64(1)).view(np.int64) ^ -(coded & np.uint64(1)).view(np.int64)


def write_uints(numbers: npt.NDArray[Any]) -> bytes:
    """Unsigned numbers at the narrowest width that holds them all; zeros alone take no room."""
    most = int(numbers.max()) if numbers.size else 0
    if most == 0:
        return bytes((_ZEROS,))
    code = next((n for n, limit in enumerate(_LIMITS) if most < limit), 3)
    return bytes((code,)) + numbers.astype(_WIDTHS[code]).tobytes()


def read_uints(reader: ByteReader, count: int) -> Uints:
    """Undo `write_uints` for `count` numbers."""
    code = reader.byte()
    if code == _ZEROS:
        return np.zeros(count, np.uint64)
    if code >= len(_WIDTHS):
        raise DamagedBlock("a column has a width that does not exist")
    width = _WIDTHS[code]
    return np.frombuffer(reader.take(count * width.itemsize), width).astype(np.uint64)


def write_ints(numbers: Ints, *, delta: bool) -> bytes:
    """Signed numbers, either each on its own or as steps from the one before.

    A step that overflows 64 bits wraps, and wraps back on reading.
    """
    if delta and numbers.size:
        first = struct.pack("<Bq", _DELTA, int(numbers[0]))
        return first + write_uints(zigzag(np.diff(numbers)))
    return bytes((_PLAIN,)) + write_uints(zigzag(numbers))


def read_ints(reader: ByteReader, count: int) -> Ints:
    """Undo `write_ints` for `count` numbers."""
    mode = reader.byte()
    if mode == _PLAIN:
        return unzigzag(read_uints(reader, count))
    if mode != _DELTA or count == 0:
        raise DamagedBlock("a column of integers is of an unknown form")
    numbers = np.empty(count, np.int64)
    numbers[0] = struct.unpack("<q", reader.take(8))[0]
    numbers[1:] = unzigzag(read_uints(reader, count - 1))
    return np.cumsum(numbers, dtype=np.int64)


def write_floats(numbers: npt.NDArray[np.float64], *, delta: bool) -> bytes:
    """Floating-point numbers: as integers times a power of ten where that is exact, else whole."""
    for decimals in range(_MAX_DECIMALS + 1):
        scaled = np.rint(numbers * 10.0**decimals)
        if not (np.abs(scaled) < _EXACT_INT).all():
            break
        if (scaled / 10.0**decimals).tobytes() == numbers.tobytes():
            return bytes((decimals,)) + write_ints(scaled.astype(np.int64), delta=delta)
    return bytes((RAW_FLOATS,)) + numbers.astype("<f8").tobytes()


def read_floats(reader: ByteReader, count: int) -> npt.NDArray[np.float64]:
    """Undo `write_floats` for `count` numbers, to the bit."""
    decimals = reader.byte()
    if decimals == RAW_FLOATS:
        return np.frombuffer(reader.take(count * 8), "<f8")
    if decimals > _MAX_DECIMALS:
        raise DamagedBlock("a column of decimals has an unknown scale")
    return read_ints(reader, count).astype(np.float64) / 10.0**decimals


def write_texts(texts: Sequence[str]) -> bytes:
    """Texts as a dictionary in order of first use, then which of them each value is."""
    places: dict[str, int] = {}
    which = np.array([places.setdefault(text, len(places)) for text in texts], np.uint64)
    words = [text.encode() for text in places]
    lengths = np.array([len(word) for word in words], np.uint64)
    return b"".join(
        (struct.pack("<I", len(words)), write_uints(lengths), *words, write_uints(which))
    )


def read_texts(reader: ByteReader, count: int) -> tuple[list[str], Uints]:
    """Undo `write_texts`: the dictionary, and which word each of `count` values is."""
    (words,) = reader.fields(struct.Struct("<I"))
    if words > count:
        raise DamagedBlock("a column of texts has more words than values")
    lengths = read_uints(reader, words)
    try:
        texts = [reader.take(size).decode() for size in lengths.tolist()]
    except UnicodeDecodeError as error:
        raise DamagedBlock("a text is not UTF-8") from error
    which = read_uints(reader, count)
    if count and int(which.max()) >= words:
        raise DamagedBlock("a column of texts points outside its dictionary")
    return texts, which


def write_marks(marks: Bytes) -> bytes:
    """Quality and path of every value, as runs of the same."""
    if not marks.size:
        return struct.pack("<I", 0)
    starts = np.flatnonzero(np.concatenate(([True], marks[1:] != marks[:-1])))
    lengths = np.diff(np.append(starts, marks.size))
    return struct.pack("<I", starts.size) + marks[starts].tobytes() + write_uints(lengths)


def read_marks(reader: ByteReader, count: int) -> Bytes:
    """Undo `write_marks` for `count` values."""
    (runs,) = reader.fields(struct.Struct("<I"))
    if runs > count:
        raise DamagedBlock("it has more runs of quality than values")
    codes = np.frombuffer(reader.take(runs), np.uint8)
    lengths = read_uints(reader, runs)
    if sum(lengths.tolist()) != count or not set(codes.tolist()) <= MARK_MEANS.keys():
        raise DamagedBlock("its runs of quality do not add up")
    return np.repeat(codes, lengths.astype(np.int64))


def write_values(values: Sequence[Value], *, delta: bool) -> bytes:
    """Values of any kinds, each kept as what it is: a kind for all or one each, then columns."""
    types = set(map(type, values))
    if len(types) == 1:
        kind = KIND_OF[types.pop()]
        return bytes((kind,)) + _write_kind(kind, values, delta=delta)
    kinds = bytes(map(KIND_OF.__getitem__, map(type, values)))
    parts = [bytes((MIXED,)), kinds]
    for kind in (INT, FLOAT, BOOL, TEXT):
        of_kind = [value for value, other in zip(values, kinds, strict=True) if other == kind]
        if of_kind:
            parts.append(_write_kind(kind, of_kind, delta=delta))
    return b"".join(parts)


def _write_kind(kind: int, values: Sequence[Any], *, delta: bool) -> bytes:
    if kind == INT:
        return write_ints(np.array(values, np.int64), delta=delta)
    if kind == FLOAT:
        return write_floats(np.array(values, np.float64), delta=delta)
    if kind == BOOL:
        return np.packbits(np.array(values, np.bool_)).tobytes()
    return write_texts(values)


class Column:
    """Decoded values of one block; a part of them is turned into Python values on demand."""

    def __init__(self, reader: ByteReader, count: int) -> None:
        self._kinds: Bytes | None = None
        self._parts: dict[int, tuple[Sequence[Value] | None, npt.NDArray[Any]]] = {}
        self._kind = reader.byte()
        if self._kind != MIXED:
            self._parts[self._kind] = _read_kind(reader, self._kind, count)
            return
        self._kinds = np.frombuffer(reader.take(count), np.uint8)
        if count and int(self._kinds.max()) > TEXT:
            raise DamagedBlock("it holds values of an unknown kind")
        for kind in (INT, FLOAT, BOOL, TEXT):
            of_kind = int(np.count_nonzero(self._kinds == kind))
            if of_kind:
                self._parts[kind] = _read_kind(reader, kind, of_kind)

    def values(self, start: int, stop: int) -> list[Value]:
        """The values at positions `start` to `stop`, exactly as they were written."""
        if self._kinds is None:
            return self._slice(self._kind, start, stop)
        kinds = self._kinds[start:stop]
        values: list[Value] = [0] * len(kinds)
        for kind in self._parts:
            first = int(np.count_nonzero(self._kinds[:start] == kind))
            places = np.flatnonzero(kinds == kind).tolist()
            for place, value in zip(
                places, self._slice(kind, first, first + len(places)), strict=True
            ):
                values[place] = value
        return values

    def _slice(self, kind: int, start: int, stop: int) -> list[Value]:
        words, numbers = self._parts[kind]
        part: list[Any] = numbers[start:stop].tolist()
        return part if words is None else [words[which] for which in part]


def _read_kind(
    reader: ByteReader, kind: int, count: int
) -> tuple[Sequence[Value] | None, npt.NDArray[Any]]:
    if kind == INT:
        return None, read_ints(reader, count)
    if kind == FLOAT:
        return None, read_floats(reader, count)
    if kind == BOOL:
        packed = np.frombuffer(reader.take((count + 7) // 8), np.uint8)
        return None, np.unpackbits(packed, count=count).astype(np.bool_)
    if kind == TEXT:
        return read_texts(reader, count)
    raise DamagedBlock("it holds values of an unknown kind")
