import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.widgets.series import draw_series, level_range

NOW_MS = 1_000_000


def test_a_steady_line_has_no_gap():
    times = list(range(NOW_MS - 60_000, NOW_MS, 2_000))
    drawn = draw_series(times, [1.0] * len(times), NOW_MS)
    assert drawn.gaps == ()
    assert np.isfinite(drawn.y).all()


def test_a_silence_lifts_the_pen_and_is_named():
    times = [900_000, 902_000, 904_000, 960_000, 962_000]
    drawn = draw_series(times, [1, 2, 3, 4, 5], 963_000)
    assert drawn.gaps == ((904.0, 960.0),)
    assert np.isnan(drawn.y).sum() == 1


def test_a_silence_that_lasts_until_now_is_a_gap_too():
    drawn = draw_series([900_000, 902_000, 904_000], [1, 2, 3], NOW_MS)
    assert drawn.gaps == ((904.0, 1000.0),)


def test_a_sleeping_sensor_within_its_interval_has_no_gap():
    drawn = draw_series([100_000, 700_000], [1, 2], NOW_MS, expected_s=3_600)
    assert drawn.gaps == ()


def test_a_switch_holds_its_state_until_now():
    drawn = draw_series([990_000, 995_000], [0, 1], NOW_MS, steps=True)
    assert drawn.x[-1] == 1000.0
    assert list(drawn.y) == [0, 0, 1, 1, 1]


def test_nothing_heard_draws_nothing():
    drawn = draw_series([], [], NOW_MS)
    assert drawn.x.size == 0
    assert drawn.last is None


@given(
    st.lists(st.tuples(st.integers(0, NOW_MS), st.floats(-1e6, 1e6, allow_nan=False)), max_size=60),
    st.booleans(),
)
def test_no_value_is_invented(readings, steps):
    drawn = draw_series([t for t, _ in readings], [v for _, v in readings], NOW_MS, steps=steps)
    said = {float(v) for _, v in readings}
    assert {float(v) for v in drawn.y[np.isfinite(drawn.y)]} <= said
    assert (np.diff(drawn.x) >= 0).all()
    assert all(begin < end for begin, end in drawn.gaps)


@given(st.lists(st.floats(-1e9, 1e9, allow_nan=False), max_size=20), st.floats(0.001, 100))
def test_the_level_range_holds_every_value(values, span):
    low, high = level_range(np.asarray(values, dtype=np.float64), span)
    assert low < high
    assert all(low <= value <= high for value in values)
    assert high - low >= span or not values


def test_noise_is_not_blown_up_to_a_storm():
    low, high = level_range(np.asarray([21.0, 21.1]), 4.0)
    assert high - low >= 4.0
    assert low == pytest.approx(21.05 - 2.48)
