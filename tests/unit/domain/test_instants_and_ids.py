"""Times and identifiers at the edge of the program."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import InvalidRequest
from app.domain.ids import natural_id, new_id
from app.domain.instants import iso, parse_instant
from app.domain.readings import stamp_ms

NOW_MS = 1_795_228_250_123


def test_an_instant_is_written_with_milliseconds_and_z():
    assert iso(NOW_MS) == "2026-11-21T02:30:50.123Z"


@given(st.integers(0, 4_000_000_000_000))
def test_an_instant_survives_text_and_back(at_ms):
    assert parse_instant(iso(at_ms), where="--from") == at_ms


@pytest.mark.parametrize("text", ["2026-11-21T02:30:50.123", "2026-11-21T04:30:50.123+02:00"])
def test_a_time_without_zone_is_utc_and_an_offset_is_honoured(text):
    assert parse_instant(text, where="--from") == NOW_MS


@pytest.mark.parametrize("text", ["yesterday", "", "1e400x", "2026-13-01"])
def test_what_is_no_time_is_refused_by_name(text):
    with pytest.raises(InvalidRequest) as refused:
        parse_instant(text, where="--from")
    assert refused.value.where == "--from"


@given(st.lists(st.integers(0, (1 << 48) - 1), min_size=2, max_size=20, unique=True))
def test_new_ids_sort_by_the_time_they_were_made(times):
    made = [new_id(at_ms) for at_ms in sorted(times)]
    assert made == sorted(made)
    assert all(uuid.UUID(one).version == 7 for one in made)


def test_a_natural_key_gives_the_same_id_everywhere_and_its_parts_are_kept_apart():
    assert natural_id("s", "asset", "d1") == natural_id("s", "asset", "d1")
    assert natural_id("ab", "c") != natural_id("a", "bc")


@pytest.mark.parametrize(
    ("device_t_s", "stamped"),
    [
        (None, NOW_MS),
        (NOW_MS // 1000, NOW_MS),
        (NOW_MS // 1000 - 1, NOW_MS),
        (NOW_MS // 1000 - 3, NOW_MS),
        (NOW_MS // 1000 - 4, (NOW_MS // 1000 - 4) * 1000),
        (NOW_MS // 1000 + 4, (NOW_MS // 1000 + 4) * 1000),
        (NOW_MS // 1000 - 3600, NOW_MS),
        (0, NOW_MS),
    ],
)
def test_a_devices_own_time_counts_only_close_to_ours(device_t_s, stamped):
    assert stamp_ms(NOW_MS, device_t_s) == stamped
