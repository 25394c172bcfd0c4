"""What is put is stored once, in order, under the name of the asset's point."""

import pytest

from app.domain.readings import Reading
from app.domain.routes import Route
from app.domain.words import Connection, Path, Quality
from app.runtime.clock import ManualClock
from app.runtime.events import EventBus
from app.store.history import HistoryStore

T = 1_790_000_000_000
ALWAYS = (0, 1 << 42)


@pytest.fixture
def clock():
    return ManualClock(T)


@pytest.fixture
def bus():
    return EventBus()


@pytest.fixture
def opened(tmp_path, clock, bus):
    stores = []

    def make(path=None, key=None):
        store = HistoryStore(path or tmp_path / "history.db", key=key, clock=clock, bus=bus)
        store.start()
        stores.append(store)
        return store

    yield make
    for store in stores:
        store.stop()


@pytest.fixture
def store(opened):
    store = opened()
    store.set_routes({"pump": Route("asset-1", {"19": "cur_power"})})
    return store


def reading(value, at_ms=T, point="19", device="pump", quality=Quality.GOOD, path=Path.LAN):
    return Reading(device, point, value, at_ms, quality, path)


def values(store, asset="asset-1", point="cur_power", span=ALWAYS):
    assert store.flush(10)
    return [value for _, value, _, _ in store.raw(asset, point, *span)]


def test_a_reading_comes_back_as_it_was_put(store):
    put = [
        reading(623, T, quality=Quality.OUT_OF_RANGE, path=Path.CLOUD),
        reading(-5, T + 1),
        reading(True, T + 2),
        reading(21.5, T + 3),
        reading("auto mode ", T + 4),
    ]
    store.put(put)
    assert store.flush(10)
    back = store.raw("asset-1", "cur_power", *ALWAYS)
    assert back == [(r.at_ms, r.value, r.quality, r.path) for r in put]
    assert [type(value) for _, value, _, _ in back] == [int, int, bool, float, str]


def test_a_range_includes_its_start_and_excludes_its_end(store):
    store.put([reading(n, T + n * 1000) for n in range(5)])
    assert values(store, span=(T + 1000, T + 3000)) == [1, 2]
    assert values(store, span=(T + 3000, T + 3000)) == []


def test_ranges_are_found_across_many_commits(store):
    for minute in range(30):
        store.put([reading(minute * 10 + n, T + minute * 60_000 + n * 6_000) for n in range(10)])
        assert store.flush(10)
    assert values(store) == list(range(300))
    assert values(store, span=(T + 599_000, T + 660_000)) == list(range(100, 110))


def test_the_connection_word_is_stored_as_plain_text(store):
    store.put([reading(Connection.ONLINE, point="connection")])
    back = values(store, point="connection")
    assert back == ["online"]
    assert type(back[0]) is str


def test_only_the_same_value_at_the_same_millisecond_is_a_duplicate(store):
    store.put([reading(1), reading(1), reading(2), reading(1)])
    assert values(store) == [1, 2]
    assert store.counts["duplicates"] == 2
    store.put([reading(1, T + 1), reading(1, T + 2)])
    assert values(store) == [1, 2, 1, 1]


def test_one_and_true_and_one_point_zero_are_different_values(store):
    store.put([reading(1), reading(True), reading(1.0), reading("1"), reading(True)])
    assert [type(value) for value in values(store)] == [int, bool, float, str]


def test_a_duplicate_is_known_in_a_later_commit_and_after_a_restart(store, opened):
    store.put([reading(1), reading(2, T + 5)])
    assert values(store) == [1, 2]
    store.put([reading(1), reading(3, T + 3)])
    assert values(store) == [1, 3, 2]
    store.stop()
    again = opened()
    again.set_routes({"pump": Route("asset-1", {"19": "cur_power"})})
    again.put([reading(1), reading(3, T + 3), reading(2, T + 5), reading(4, T + 6)])
    assert values(again) == [1, 3, 2, 4]
    assert again.counts["duplicates"] == 3


def test_two_values_in_one_second_stay_in_the_order_they_arrived(store):
    store.put([reading("b"), reading("a")])
    store.put([reading("c")])
    assert values(store) == ["b", "a", "c"]


