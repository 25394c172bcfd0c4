"""What is encoded comes back to the bit; bytes that were damaged raise one error and no other."""

import contextlib
import math
import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.store.history.chunk import (
    MAX_TIME_MS,
    chunk_key,
    decode_chunk,
    encode_chunk,
    series_of_key,
)
from app.store.history.columns import (
    MARK_MEANS,
    ByteReader,
    DamagedBlock,
    compressor,
    pack,
    read_ints,
    read_uints,
    write_ints,
    write_uints,
)
from app.store.history.log import MAX_SPAN_MS, RowReader, encode_row, read_directory

INT64 = st.integers(-(1 << 63), (1 << 63) - 1)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
DECIMALS = st.integers(-10_000, 10_000).map(lambda n: n / 10)
TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
VALUES = st.one_of(INT64, FLOATS, DECIMALS, st.booleans(), TEXTS)
COLUMNS = st.one_of(*(st.lists(one, min_size=1, max_size=40) for one in VALUES.original_strategies))
MARKS = st.sampled_from(sorted(MARK_MEANS))
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def same(one, other):
    """Equal in type and to the bit: -0.0 is not 0.0, True is not 1."""
    return [(type(v), v, math.copysign(1, v) if isinstance(v, float) else 0) for v in one] == [
        (type(v), v, math.copysign(1, v) if isinstance(v, float) else 0) for v in other
    ]


def marks_for(data, size):
    return np.array(data.draw(st.lists(MARKS, min_size=size, max_size=size)), np.uint8)


@QUICK
@given(st.lists(INT64, max_size=50), st.booleans())
def test_integers_come_back_even_when_steps_overflow(numbers, delta):
    column = np.array(numbers, np.int64)
    reader = ByteReader(write_ints(column, delta=delta))
    assert read_ints(reader, len(numbers)).tolist() == numbers
    reader.end()


@QUICK
@given(st.lists(st.integers(0, (1 << 64) - 1), max_size=50))
def test_unsigned_numbers_take_the_narrowest_width(numbers):
    data = write_uints(np.array(numbers, np.uint64))
    assert read_uints(ByteReader(data), len(numbers)).tolist() == numbers
    most = max(numbers, default=0)
    width = next(w for w in (0, 1, 2, 4, 8) if most < 1 << 8 * w)
    assert len(data) == 1 + width * len(numbers)


