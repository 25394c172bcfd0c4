"""Sorting a batch the fast way gives what judging reading by reading gives."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.readings import Reading
from app.domain.words import Path, Quality
from app.store.history.columns import MARK_MEANS
from app.store.history.intake import LATE_MS, Sorter
from app.store.history.log import MAX_SPAN_MS, RowReader
from app.store.history.series import Catalogue

NOW = 1_790_000_000_000

TIMES = st.one_of(
    st.integers(NOW - 5, NOW),
    st.sampled_from([NOW - LATE_MS - 1, NOW - LATE_MS, NOW - 10 * LATE_MS, NOW + LATE_MS]),
)
READINGS = st.builds(
    Reading,
    device=st.sampled_from(["a", "b"]),
    point=st.sampled_from(["1", "2"]),
    value=st.sampled_from([0, 1, True, False, 1.0, "1", "x"]),
    at_ms=TIMES,
    quality=st.sampled_from([Quality.GOOD, Quality.OUT_OF_RANGE]),
    path=st.sampled_from([Path.LAN, Path.CLOUD]),
)
GOING_FORWARD = st.lists(st.integers(0, 40), max_size=20).map(
    lambda gaps: [
        Reading("a", str(n % 3), n % 2, NOW + sum(gaps[: n + 1])) for n in range(len(gaps))
    ]
)
BATCHES = st.lists(st.one_of(st.lists(READINGS, max_size=12), GOING_FORWARD), max_size=6)


def one_by_one(batches):
    """The rules, said as plainly as they can be."""
    seen, newest, kept, duplicates, late = set(), {}, {}, 0, 0
    for reading in (reading for batch in batches for reading in batch):
        point = reading.device, reading.point
        told = (*point, reading.at_ms, type(reading.value), reading.value)
        if told in seen:
            duplicates += 1
            continue
        seen.add(told)
        quality = reading.quality
        behind = newest.get(point, reading.at_ms) - reading.at_ms
        if behind > LATE_MS and NOW - reading.at_ms > LATE_MS:
            late += 1
            quality = Quality.LATE if quality is Quality.GOOD else quality
        newest[point] = max(newest.get(point, 0), reading.at_ms)
        kept.setdefault(point, []).append((reading.at_ms, reading.value, quality, reading.path))
    for readings in kept.values():
        readings.sort(key=lambda reading: reading[0])
    return kept, duplicates, late


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(BATCHES)
def test_every_batch_is_sorted_as_if_judged_reading_by_reading(batches):
    catalogue, rows = Catalogue(), []

    def stored(wanted):
        for row in rows:
            reader = RowReader(row.directory, row.block)
            for series, times in wanted.items():
                part = reader.of(series)
                for at_ms, value in zip(part.at_ms, part.values, strict=True) if part else ():
                    if at_ms in times:
                        yield series, int(at_ms), value

    sorter = Sorter(catalogue, -1, stored)
    duplicates = late = 0
    for batch in batches:
        intake = sorter.sort(batch, NOW)
        rows += intake.rows
        duplicates += intake.duplicates
        late += intake.late
    expected, expected_duplicates, expected_late = one_by_one(batches)
    assert (duplicates, late) == (expected_duplicates, expected_late)
    assert all(row.t1 - row.t0 <= MAX_SPAN_MS for row in rows)
    found = {}
    for point, series in catalogue.index.items():
        for row in rows:
            part = RowReader(row.directory, row.block).of(series)
            if part is not None:
                marks = [MARK_MEANS[mark] for mark in part.marks.tolist()]
                found.setdefault(point, []).extend(
                    (at, value, *mark)
                    for at, value, mark in zip(part.at_ms.tolist(), part.values, marks, strict=True)
                )
    for readings in found.values():
        readings.sort(key=lambda reading: reading[0])
    assert typed(found) == typed(expected)


def typed(kept):
    return {
        point: [(at, type(value), value, *mark) for at, value, *mark in readings]
        for point, readings in kept.items()
    }