def test_a_reading_that_was_long_on_its_way_is_late_and_counted(store, clock):
    clock.advance(3600)
    store.put([reading(1, T + 3_600_000), reading(2, T)])
    assert store.flush(10)
    back = store.raw("asset-1", "cur_power", *ALWAYS)
    assert [(value, quality) for _, value, quality, _ in back] == [
        (2, Quality.LATE),
        (1, Quality.GOOD),
    ]
    assert store.counts["late"] == 1


def test_a_clock_set_back_an_hour_makes_nothing_late_and_loses_nothing(store, clock):
    store.put([reading(1, clock.now_ms())])
    assert store.flush(10)
    clock.jump(-3600)
    store.put([reading(2, clock.now_ms()), reading(3, clock.now_ms() + 1)])
    assert values(store) == [2, 3, 1]
    assert store.counts["late"] == 0


def test_a_point_that_gets_its_code_later_keeps_its_past(opened):
    store = opened()
    store.set_routes({"pump": Route("asset-1")})
    store.put([reading(1)])
    assert values(store, point="dp:19") == [1]
    store.set_routes({"pump": Route("asset-1", {"19": "cur_power"})})
    store.put([reading(2, T + 1)])
    assert values(store) == [1, 2]
    assert values(store, point="dp:19") == []


def test_a_point_renamed_after_a_restart_keeps_its_past(opened):
    store = opened()
    store.set_routes({"pump": Route("asset-1")})
    store.put([reading(1)])
    store.stop()
    store = opened()
    store.set_routes({"pump": Route("asset-1", {"19": "cur_power"})})
    assert values(store) == [1]
    store.stop()
    store = opened()
    assert store.points("asset-1") == ("cur_power",)


def test_a_point_renamed_onto_one_with_a_past_has_both_pasts(opened):
    store = opened()
    store.set_routes({"old": Route("asset-1", {"5": "cur_power"}), "pump": Route("asset-1")})
    store.put([reading(1, T, point="5", device="old"), reading(2, T + 1)])
    assert store.flush(10)
    store.set_routes({"pump": Route("asset-1", {"19": "cur_power"})})
    store.put([reading(3, T + 2)])
    assert values(store) == [1, 2, 3]


def test_a_code_still_fed_by_another_device_is_not_renamed_away(opened):
    store = opened()
    store.set_routes({"a": Route("asset-1", {"1": "power"}), "b": Route("asset-1", {"1": "power"})})
    store.put([reading(1, T, "1", "a"), reading(2, T + 1, "1", "b")])
    store.set_routes(
        {"a": Route("asset-1", {"1": "current"}), "b": Route("asset-1", {"1": "power"})}
    )
    store.put([reading(3, T + 2, "1", "a"), reading(4, T + 3, "1", "b")])
    assert values(store, point="power") == [1, 2, 4]
    assert values(store, point="current") == [3]


def test_a_series_runs_on_through_replaced_hardware(store):
    store.put([reading(1)])
    store.set_routes({"pump-2": Route("asset-1", {"5": "cur_power"})})
    store.put([reading(2, T + 1, point="5", device="pump-2")])
    assert values(store) == [1, 2]


def test_a_device_nobody_bound_loses_nothing(store):
    store.put([reading(7, device="stranger")])
    assert values(store, "device:stranger", "dp:19") == [7]
    store.set_routes({"stranger": Route("asset-2", {"19": "cur_power"})})
    store.put([reading(8, T + 1, device="stranger")])
    assert values(store, "asset-2") == [8]
    assert values(store, "device:stranger", "dp:19") == [7]


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (1 << 63, float(1 << 63)),
        (10**400, "an integer of 1329 bits"),
        ("x" * 5000, "x" * 4096),
        ("ä" * 4095, "ä" * 2048),
        ("\ud800", "?"),
    ],
)
def test_a_value_that_cannot_be_kept_whole_is_bounded_and_marked_invalid(store, value, kept):
    store.put([reading(1), reading(value, T + 1), reading(2, T + 2)])
    assert store.flush(10)
    back = store.raw("asset-1", "cur_power", *ALWAYS)
    assert back[1] == (T + 1, kept, Quality.INVALID, Path.LAN)
    assert [quality for _, _, quality, _ in back] == [Quality.GOOD, Quality.INVALID, Quality.GOOD]
    assert store.counts["invalid"] == 1


