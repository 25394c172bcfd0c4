"""A full disk, a damaged file, another key, a newer file: a sentence that helps, nothing lost."""

from __future__ import annotations

import logging

import pytest
from fakes.console_store import KEY, console_store, do, opened

from app.domain.errors import EnvironmentLacks, StoreFault
from app.records.kinds import Asset
from app.store.engines import connect, require_sound_sqlite


def create(store, n: int) -> str:
    return do(store, lambda tx: tx.create(Asset, "s", name=f"A{n}", note="x" * 2_000))


def fill(store, made: list[str]) -> None:
    for n in range(100):
        made.append(create(store, n))


def test_on_a_full_disk_a_commit_fails_whole_and_the_writer_goes_on(tmp_path) -> None:
    with opened(tmp_path) as store:
        made = [create(store, n) for n in range(5)]
        pages = store._database.driver.execute("PRAGMA page_count").fetchone()[0]
        store._database.driver.execute(f"PRAGMA max_page_count={pages + 6}")
        with pytest.raises(StoreFault) as caught:
            fill(store, made)
        assert caught.value.code == "store.disk_full"
        assert "not saved" in caught.value.what
        with pytest.raises(StoreFault):
            fill(store, made)
        assert len(store.records.all(Asset)) == len(made)
        assert store.audit.verify().ok
        store._database.driver.execute("PRAGMA max_page_count=1000000")
        made.append(create(store, 200))
        assert store.audit.verify().ok
    with opened(tmp_path) as store:
        assert {asset.id for asset in store.records.all(Asset)} == set(made)
        assert store.records.waiting() == len(made)


@pytest.mark.parametrize("key", [None, KEY])
def test_a_file_that_is_no_database_is_named_and_left_alone(tmp_path, key) -> None:
    path = tmp_path / "console.db"
    path.write_bytes(b"this is a letter, not a database" * 200)
    before = path.read_bytes()
    with pytest.raises(StoreFault) as caught, opened(tmp_path, key=key):
        pass
    assert caught.value.code == "store.not_a_database"
    assert str(path) in caught.value.where
    assert "Nothing was deleted" in caught.value.do
    assert path.read_bytes() == before


def test_another_key_opens_nothing_and_is_in_no_message(tmp_path, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    with opened(tmp_path) as store:
        create(store, 1)
    wrong = bytes(range(100, 132))
    with pytest.raises(StoreFault) as caught, opened(tmp_path, key=wrong):
        pass
    chain, error = "", caught.value
    while error is not None:
        chain += repr(error) + str(getattr(error, "document", dict)())
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    for key in (KEY, wrong):
        assert key.hex() not in chain + caplog.text
        assert key.hex() not in repr(console_store(tmp_path, key=key).__dict__.get("_database"))
    with opened(tmp_path) as store:
        assert len(store.records.all(Asset)) == 1


def test_damaged_pages_are_told_and_a_start_without_the_file_brings_the_changes_back(
    tmp_path, caplog
) -> None:
    with opened(tmp_path) as store:
        for n in range(30):
            create(store, n)
    path = tmp_path / "console.db"
    content = bytearray(path.read_bytes())
    for page in range(2, len(content) // 4096):
        content[page * 4096 + 100] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(StoreFault) as caught, opened(tmp_path) as store:
        store.audit.verify()
    assert caught.value.code in ("store.damaged", "store.not_a_database", "store.io")
    assert path.read_bytes() == bytes(content)
    path.rename(tmp_path / "console.db.damaged")
    with opened(tmp_path) as store:
        assert len(store.records.all(Asset)) == 30


def test_a_file_of_a_newer_program_is_left_alone(tmp_path) -> None:
    with opened(tmp_path) as store:
        create(store, 1)
    connection = connect(tmp_path / "console.db", KEY)
    connection.execute("PRAGMA user_version=2")
    connection.close()
    with pytest.raises(EnvironmentLacks) as caught, opened(tmp_path):
        pass
    assert caught.value.code == "store.newer"


def test_an_sqlite_that_can_damage_files_is_refused() -> None:
    with pytest.raises(EnvironmentLacks, match=r"3\.51\.2"):
        require_sound_sqlite("3.51.2")
    require_sound_sqlite("3.51.3")
    require_sound_sqlite()


def test_settings_of_the_connections(tmp_path) -> None:
    with opened(tmp_path) as store:
        writer = store._database.driver

        def pragma(connection, name: str):
            return connection.execute(f"PRAGMA {name}").fetchone()[0]

        assert pragma(writer, "journal_mode") == "wal"
        assert pragma(writer, "synchronous") == 2
        assert pragma(writer, "trusted_schema") == 0
        assert pragma(writer, "cell_size_check") == 1
        assert pragma(writer, "application_id") == 0x504C5254
        with store._database.reading() as connection:
            reader = connection.connection.driver_connection
            assert pragma(reader, "query_only") == 1
            with pytest.raises(Exception, match=r"readonly|query_only"):
                reader.execute("DELETE FROM journal")
    assert (tmp_path / "console.db").stat().st_mode & 0o077 == 0
