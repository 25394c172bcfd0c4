"""The bus tells everybody once; the clocks keep wall and monotonic time apart."""

import pytest

from app.runtime.clock import ManualClock, SystemClock
from app.runtime.events import Changed, EventBus, LinksChanged
from app.runtime.threads import NamedThread


def test_subscribers_hear_only_the_type_they_asked_for():
    bus, heard = EventBus(), []
    bus.subscribe(Changed, heard.append)
    bus.publish(LinksChanged(frozenset({"d"})))
    bus.publish(Changed(frozenset({"asset"}), frozenset({"1"})))
    assert [event.kinds for event in heard] == [frozenset({"asset"})]


@pytest.mark.logs_errors
def test_one_deaf_subscriber_does_not_silence_the_rest(caplog):
    bus, heard = EventBus(), []
    bus.subscribe(LinksChanged, lambda event: 1 // 0)
    bus.subscribe(LinksChanged, heard.append)
    bus.publish(LinksChanged(frozenset()))
    assert len(heard) == 1
    assert "LinksChanged" in caplog.text


def test_unsubscribing_ends_the_news():
    bus, heard = EventBus(), []
    stop = bus.subscribe(LinksChanged, heard.append)
    stop()
    bus.publish(LinksChanged(frozenset()))
    assert heard == []


def test_setting_the_clock_moves_wall_time_alone():
    clock = ManualClock(now_ms=1_000_000)
    clock.advance(2)
    clock.jump(-3600)
    assert (clock.now_ms(), clock.monotonic_s()) == (1_000_000 + 2_000 - 3_600_000, 2.0)


def test_the_computers_clock_goes_forward():
    clock = SystemClock()
    assert clock.monotonic_s() <= clock.monotonic_s()
    assert clock.now_ms() > 1_700_000_000_000


@pytest.mark.logs_errors
def test_a_thread_that_fails_is_logged_by_name(caplog):
    thread = NamedThread("recorder-test", lambda: 1 // 0)
    thread.start()
    assert thread.join_within(5)
    assert isinstance(thread.error, ZeroDivisionError)
    assert "recorder-test" in caplog.text
