"""Jobs can be watched, cancelled and waited for, and their failures are heard."""

import threading

import pytest

from app.domain.errors import Cancelled, DeviceFault
from app.runtime.events import AppFault, EventBus
from app.runtime.jobs import JobRunner, JobState


@pytest.fixture
def bus():
    return EventBus()


@pytest.fixture
def runner(bus):
    runner = JobRunner(bus, workers=2)
    runner.start()
    yield runner
    runner.stop()


def test_a_job_gives_its_result_and_leaves_the_list(runner):
    job = runner.submit("Count", lambda job: 42)
    assert job.result(5) == 42
    assert job.state is JobState.DONE


def test_a_running_job_stops_at_its_next_step_when_cancelled(runner):
    began = threading.Event()

    def work(job):
        began.set()
        while True:
            job.step(0.5, "half way")
            job.wait_cancelled(0.01)

    job = runner.submit("Export", work)
    assert began.wait(5)
    job.cancel()
    with pytest.raises(Cancelled):
        job.result(5)
    assert job.state is JobState.CANCELLED
    assert job.text == "half way"


def test_a_job_cancelled_before_its_turn_never_begins(bus):
    runner = JobRunner(bus, workers=1)
    job = runner.submit("Later", lambda job: pytest.fail("it began"))
    job.cancel()
    runner.start()
    runner.stop()
    assert job.state is JobState.CANCELLED


def test_a_fault_of_the_world_reaches_the_caller_and_is_no_bug(runner, bus):
    faults = []
    bus.subscribe(AppFault, faults.append)

    def work(job):
        raise DeviceFault("device.silent", "It does not answer.")

    with pytest.raises(DeviceFault):
        runner.submit("Read", work).result(5)
    assert faults == []


@pytest.mark.logs_errors
def test_a_bug_in_a_job_is_told_with_the_name_of_its_thread(runner, bus):
    faults = []
    bus.subscribe(AppFault, faults.append)
    with pytest.raises(ZeroDivisionError):
        runner.submit("Divide", lambda job: 1 // 0).result(5)
    runner.submit("After", lambda job: None).result(5)
    assert faults[0].thread.startswith("jobs-")
