"""Unsent changes have a second copy outside the database, and each side mends the other."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

import pytest
from fakes.console_store import do, opened
from hypothesis import given, settings
from hypothesis import strategies as st

from app.records.kinds import Asset, Device, Site
from app.runtime.clock import ManualClock
from app.store.outbox import OutboxCopy


def fill(store, count: int = 3) -> list[str]:
    site = do(store, lambda tx: tx.create(Site, "", name="Tower"))
    return [do(store, lambda tx, n=n: tx.create(Asset, site, name=f"A{n}")) for n in range(count)]


def names(store) -> list[str]:
    return sorted(a.name for a in store.records.all(Asset))


@pytest.mark.parametrize("key", [None, bytes(32)])
def test_a_lost_database_is_rebuilt_from_the_copy(tmp_path, key, caplog) -> None:
    with opened(tmp_path, key=key) as store:
        fill(store)
        device = do(store, lambda tx: tx.create(Device, "s", tuya_id="d", local_key="0123456789ab"))
        console = store.console_id
    (tmp_path / "console.db").rename(tmp_path / "console.db.damaged")
    with caplog.at_level(logging.WARNING), opened(tmp_path, key=key) as store:
        assert names(store) == ["A0", "A1", "A2"]
        assert store.console_id == console
        found = store.records.get(Device, device)
        assert store.open_field(found, "local_key") == "0123456789ab"
        assert store.records.waiting() == 5
        fill(store, 1)  # numbering goes on
        assert store.audit.verify().ok
    assert "5 changes were put back" in caplog.text


def test_a_database_that_went_back_gets_the_missing_changes(tmp_path, caplog) -> None:
    with opened(tmp_path) as store:
        fill(store)
    before = (tmp_path / "console.db").read_bytes()
    with opened(tmp_path) as store:
        fill(store, 2)
        do(store, lambda tx: tx.note("x.y", "z", {}))
    (tmp_path / "console.db").write_bytes(before)
    with opened(tmp_path) as store:
        assert len(names(store)) == 5
        assert "lost its end" in store.audit.verify().broken.sentence
    with opened(tmp_path) as store:
        assert len(names(store)) == 5
        assert store.records.waiting() == 7


def test_a_lost_or_torn_copy_is_written_again(tmp_path) -> None:
    with opened(tmp_path) as store:
        fill(store)
    path = tmp_path / "outbox.log"
    whole = path.read_bytes()
    for damage in (None, whole[:-9], whole + b"torn", whole[: len(whole) // 2], b""):
        if damage is None:
            path.unlink()
        else:
            path.write_bytes(damage)
        with opened(tmp_path) as store:
            assert names(store) == ["A0", "A1", "A2"]
            assert store.audit.verify().ok
            unsent = {o.id for o in store._recorder.journal.unsent()}
            assert store._outbox.read().operations.keys() == unsent


def test_a_copy_nobody_can_read_is_kept_and_replaced(tmp_path, caplog) -> None:
    with opened(tmp_path) as store:
        fill(store)
    lines = (tmp_path / "outbox.log").read_bytes().splitlines(keepends=True)
    lines[2] = b"AAAA" + lines[2][4:]
    (tmp_path / "outbox.log").write_bytes(b"".join(lines))
    with opened(tmp_path) as store:
        assert len(store._outbox.read().operations) == 4
    assert [p.name for p in tmp_path.glob("outbox.log.unreadable.*")]
    assert "cannot be read" in caplog.text


def test_the_copy_reaches_the_disk_within_a_second(tmp_path, monkeypatch) -> None:
    synced: list[int] = []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: (synced.append(fd), real(fd)))
    with opened(tmp_path) as store:
        fill(store)
        assert store._outbox.due_in_s() is not None
        before = len(synced)
    assert len(synced) == before + 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_for_the_copy_does_not_stop_the_records(tmp_path, caplog) -> None:
    with opened(tmp_path) as store:
        made = fill(store)
        os.close(store._outbox._fd)
        store._outbox._fd = os.open("/dev/full", os.O_WRONLY)
        fill(store, 2)
        assert store._outbox.behind
        assert len(names(store)) == 5
        store._writer.submit(store._writer._sync).result(20)  # a second later
        assert not store._outbox.behind
        assert len(store._outbox.read().operations) == 7
        assert made
    assert "could not be written" in caplog.text


def test_lines_of_a_plain_copy_are_json_of_operations(tmp_path) -> None:
    with opened(tmp_path, key=None) as store:
        fill(store, 1)
    lines = (tmp_path / "outbox.log").read_bytes().splitlines()
    assert json.loads(lines[0]) == {"plantroom": "outbox", "format": 1}
    assert json.loads(lines[-1])["ops"][0][3] == "asset"


def test_a_missing_file_holds_nothing(tmp_path, clock) -> None:
    assert OutboxCopy(tmp_path / "none", None, clock).read().operations == {}


@given(
    lines=st.lists(
        st.binary(max_size=80)
        | st.sampled_from([b"{}", b'{"at":[1,"00"]}', b'{"at":[1,"zz"],"ops":[[1]]}', b"[]"])
        | st.sampled_from([b'{"at":[1,"00"],"ops":[[1,2,3,4,5,6,7,8,9,10]]}', b'{"at":7}']),
        max_size=6,
    )
)
@settings(max_examples=80, deadline=None)
@pytest.mark.parametrize("key", [None, bytes(32)])
def test_whatever_stands_in_the_copy_reading_it_does_not_fail(tmp_path_factory, key, lines) -> None:
    path = tmp_path_factory.getbasetemp() / f"hostile-{key is None}.log"
    path.write_bytes(b"\n".join([b"first", *lines, b""]))
    contents = OutboxCopy(path, key, ManualClock()).read()
    assert contents.unreadable <= contents.lines
