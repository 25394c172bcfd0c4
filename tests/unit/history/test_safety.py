"""Crashes, full disks and damaged files cost as little as can be, and the person is told."""

import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import sqlcipher3.dbapi2 as sqlite
from fakes import dying_recorder

from app.domain.errors import EnvironmentLacks, StoreFault
from app.domain.readings import Reading
from app.runtime.clock import ManualClock
from app.runtime.events import EventBus, StoreTrouble
from app.store.history import HistoryStore

T = dying_recorder.T0
ROOT = Path(__file__).resolve().parents[3]
SERIES = ("device:pump", "dp:19", 0, 1 << 42)


@pytest.fixture
def bus():
    return EventBus()


@pytest.fixture
def troubles(bus):
    told = []
    bus.subscribe(StoreTrouble, told.append)
    return told


@pytest.fixture
def opened(tmp_path, bus):
    stores = []

    def make(key=None):
        store = HistoryStore(tmp_path / "history.db", key=key, clock=ManualClock(T), bus=bus)
        store.start()
        stores.append(store)
        return store

    yield make
    for store in stores:
        store.stop()


def readings(first, count, value=None):
    return [
        Reading("pump", "19", n if value is None else value(n), T + n)
        for n in range(first, first + count)
    ]


def values(store):
    return [value for _, value, _, _ in store.raw(*SERIES)]


def changed(path, statement, *arguments):
    connection = sqlite.connect(str(path))
    connection.execute(statement, arguments)
    connection.commit()
    connection.close()


