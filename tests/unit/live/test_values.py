"""Every reading comes in by one door; screens and taps listen and cannot hold it up."""

import threading

import pytest

from app.domain.readings import Reading
from app.domain.words import Quality
from app.live.values import LiveValues
from app.runtime.clock import ManualClock


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def live(clock):
    return LiveValues(clock)


def reading(device="pump", point="19", value=1, at_ms=1_000, quality=Quality.GOOD):
    return Reading(device, point, value, at_ms, quality)


def test_the_latest_of_a_device_is_what_arrived_last_even_when_the_clock_went_back(live):
    live.publish([reading(value=1, at_ms=5_000), reading(value=2, at_ms=1_000)])
    assert live.latest("pump")["19"].value == 2
    assert live.latest("nobody") == {}


def test_a_snapshot_of_the_latest_does_not_change_afterwards(live):
    live.publish([reading(value=1)])
    snapshot = live.latest("pump")
    live.publish([reading(value=2)])
    assert snapshot["19"].value == 1


def test_a_watch_takes_what_is_dirty_and_shown_and_nothing_twice(live):
    watch = live.watch()
    watch.show(["pump"])
    live.publish([reading(value=1), reading(value=2), reading(device="fan")])
    assert {key: r.value for key, r in watch.take().items()} == {("pump", "19"): 2}
    assert watch.take() == {}


def test_a_device_that_scrolls_into_view_is_dirty_with_all_it_last_said(live):
    live.publish([reading(point="1"), reading(point="2")])
    watch = live.watch()
    assert watch.take() == {}
    watch.show(["pump"])
    assert set(watch.take()) == {("pump", "1"), ("pump", "2")}
    watch.show(["pump"])
    assert watch.take() == {}


def test_a_device_that_scrolls_out_of_view_is_not_taken_any_more(live):
    watch = live.watch()
    watch.show(["pump", "fan"])
    live.publish([reading(), reading(device="fan")])
    watch.show(["fan"])
    assert set(watch.take()) == {("fan", "19")}


def test_a_closed_watch_hears_nothing(live):
    watch = live.watch()
    watch.show(["pump"])
    watch.close()
    watch.close()
    live.publish([reading()])
    assert watch.take() == {}


def test_two_watches_do_not_take_from_each_other(live):
    one, two = live.watch(), live.watch()
    one.show(["pump"])
    two.show(["pump"])
    live.publish([reading()])
    assert one.take() == two.take() != {}


def test_a_tap_gets_every_batch_in_order_until_it_ends(live):
    got = []
    end = live.tap("list", got.append)
    batches = [[reading(value=n)] for n in range(3)]
    for batch in batches:
        live.publish(batch)
    end()
    live.publish([reading(value=9)])
    assert got == batches


@pytest.mark.logs_errors
def test_a_tap_that_raises_is_logged_once_and_the_others_still_get_the_batch(live, caplog):
    got = []

    def broken(batch):
        raise RuntimeError("bug in a listener")

    live.tap("broken", broken)
    live.tap("list", got.append)
    for _ in range(3):
        live.publish([reading()])
    assert len(got) == 3
    assert live.taps[0].failures == 3
    assert sum("broken" in record.message for record in caplog.records) == 1


def test_a_tap_that_blocks_is_set_aside_and_the_source_goes_on(live, clock):
    hold, got = threading.Event(), []
    calls = 0

    def slow(batch):
        nonlocal calls
        calls += 1
        if calls <= 3:
            clock.advance(1)
            return
        hold.wait(10)
        got.append(batch)

    end = live.tap("slow", slow)
    for _ in range(3):
        live.publish([reading()])
    assert live.taps[0].set_aside
    for n in range(50):
        live.publish([reading(value=n)])
    assert live.latest("pump")["19"].value == 49
    assert got == []
    hold.set()
    end()
    for thread in threading.enumerate():
        if thread.name == "tap-slow":
            thread.join(5)
    assert [batch[0].value for batch in got] == list(range(50))


def test_one_slow_call_is_forgiven(live, clock):
    live.tap("once", lambda batch: clock.advance(1 if batch[0].value == 1 else 0))
    for value in (1, 0, 1, 0, 1, 0):
        live.publish([reading(value=value)])
    assert not live.taps[0].set_aside


def test_recent_readings_are_kept_only_for_points_somebody_asked_for(live):
    live.publish([reading(value=1, at_ms=1)])
    let_go = live.keep_recent("pump", "19", readings=3)
    also = live.keep_recent("pump", "19", readings=3)
    for n in range(2, 6):
        live.publish([reading(value=n, at_ms=n), reading(device="fan", value=n)])
    assert live.recent("pump", "19") == ([3, 4, 5], [3, 4, 5])
    assert live.recent("fan", "19") == ([], [])
    let_go()
    let_go()
    assert live.recent("pump", "19") != ([], [])
    also()
    assert live.recent("pump", "19") == ([], [])


def test_readings_are_counted_by_quality(live):
    live.publish([reading(), reading(quality=Quality.INVALID), reading(quality=Quality.LATE)])
    assert live.counts == {"published": 3, "good": 1, "invalid": 1, "late": 1}


def test_many_publishers_and_a_screen_lose_nothing_between_them(live):
    tapped = []
    live.tap("list", tapped.append)
    watch = live.watch()
    devices = [f"d{n}" for n in range(4)]
    watch.show(devices)
    taken, done = {}, threading.Event()

    def publish(device):
        for n in range(2_000):
            live.publish([reading(device=device, value=n)])

    def screen():
        while not done.is_set():
            taken.update(watch.take())

    threads = [threading.Thread(target=publish, args=(d,)) for d in devices]
    looking = threading.Thread(target=screen)
    looking.start()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    looking.join()
    taken.update(watch.take())
    assert live.counts["published"] == 8_000 == len(tapped)
    assert {key[0]: r.value for key, r in taken.items()} == dict.fromkeys(devices, 1_999)
    for device in devices:
        assert [b[0].value for b in tapped if b[0].device == device] == list(range(2_000))
