import threading
from concurrent.futures import Future

import pytest
from PySide6.QtCore import QObject

from app.domain.errors import Cancelled, DeviceFault
from app.domain.readings import Reading
from app.live.values import LiveValues
from app.runtime.clock import ManualClock
from app.runtime.events import AppFault, Changed, EventBus
from ui.bridge.event_bridge import EventBridge
from ui.bridge.job_binding import JobBinding
from ui.bridge.live_pump import LivePump


class Heard:
    def __init__(self):
        self.results, self.errors, self.threads = [], [], set()

    def done(self, result):
        self.results.append(result)
        self.threads.add(threading.current_thread())

    def failed(self, error):
        self.errors.append(error)
        self.threads.add(threading.current_thread())


@pytest.fixture
def owner(qapp):
    owner = QObject()
    yield owner
    owner.deleteLater()


def test_a_result_of_another_thread_arrives_on_the_main_thread(owner, qtbot):
    heard, future = Heard(), Future()
    binding = JobBinding(owner, heard.done, heard.failed)
    binding.bind(future)
    thread = threading.Thread(target=future.set_result, args=(42,))
    thread.start()
    thread.join()
    assert heard.results == []
    qtbot.waitUntil(lambda: heard.results == [42])
    assert heard.threads == {threading.main_thread()}
    assert not binding.busy


def test_a_fault_arrives_with_its_sentence_and_a_bug_in_plain_words(owner, qtbot, caplog):
    heard = Heard()
    binding = JobBinding(owner, heard.done, heard.failed)
    for error in (DeviceFault("device.no_answer", "It did not answer."), ZeroDivisionError("key")):
        future = Future()
        binding.bind(future)
        future.set_exception(error)
        qtbot.waitUntil(lambda: not binding.busy)
    assert [error.what for error in heard.errors] == [
        "It did not answer.",
        "Something inside Plantroom failed (ZeroDivisionError).",
    ]


def test_only_the_last_question_is_answered(owner, qtbot):
    heard, first, second = Heard(), Future(), Future()
    binding = JobBinding(owner, heard.done, heard.failed)
    binding.bind(first)
    binding.bind(second)
    second.set_result("second")
    first.set_result("first")
    qtbot.waitUntil(lambda: bool(heard.results))
    qtbot.wait(20)
    assert heard.results == ["second"]


def test_what_was_released_or_cancelled_is_not_heard(owner, qtbot):
    heard = Heard()
    binding = JobBinding(owner, heard.done, heard.failed)
    released, cancelled = Future(), Future()
    binding.bind(released)
    binding.release()
    released.set_result(1)
    binding.bind(cancelled)
    cancelled.set_exception(Cancelled())
    qtbot.waitUntil(lambda: not binding.busy)
    assert heard.results == heard.errors == []


def test_an_answer_after_the_window_is_gone_harms_nobody(qapp, qtbot):
    import shiboken6

    heard, future, owner = Heard(), Future(), QObject()
    JobBinding(owner, heard.done, heard.failed).bind(future)
    shiboken6.delete(owner)
    future.set_result(1)
    qtbot.wait(20)
    assert heard.results == []


def test_a_burst_of_events_is_one_signal(owner, qtbot):
    bus, heard = EventBus(), []
    bridge = EventBridge(bus, owner)
    bridge.devices_changed.connect(lambda: heard.append(1))
    bridge.fault.connect(heard.append)
    workers = [
        threading.Thread(
            target=lambda: [bus.publish(Changed(frozenset({"asset"}), None)) for _ in range(500)]
        )
        for _ in range(3)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    qtbot.waitUntil(lambda: heard == [1])
    bus.publish(AppFault("lan", ValueError()))
    qtbot.waitUntil(lambda: heard == [1, "lan"])
    bridge.close()
    bus.publish(Changed(frozenset({"asset"}), None))
    qtbot.wait(20)
    assert heard == [1, "lan"]


def test_the_pump_takes_a_value_once_as_it_last_was(owner, qtbot):
    live, taken = LiveValues(ManualClock()), []
    pump = LivePump(live, taken.append, owner)
    pump.show(["a"])
    pump.start()
    live.publish([Reading("a", "1", n, 1) for n in range(100)] + [Reading("b", "1", 1, 1)])
    qtbot.waitUntil(lambda: bool(taken))
    assert [dict(fresh) for fresh in taken] == [{("a", "1"): Reading("a", "1", 99, 1)}]
    pump.pause()
    live.publish([Reading("a", "1", 7, 2)])
    qtbot.wait(150)
    assert len(taken) == 1
    pump.close()
