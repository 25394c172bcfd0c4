"""Sleep: silence is no loss until a report is overdue, and what is expected is learned."""

from hypothesis import given
from hypothesis import strategies as st

from app.domain.categories import category
from app.domain.links import LinkSpec
from app.lan.sleep import Rhythm

HOUR = 3600.0
DAY = 24 * HOUR


def door(**more):
    return Rhythm(LinkSpec("d", "s", category="mcs", **more), 0.0, 1_000_000_000)


def test_a_mains_device_never_sleeps():
    rhythm = Rhythm(LinkSpec("d", "s", category="cz"), 0.0, 0)
    rhythm.heard(0.0)
    assert not rhythm.within(1.0)


def test_the_persons_interval_beats_the_learned_and_the_learned_the_categorys():
    assert door().interval_s == category("mcs").interval_s
    assert door(learned_interval_s=900.0).interval_s == 900.0
    assert door(learned_interval_s=900.0, interval_s=60.0).interval_s == 60.0


def test_what_an_earlier_run_heard_still_counts():
    rhythm = door(last_report_ms=1_000_000_000 - 3_600_000, interval_s=4 * HOUR)
    assert rhythm.within(0.0)
    assert not rhythm.within(9 * HOUR)


def test_a_report_from_the_future_of_a_clock_set_back_counts_as_now():
    assert door(last_report_ms=2_000_000_000).within(1.0)


def test_a_regular_sensor_teaches_its_interval():
    rhythm = door()
    for n in range(40):
        rhythm.heard(n * 4 * HOUR)
    assert rhythm.learned_s == 4 * HOUR


def test_a_busy_hour_does_not_make_the_quiet_night_an_outage():
    rhythm = door()
    at_s = 0.0
    for day in range(5):
        for burst in range(30):
            rhythm.heard(day * DAY + burst * 60.0)
        at_s = day * DAY + 1800.0
        rhythm.heard(at_s + 10 * HOUR)
        rhythm.heard(at_s + 20 * HOUR)
    for minute in range(60):
        rhythm.heard(5 * DAY + minute * 60)
    assert rhythm.within(5 * DAY + 60 * 60 + 10 * HOUR)


def test_an_outage_is_not_learned_unless_it_becomes_the_rule():
    rhythm = door()
    at_s = 0.0
    for _ in range(30):
        at_s += 4 * HOUR
        rhythm.heard(at_s)
    at_s += 3 * DAY
    rhythm.heard(at_s)
    assert rhythm.learned_s == 4 * HOUR
    for _ in range(4):
        at_s += 3 * DAY
        rhythm.heard(at_s)
    assert rhythm.learned_s == 3 * DAY


@given(st.lists(st.floats(60, 4 * HOUR), min_size=1, max_size=200))
def test_no_gap_shorter_than_the_expected_interval_is_ever_overdue(gaps):
    rhythm = door(interval_s=4 * HOUR)
    at_s = 0.0
    for gap_s in gaps:
        rhythm.heard(at_s)
        assert rhythm.within(at_s + gap_s)
        at_s += gap_s