def test_a_reading_acknowledged_as_committed_survives_a_kill(tmp_path, opened):
    path, first, promised = tmp_path / "history.db", 0, []
    seed = random.Random(6)
    for _ in range(6):
        child = subprocess.Popen(
            [sys.executable, dying_recorder.__file__, str(path), str(first)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={"PYTHONPATH": str(ROOT)},
        )
        for _ in range(seed.randrange(1, 12)):
            last = int(child.stdout.readline())
        child.kill()
        rest, _ = child.communicate()
        last = max([last, *(int(line) for line in rest.splitlines())])
        promised.extend(range(first, last + 1))
        first = last + 1 + 10 * dying_recorder.BATCH
    kept = values(opened(key=bytes(32)))
    assert kept == sorted(set(kept))
    assert set(promised) <= set(kept)
    assert len(kept) <= len(promised) + 6 * dying_recorder.BATCH


def test_a_commit_tried_again_after_an_unclear_end_does_not_store_twice(opened):
    store = opened()
    store.put(readings(0, 10))
    assert store.flush(10)
    recorder = store._recorder
    row = recorder._database.driver.execute("SELECT t0, t1, n, series, data FROM log").fetchone()
    recorder._database.driver.execute("DELETE FROM log")
    for _ in range(3):
        recorder._write([(1, row)], with_observed=False)
    assert values(store) == list(range(10))


def test_a_full_disk_loses_nothing_is_told_once_and_ends_when_there_is_room(opened, troubles):
    store = opened()
    store.put(readings(0, 50))
    assert store.flush(10)
    limit = store._recorder._database.driver
    pages = limit.execute("PRAGMA page_count").fetchone()[0]
    limit.execute(f"PRAGMA max_page_count={pages}")
    noise = random.Random(1)
    for first in range(50, 8_050, 2_000):
        store.put(readings(first, 2_000, lambda n: noise.getrandbits(60)))
        assert not store.flush(0.4)
    assert [trouble.over for trouble in troubles] == [False]
    assert troubles[0].fault.code == "history.not_written"
    assert "memory" in store.trouble.what
    assert values(store) == list(range(50))
    store.put(readings(50, 1))
    limit.execute("PRAGMA max_page_count=1000000")
    assert store.flush(10)
    assert [trouble.over for trouble in troubles] == [False, True]
    assert store.trouble is None
    assert len(values(store)) == 8_051
    assert store.counts["stored"] == 8_051
    assert store.dropped == 0


def test_a_duplicate_of_a_reading_that_waits_for_room_is_known(opened):
    store = opened()
    limit = store._recorder._database.driver
    limit.execute(f"PRAGMA max_page_count={limit.execute('PRAGMA page_count').fetchone()[0]}")
    noise = random.Random(2)
    first = readings(0, 3_000, lambda n: noise.getrandbits(60))
    store.put(first)
    assert not store.flush(0.4)
    store.put(first[:100])
    assert not store.flush(0.4)
    assert store.counts["duplicates"] == 100
    limit.execute("PRAGMA max_page_count=1000000")
    assert store.flush(10)
    assert len(values(store)) == 3_000


def test_memory_is_bounded_while_the_disk_is_full_and_what_does_not_fit_is_counted(
    opened, monkeypatch
):
    monkeypatch.setattr("app.store.history.recorder.MAX_PENDING_BYTES", 100_000)
    store = opened()
    limit = store._recorder._database.driver
    limit.execute(f"PRAGMA max_page_count={limit.execute('PRAGMA page_count').fetchone()[0]}")
    noise = random.Random(3)
    for first in range(0, 40_000, 4_000):
        store.put(readings(first, 4_000, lambda n: noise.getrandbits(60)))
        assert not store.flush(0.3)
    limit.execute("PRAGMA max_page_count=1000000")
    assert store.flush(10)
    counts = store.counts
    assert counts["dropped"] > 0
    assert counts["stored"] + counts["dropped"] == 40_000
    assert len(values(store)) == counts["stored"]


@pytest.mark.parametrize(
    "content", [b"this is no database" * 500, b"SQLite format 3\0" + b"\7" * 9000]
)
def test_a_file_that_is_no_database_is_set_aside_and_recording_goes_on(
    opened, tmp_path, troubles, content
):
    (tmp_path / "history.db").write_bytes(content)
    store = opened()
    store.put(readings(0, 5))
    assert store.flush(10)
    assert values(store) == list(range(5))
    (aside,) = tmp_path.glob("history.db.damaged-*")
    assert aside.read_bytes() == content
    assert troubles[0].fault.code == "history.set_aside"
    assert "not affected" in store.trouble.what
    assert aside.name == store.trouble.where


def test_another_programs_database_is_set_aside_and_stays_theirs(opened, tmp_path):
    changed(tmp_path / "history.db", "CREATE TABLE theirs(x)")
    opened()
    opened_by_them = sqlite.connect(str(next(iter(tmp_path.glob("history.db.damaged-*Z")))))
    tables = opened_by_them.execute("SELECT name FROM sqlite_master").fetchall()
    opened_by_them.close()
    assert tables == [("theirs",)]


def test_damage_inside_the_file_is_found_after_a_crash(opened, tmp_path):
    store = opened()
    for first in range(0, 40_000, 4_000):
        noise = random.Random(first)
        store.put(readings(first, 4_000, lambda n, noise=noise: noise.getrandbits(60)))
    store.stop()
    path = tmp_path / "history.db"
    changed(path, "INSERT OR REPLACE INTO meta VALUES('open', 1)")
    content = bytearray(path.read_bytes())
    root = 8192 * (len(content) // 8192 // 2)
    content[8192 * 3 : 8192 * 3 + 400] = bytes(400)
    content[root : root + 400] = bytes(range(200)) * 2
    path.write_bytes(bytes(content))
    again = opened()
    assert list(tmp_path.glob("history.db.damaged-*"))
    again.put(readings(0, 1))
    assert again.flush(10)


def test_one_damaged_log_row_is_named_and_all_others_are_read(opened, tmp_path):
    store = opened()
    for first in range(0, 50, 10):
        store.put(readings(first, 10))
        assert store.flush(10)
    store.stop()
    changed(tmp_path / "history.db", "UPDATE log SET data = zeroblob(40) WHERE id = 3")
    changed(tmp_path / "history.db", "UPDATE log SET series = x'01' WHERE id = 4")
    again = opened()
    assert values(again) == [*range(20), *range(40, 50)]
    assert values(again) == [*range(20), *range(40, 50)]
    assert [damage.row for damage in again.damage] == [3, 4]
    assert "2026-" in again.damage[0].sentence()
    again.put(readings(0, 60))
    assert again.flush(10)
    assert values(again)[-10:] == list(range(50, 60))


def test_a_file_damaged_while_it_is_written_is_replaced_and_recording_goes_on(opened, tmp_path):
    store = opened()
    store.put(readings(0, 5))
    store.observe("pump", {"ip": "127.0.0.1"}, T)
    assert store.flush(10)
    recorder = store._recorder
    recorder._database.driver.execute("DROP TABLE log")
    store.put(readings(5, 5))
    assert store.flush(10)
    assert values(store) == list(range(5, 10))
    assert len(list(tmp_path.glob("history.db.damaged-*"))) >= 1
    store.stop()
    again = opened()
    assert values(again) == list(range(5, 10))
    assert again.observed("pump") == {"ip": ("127.0.0.1", T)}


def test_a_file_of_a_newer_program_is_refused_and_left_alone(opened, tmp_path):
    store = opened()
    store.put(readings(0, 5))
    store.stop()
    changed(tmp_path / "history.db", "UPDATE meta SET value = 2 WHERE name = 'min_reader_version'")
    with pytest.raises(EnvironmentLacks) as refused:
        opened()
    assert refused.value.code == "history.newer"
    changed(tmp_path / "history.db", "UPDATE meta SET value = 1 WHERE name = 'min_reader_version'")
    assert values(opened()) == list(range(5))


def test_a_folder_that_does_not_exist_is_a_fault_with_a_sentence(tmp_path, bus):
    store = HistoryStore(tmp_path / "no" / "history.db", key=None, clock=ManualClock(T), bus=bus)
    with pytest.raises(StoreFault) as fault:
        store.start()
    assert fault.value.do
    store.stop()


def test_reading_a_store_that_is_closed_is_a_fault_with_a_sentence(opened):
    store = opened()
    store.put(readings(0, 1))
    assert store.flush(10)
    store.stop()
    with pytest.raises(StoreFault, match="not open"):
        store.raw(*SERIES)


def test_many_put_read_and_observe_at_once_and_nothing_is_lost(opened):
    store = opened()

    def write(device):
        for n in range(1_500):
            store.put([Reading(device, "1", n, T + n)])
            store.observe(device, {"last_report_ms": T + n}, T + n)

    threads = [threading.Thread(target=write, args=(f"d{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        seen = [v for _, v, _, _ in store.raw("device:d0", "dp:1", 0, 1 << 42)]
        assert seen == list(range(len(seen)))
    for thread in threads:
        thread.join()
    assert store.flush(10)
    for n in range(4):
        assert [v for _, v, _, _ in store.raw(f"device:d{n}", "dp:1", 0, 1 << 42)] == list(
            range(1_500)
        )
        assert store.observed(f"d{n}")["last_report_ms"] == (T + 1_499, T + 1_499)


def test_a_second_damaged_file_does_not_take_the_place_of_the_first(opened, tmp_path):
    for content in (b"one" * 3000, b"two" * 3000):
        (tmp_path / "history.db").write_bytes(content)
        opened().stop()
    kept = sorted(path.read_bytes()[:3] for path in tmp_path.glob("history.db.damaged-*"))
    assert kept == [b"one", b"two"]
