"""What a mapping says about a data point, and what it refuses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import InvalidRequest
from app.domain.points import PointSpec, parse_mapping, unmapped
from app.domain.words import Quality

POWER = {
    "code": "cur_power",
    "type": "Integer",
    "values": {"min": 0, "max": 50000, "scale": 1, "step": 1, "unit": "W"},
}
SETPOINT = PointSpec(dp="2", code="temp_set", type="value", scale=1, minimum=50, maximum=350)


def test_a_scaled_reading_is_shown_in_its_unit():
    point = parse_mapping({"19": POWER}, where="inv.json")["19"]
    assert (point.shown(623), point.unit) == (62.3, "W")


def test_values_given_as_json_text_are_understood():
    entry = {"code": "mode", "type": "Enum", "values": '{"range": ["auto", "manual"]}'}
    assert parse_mapping({"4": entry}, where="inv.json")["4"].choices == ("auto", "manual")


@pytest.mark.parametrize("values", ["not json", "[" * 5000, 7, None, [], '{"range": 3}'])
def test_odd_values_leave_a_point_without_range(values):
    point = parse_mapping({"4": {"code": "mode", "type": "Enum", "values": values}}, where="x")["4"]
    assert point.choices == ()


@pytest.mark.parametrize("mapping", [[], "x", {"zero": {}}, {"0": {}}, {"256": {}}, {"-1": {}}])
def test_a_mapping_that_is_no_table_of_data_points_is_refused_with_a_sentence(mapping):
    with pytest.raises(InvalidRequest) as refused:
        parse_mapping(mapping, where="inv.json, row 3")
    assert refused.value.where == "inv.json, row 3"
    assert refused.value.do


def test_what_a_person_asks_becomes_the_raw_value():
    assert SETPOINT.raw(21.5) == 215


@pytest.mark.parametrize("asked", [4.9, 35.1, 21.55, "21", True, float("nan"), float("inf"), 1e300])
def test_a_value_the_point_cannot_take_is_refused(asked):
    with pytest.raises(InvalidRequest) as refused:
        SETPOINT.raw(asked)
    assert "temp_set" in refused.value.what


def test_a_measured_point_cannot_be_set():
    power = parse_mapping({"19": POWER}, where="inv.json")["19"]
    with pytest.raises(InvalidRequest, match="cannot be set"):
        power.raw(10)


@pytest.mark.parametrize(
    ("point", "raw", "quality"),
    [
        (SETPOINT, 215, Quality.GOOD),
        (SETPOINT, 999, Quality.OUT_OF_RANGE),
        (SETPOINT, "215", Quality.INVALID),
        (SETPOINT, True, Quality.INVALID),
        (PointSpec("1", "switch_1", "bool"), 1, Quality.INVALID),
        (PointSpec("4", "mode", "enum", choices=("auto",)), "eco", Quality.OUT_OF_RANGE),
        (unmapped("77"), "anything", Quality.GOOD),
    ],
)
def test_a_reading_is_judged_by_its_mapping_alone(point, raw, quality):
    assert point.judge(raw) is quality


@given(st.integers(50, 350))
def test_showing_and_writing_back_changes_nothing(raw):
    assert SETPOINT.raw(SETPOINT.shown(raw)) == raw