@pytest.mark.parametrize("at_ms", [-1, 1 << 42, 1 << 70])
def test_a_stamp_no_clock_can_mean_becomes_the_time_of_arrival_and_is_marked(store, at_ms):
    store.put([reading(1, at_ms)])
    assert store.flush(10)
    assert store.raw("asset-1", "cur_power", *ALWAYS) == [(T, 1, Quality.INVALID, Path.LAN)]


def test_readings_from_1970_and_from_the_future_are_kept(store):
    store.put([reading(1, 0), reading(2, T), reading(3, (1 << 42) - 1)])
    assert values(store) == [1, 2, 3]


def test_figures_cover_the_numbers_that_are_not_invalid(store):
    store.put(
        [
            reading(10, T),
            reading(20.0, T + 1000),
            reading(900, T + 2000, quality=Quality.INVALID),
            reading("fault", T + 3000),
            reading(True, T + 4000),
        ]
    )
    assert store.flush(10)
    stats = store.stats("asset-1", "cur_power", *ALWAYS)
    assert (stats.count, stats.first, stats.last) == (5, T, T + 4000)
    assert (stats.min, stats.max, stats.mean) == (10, 20, 15)
    nothing = store.stats("asset-1", "cur_power", 0, 1)
    assert (nothing.count, nothing.first, nothing.mean) == (0, None, None)


def test_steps_are_counted_from_the_epoch_and_empty_ones_are_left_out(store):
    start = T // 60_000 * 60_000
    store.put(
        [
            reading(1, start),
            reading(3, start + 59_999),
            reading(9, start + 59_999, quality=Quality.INVALID),
            reading("x", start + 180_000),
        ]
    )
    assert store.flush(10)
    assert store.stepped("asset-1", "cur_power", *ALWAYS, 60) == [
        (start / 1000, 1, 3, 2, 3, 3),
        (start / 1000 + 180, None, None, None, "x", 1),
    ]
    with pytest.raises(ValueError):
        store.stepped("asset-1", "cur_power", *ALWAYS, 0)


def test_what_was_observed_of_a_device_survives_a_restart(store, opened):
    store.observe("pump", {"ip": "127.61.0.1", "online": True, "learned_interval_s": 60.5}, T)
    store.observe("pump", {"ip": "127.61.0.2"}, T + 1)
    assert store.observed("pump")["ip"] == ("127.61.0.2", T + 1)
    assert store.flush(10)
    store.stop()
    again = opened()
    assert again.observed("pump") == {
        "ip": ("127.61.0.2", T + 1),
        "online": (True, T),
        "learned_interval_s": (60.5, T),
    }
    assert again.observed_all() == {"pump": again.observed("pump")}
    assert again.observed("nobody") == {}


def test_stopping_commits_what_was_put(store, opened):
    store.put([reading(n, T + n) for n in range(100)])
    store.stop()
    again = opened()
    assert [v for _, v, _, _ in again.raw("asset-1", "cur_power", *ALWAYS)] == list(range(100))


def test_an_encrypted_file_holds_no_plain_text_and_opens_with_its_key(opened, tmp_path):
    key = bytes(range(32))
    store = opened(key=key)
    store.put([reading("a secret mode name", device="pump-xyz")])
    store.stop()
    for part in tmp_path.iterdir():
        content = part.read_bytes()
        assert b"pump-xyz" not in content
        assert b"CREATE TABLE" not in content
    again = opened(key=key)
    assert values(again, "device:pump-xyz", "dp:19") == ["a secret mode name"]


def test_more_than_can_wait_is_counted_as_dropped_and_the_rest_is_kept(store):
    batch = [reading(0)] * 150_000
    store.put(batch)
    store.put(batch)
    assert store.flush(30)
    counts = store.counts
    assert counts["stored"] + counts["duplicates"] + counts["dropped"] == 300_000
    assert counts["dropped"] in (0, 150_000)
    assert values(store) == [0]


def test_a_store_that_was_stopped_takes_nothing_more_and_says_so_in_its_counts(store):
    store.stop()
    store.put([reading(1)])
    assert store.dropped == 1
    store.stop()
