import pytest

from app.domain.points import PointSpec
from app.domain.words import Connection, Outcome, Path
from ui.pages.devices.words import (
    PATH_ICONS,
    PATH_WORDS,
    STATUS,
    age_word,
    number_word,
    outcome_sentence,
    point_name,
    value_word,
    with_unit,
)

FORBIDDEN = ("dp", "cid", "outbox", "epoch", "hub", "operation")


def test_every_connection_of_the_contract_has_a_word_and_a_shape():
    assert set(STATUS) == set(Connection)
    words = [status.word for status in STATUS.values()]
    assert len(set(words)) == len(words)


def test_no_two_urgent_states_share_shape_and_style():
    urgent = [s for s in STATUS.values() if s.rank <= 5 and s.word != "No local access"]
    looks = [(s.shape, s.style) for s in urgent]
    assert len(set(looks)) == len(looks)


def test_every_path_has_a_word_and_an_icon():
    assert set(PATH_WORDS) == set(PATH_ICONS) == set(Path)


def test_no_machine_word_is_shown():
    for status in STATUS.values():
        assert not set(status.word.lower().split()) & set(FORBIDDEN)


@pytest.mark.parametrize(
    ("age_ms", "word"),
    [
        (-5_000, "0 s"),
        (0, "0 s"),
        (59_999, "59 s"),
        (60_000, "1 min"),
        (3_599_000, "59 min"),
        (3_600_000, "1 h"),
        (11_520_000, "3 h 12 min"),
        (86_400_000, "1 d"),
        (180_000_000, "2 d 2 h"),
    ],
)
def test_ages_are_short_and_never_negative(age_ms, word):
    assert age_word(age_ms) == word


@pytest.mark.parametrize(
    ("value", "decimals", "word"),
    [
        (62.3, 1, "62.3"),
        (62.0, 1, "62.0"),
        (-4.0, 1, "−4.0"),
        (-0.04, 1, "0.0"),
        (4821.3, 1, "4821"),
        (118400.0, 1, "118\u2009400"),
        (float("nan"), 1, "Not a number"),
        (1e300, 0, "Not a number"),
    ],
)
def test_numbers_read_like_a_meter(value, decimals, word):
    assert number_word(value, decimals) == word


def test_values_speak_the_words_of_a_building():
    door = PointSpec("1", "doorcontact_state", "bool")
    leak = PointSpec("1", "watersensor_state", "enum")
    power = PointSpec("19", "cur_power", "value", "W", 1)
    assert value_word(door, True) == "Open"
    assert value_word(leak, "normal") == "Dry"
    assert value_word(PointSpec("1", "switch_1", "bool"), False) == "Off"
    assert with_unit(value_word(power, 623), "W") == "62.3 W"
    assert value_word(PointSpec("4", "mode", "enum"), "heat_pump") == "Heat pump"
    assert value_word(PointSpec("9", "note", "string"), "   ") == "Empty"


def test_a_point_the_mapping_does_not_name_is_still_named():
    assert point_name(PointSpec("19", "cur_power")) == "Power"
    assert point_name(PointSpec("101", "")) == "Point 101"


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_is_a_sentence(outcome):
    sentence = outcome_sentence(outcome, "On", None, "")
    assert sentence.endswith(".")
    assert "{" not in sentence


def test_an_unconfirmed_write_says_what_the_device_reports():
    said = outcome_sentence(Outcome.UNCONFIRMED, "On", "Off", "")
    assert said == "Not confirmed: asked for On, the device reports Off."
