"""How the parts are joined: the end of recording, what is held, and what is observed."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.links import LinkState
from app.domain.readings import Reading, Value
from app.domain.words import Connection
from app.runtime.clock import ManualClock, SystemClock
from app.runtime.events import EventBus
from app.runtime.jobs import JobRunner
from app.runtime.scheduler import Scheduler
from app.secrets.master import MasterKey
from app.services.observing import Observer
from app.settings.profile import Profile
from app.settings.schema import Settings
from app.wiring import Core, Recording, _quiet_moment, build_core


def reading(at_ms: int, value: Value = 1) -> Reading:
    return Reading("device", "1", value, at_ms)


@given(times=st.lists(st.integers(0, 400), max_size=50))
def test_the_end_of_recording_lies_in_the_widest_gap(times: list[int]) -> None:
    end = _quiet_moment(0, 400, [[reading(at)] for at in times])
    assert 0 <= end <= 400
    distance = min((abs(end - at) for at in times), default=200)
    widest = max(b - a for a, b in zip([0, *sorted(times)], [*sorted(times), 400], strict=True))
    assert distance >= widest // 2 - 1 or not times


def test_what_came_before_the_end_is_stored_and_nothing_after() -> None:
    stored: list[Reading] = []
    clock = SystemClock()
    recording = Recording(stored.extend, clock)
    stop = threading.Event()
    sent: list[Reading] = []

    def send() -> None:
        while not stop.wait(0.03):
            sent.append(reading(clock.now_ms(), len(sent)))
            recording.tap([sent[-1]])

    sender = threading.Thread(target=send)
    sender.start()
    stop.wait(0.1)
    end_ms = recording.end()
    stop.wait(0.1)
    stop.set()
    sender.join()
    assert stored == [r for r in sent if r.at_ms <= end_ms]
    assert recording.taken == len(stored) < len(sent)
    assert recording.end() >= end_ms


def test_scheduled_work_repeats_and_is_never_doubled() -> None:
    bus = EventBus()
    jobs = JobRunner(bus, workers=2)
    scheduler = Scheduler(SystemClock(), jobs, bus)
    running, turns = threading.Semaphore(0), []
    enough = threading.Event()
    lock = threading.Lock()

    def work() -> None:
        assert lock.acquire(blocking=False), "two at once"
        running.acquire(timeout=0.03)
        turns.append(1)
        lock.release()
        if len(turns) == 3:
            enough.set()

    scheduler.every(0.01, "Work", work)
    jobs.start()
    scheduler.start()
    assert enough.wait(10)
    scheduler.stop()
    jobs.stop()


def test_a_scheduler_that_was_never_started_stops() -> None:
    bus = EventBus()
    Scheduler(ManualClock(), JobRunner(bus), bus).stop()


class NotedLink:
    """A link that says what it is told to say."""

    def __init__(self) -> None:
        self.now: dict[str, LinkState] = {}

    def states(self) -> Mapping[str, LinkState]:
        return self.now


class NotedStore:
    """Remembers what it is to keep."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, dict[str, Value], int]] = []

    def observe(self, device: str, values: Mapping[str, Value], at_ms: int) -> None:
        self.kept.append((device, dict(values), at_ms))


def test_only_what_moved_is_written_and_what_never_rests_is_written_slowly() -> None:
    link, store = NotedLink(), NotedStore()
    latest = {"d": {"1": reading(5_000, 7)}}
    observer = Observer(link=lambda: link, latest=lambda device: latest[device], store=store)  # type: ignore[arg-type]
    link.now["d"] = LinkState("d", Connection.ONLINE, 1_000, ip="10.0.0.4", last_report_ms=100_000)
    observer.keep()
    kept = {name: (value, at) for _, values, at in store.kept for name, value in values.items()}
    assert kept["connection"] == ("online", 1_000)
    assert kept["last_report_ms"] == (100_000, 100_000)
    assert kept["1"] == (7, 5_000)
    store.kept.clear()
    observer.keep()
    assert store.kept == []
    link.now["d"] = LinkState("d", Connection.ONLINE, 1_000, ip="10.0.0.9", last_report_ms=101_000)
    observer.keep()
    assert store.kept == [("d", {"ip": "10.0.0.9"}, 1_000)]
    store.kept.clear()
    observer.keep(everything=True)
    assert store.kept == [("d", {"last_report_ms": 101_000}, 101_000)]


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    profile = Profile(tmp_path / "profile")
    profile.prepare()
    return profile


def core_on(profile: Profile, heard: list[str] | None = None) -> Core:
    def hear(secrets: Sequence[str]) -> None:
        if heard is not None:
            heard.extend(secrets)

    return build_core(
        profile,
        settings=Settings(),
        clock=SystemClock(),
        master=MasterKey(b"\x05" * 32),
        on_secrets=hear,
    )


INVENTORY = (
    '[{"id": "gw1", "key": "0123456789abcdef", "name": "Gateway", "ip": "127.0.0.1", "port": 9,'
    ' "version": "3.3"},'
    ' {"id": "sub1", "name": "Sensor", "node_id": "c1", "parent": "gw1"},'
    ' {"id": "dev2", "key": "fedcba9876543210", "name": "Relay", "ip": "127.0.0.1", "port": 9,'
    ' "version": "3.4"}]'
)


def test_engaging_a_sub_device_holds_its_gateway_and_nobody_else(
    profile: Profile, tmp_path: Path
) -> None:
    inventory = tmp_path / "devices.json"
    inventory.write_text(INVENTORY)
    heard: list[str] = []
    core = core_on(profile, heard)
    core.start()
    try:
        core.importing.run(inventory)
        assert core.link is not None
        core.engage(["sub1"])
        assert held(core, 2) == {"gw1", "sub1"}
        core.engage()
        assert held(core, 3) == {"gw1", "sub1", "dev2"}
        core.engage(["dev2"])
        assert held(core, 3) == {"gw1", "sub1", "dev2"}
        assert {"0123456789abcdef", "fedcba9876543210"} <= set(heard)
    finally:
        core.stop()


def held(core: Core, wanted: int) -> set[str]:
    pause = threading.Event()
    assert core.link is not None
    for _ in range(100):
        if len(core.link.states()) == wanted:
            break
        pause.wait(0.05)
    return set(core.link.states())


def test_a_core_that_was_stopped_leaves_the_files_to_the_next(profile: Profile) -> None:
    for _ in range(2):
        core = core_on(profile)
        core.start()
        core.stop()
        core.stop()
        assert profile.in_use