@QUICK
@given(st.data(), COLUMNS)
@example(None, [0.0, -0.0, 0.1, 1e300])
def test_a_chunk_comes_back_whole(data, values):
    size = len(values)
    if data is None:
        times, marks, resolution = list(range(size)), np.zeros(size, np.uint8), 1
    else:
        times = sorted(
            data.draw(st.lists(st.integers(0, MAX_TIME_MS), min_size=size, max_size=size))
        )
        marks, resolution = marks_for(data, size), data.draw(st.sampled_from([1, 10, 1000]))
    at_ms = np.array(times, np.int64)
    chunk = decode_chunk(encode_chunk(at_ms, values, marks, resolution_ms=resolution))
    assert chunk.resolution_ms == resolution
    assert chunk.at_ms.tolist() == [at // resolution * resolution for at in times]
    assert same(chunk.values, values)
    assert chunk.marks.tolist() == marks.tolist()


def test_two_readings_in_one_second_stay_two_and_in_order():
    at_ms = np.array([1_000, 1_400, 1_900, 2_000], np.int64)
    chunk = decode_chunk(encode_chunk(at_ms, ["b", "a", "b", "c"], np.zeros(4, np.uint8)))
    assert chunk.at_ms.tolist() == [1_000, 1_000, 1_000, 2_000]
    assert chunk.values == ["b", "a", "b", "c"]


def test_a_steady_series_takes_less_than_a_byte_a_point():
    at_ms = np.arange(512, dtype=np.int64) * 60_000 + 1_790_000_000_000
    values = [215 + (n // 7) % 3 for n in range(512)]
    blob = encode_chunk(at_ms, values, np.zeros(512, np.uint8))
    assert len(blob) < 512


def test_a_chunk_key_names_its_series_and_sorts_by_time():
    assert series_of_key(chunk_key(7, 123)) == 7
    assert chunk_key(7, 5) < chunk_key(7, MAX_TIME_MS) < chunk_key(8, 0)
    for series, t0 in ((0, 0), (1, -1), (1, MAX_TIME_MS + 1), (1 << 21, 0)):
        with pytest.raises(ValueError):
            chunk_key(series, t0)


@QUICK
@given(st.data(), st.lists(VALUES, min_size=1, max_size=40))
def test_a_log_row_gives_each_series_its_readings_in_order_of_arrival(data, values):
    size = len(values)
    ids = sorted(data.draw(st.lists(st.integers(1, 1 << 20), min_size=size, max_size=size)))
    t0 = data.draw(st.integers(0, MAX_TIME_MS - MAX_SPAN_MS))
    offsets = data.draw(st.lists(st.integers(0, MAX_SPAN_MS), min_size=size, max_size=size))
    at_ms, marks = np.array(offsets, np.int64) + t0, marks_for(data, size)
    row = encode_row(np.array(ids, np.int64), at_ms, values, marks)
    assert (row.t0, row.t1, row.readings) == (min(at_ms), max(at_ms), size)
    reader = RowReader(row.directory, row.block)
    assert reader.series.tolist() == sorted(set(ids))
    for one in set(ids):
        places = [n for n in range(size) if ids[n] == one]
        part = reader.of(one)
        assert part.at_ms.tolist() == [at_ms[n] for n in places]
        assert same(part.values, [values[n] for n in places])
        assert part.marks.tolist() == [marks[n] for n in places]
    assert reader.of(max(ids) + 1) is None


def row_and_chunk():
    values = [1, 2.5, True, "auto", 70_000, "off"] * 4
    at_ms = np.arange(24, dtype=np.int64) * 7 + 1_790_000_000_000
    marks = np.array([0, 16, 32, 0] * 6, np.uint8)
    series = np.repeat(np.arange(1, 9), 3)
    return encode_row(series, at_ms, values, marks), encode_chunk(at_ms, values, marks)


ROW, CHUNK = row_and_chunk()
DAMAGE = st.one_of(
    st.tuples(st.just("flip"), st.integers(0, 4000), st.integers(1, 255)),
    st.tuples(st.just("cut"), st.integers(0, 4000), st.just(0)),
    st.tuples(st.just("grow"), st.integers(1, 200), st.integers(0, 255)),
)


def damaged(blob, damage):
    kind, where, what = damage
    if kind == "flip":
        where %= len(blob)
        return blob[:where] + bytes((blob[where] ^ what,)) + blob[where + 1 :]
    return blob[: where % len(blob)] if kind == "cut" else blob + bytes((what,)) * where


def whole_row(directory, block):
    reader = RowReader(directory, block)
    parts = {one: reader.of(one) for one in reader.series.tolist()}
    return [(one, *map(list, part)) for one, part in parts.items()]


def whole_chunk(blob):
    chunk = decode_chunk(blob)
    return chunk.resolution_ms, list(chunk.at_ms), chunk.values, list(chunk.marks)


@QUICK
@given(DAMAGE)
@example(("flip", 5, 16))  # a bit of the frame that its format leaves unused: nothing is lost
def test_a_damaged_log_row_is_told_and_never_read_wrong(damage):
    expected = whole_row(ROW.directory, ROW.block)
    for directory, block in (
        (damaged(ROW.directory, damage), ROW.block),
        (ROW.directory, damaged(ROW.block, damage)),
    ):
        with contextlib.suppress(DamagedBlock):
            assert whole_row(directory, block) == expected


@QUICK
@given(DAMAGE)
def test_a_damaged_chunk_is_told_and_never_read_wrong(damage):
    with contextlib.suppress(DamagedBlock):
        assert whole_chunk(damaged(CHUNK, damage)) == whole_chunk(CHUNK)


@pytest.mark.parametrize("at", range(0, len(CHUNK), 9))
def test_one_changed_byte_of_a_chunk_is_found(at):
    with pytest.raises(DamagedBlock):
        decode_chunk(damaged(CHUNK, ("flip", at, 0xFF)))


@QUICK
@given(st.binary(max_size=300))
def test_any_bytes_at_all_raise_the_one_error(data):
    for read in (decode_chunk, read_directory, lambda blob: RowReader(ROW.directory, blob)):
        with contextlib.suppress(DamagedBlock):
            read(data)


@QUICK
@given(st.binary(max_size=200), st.integers(0, 100), st.integers(1, 5000))
def test_a_payload_that_passes_its_checksum_but_lies_raises_the_one_error(tail, size, resolution):
    payloads = (
        struct.pack("<IIqq", size, resolution, 1_790_000_000, 1) + tail,
        struct.pack("<IqI", size, 1_790_000_000_000, 0) + tail,
        tail,
    )
    for payload in payloads:
        blob = pack(1, payload, compressor(1))
        for read in (decode_chunk, lambda blob: RowReader(ROW.directory, blob)):
            with contextlib.suppress(DamagedBlock):
                read(blob)


def test_a_block_that_claims_to_unpack_to_a_gigabyte_is_not_unpacked():
    frame = bytearray(compressor(1).compress(b"x" * 70_000))
    assert frame[4] & 0xC0 == 0x80  # four bytes of content size follow the descriptor
    at = 5 if frame[4] & 0x20 else 6
    frame[at : at + 4] = (1 << 30).to_bytes(4, "little")
    with pytest.raises(DamagedBlock, match="believable"):
        decode_chunk(b"\x01" + bytes(frame))


def test_a_block_of_a_later_version_is_refused_by_its_first_byte():
    with pytest.raises(DamagedBlock, match="version 1"):
        decode_chunk(b"\x02" + CHUNK[1:])
