"""A file is created and updated on a copy, then swapped; what this version wrote stays readable."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from fakes.console_store import KEY, do, opened
from fakes.errand import declared

import app.store.migrate as migrate_module
from app.domain.errors import EnvironmentLacks
from app.records.kinds import Asset, Device
from app.runtime.clock import ManualClock
from app.store.engines import Database, connect
from app.store.migrate import HEAD, bring_up_to_date
from app.store.tables import declare_tables, kind_table, statements

DATA = Path(__file__).resolve().parents[2] / "data" / "console"
VERSIONS = Path(migrate_module.__file__).parent / "migrations" / "versions"


def test_the_revisions_build_exactly_the_declared_tables(tmp_path) -> None:
    bring_up_to_date(tmp_path / "console.db", None, 0)
    database = Database(tmp_path / "console.db", None)
    try:
        context = MigrationContext.configure(database.writer)
        found = compare_metadata(context, declare_tables())
    finally:
        database.close()
    search = {"find", "find_data", "find_idx", "find_content", "find_docsize", "find_config"}
    differences = [d for d in found if not (d[0] == "remove_table" and d[1].name in search)]
    assert differences == []


def test_a_file_with_a_revision_of_a_later_program_is_left_alone(tmp_path) -> None:
    path = tmp_path / "console.db"
    bring_up_to_date(path, KEY, 0)
    connection = connect(path, KEY)
    connection.execute("UPDATE alembic_version SET version_num='9999'")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(EnvironmentLacks) as caught:
        bring_up_to_date(path, KEY, 0)
    assert caught.value.code == "store.newer"
    assert path.read_bytes() == before


def test_the_printed_statements_make_a_kinds_table(tmp_path) -> None:
    with declared(), opened(tmp_path) as store:
        printed = statements("errand")
        assert printed[0].startswith("CREATE TABLE errand")
        for statement in printed:
            store._database.driver.execute(statement)
        made = do(store, lambda tx: tx.create("errand", "s", title="Look at the pump"))
        assert [hit.id for hit in store.records.search("pump")] == [made]


def test_head_is_the_newest_revision() -> None:
    newest = max(path.stem.rpartition("_")[2] for path in VERSIONS.glob("*_[0-9]*.py"))
    assert newest == HEAD


def test_a_new_file_has_no_leftovers_and_a_current_one_is_not_touched(tmp_path) -> None:
    path = tmp_path / "console.db"
    assert bring_up_to_date(path, KEY, 0) is None
    assert [p.name for p in tmp_path.iterdir()] == ["console.db"]
    before = path.read_bytes()
    assert bring_up_to_date(path, KEY, 0) is None
    assert path.read_bytes() == before


@pytest.mark.parametrize("key", [None, KEY])
def test_an_older_file_is_migrated_on_a_copy_and_kept(tmp_path, key) -> None:
    path = tmp_path / "console.db"
    connection = connect(
        path, key
    )  # a file from before the first revision, with a table of its own
    connection.execute("CREATE TABLE older(x)")
    connection.execute("INSERT INTO older VALUES(5)")
    connection.close()
    kept = bring_up_to_date(path, key, 42)
    assert kept == tmp_path / "console.db.empty.42"
    for file in (path, kept):
        connection = connect(file, key)
        assert connection.execute("SELECT x FROM older").fetchall() == [(5,)]
        connection.close()
    with opened(tmp_path, key=key) as store:
        assert store.audit.verify().ok


def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path) -> None:
    path = tmp_path / "console.db"
    connection = connect(path, KEY)
    connection.execute("CREATE TABLE journal(x)")  # in the way of the first revision
    connection.close()
    before = path.read_bytes()
    with pytest.raises(Exception, match="already exists"):
        bring_up_to_date(path, KEY, 0)
    assert path.read_bytes() == before
    connection = connect(tmp_path / "console.db.new", KEY)
    assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 1
    connection.close()


def test_a_kind_declared_anew_is_refolded_from_the_journal(tmp_path) -> None:
    with declared() as kind:
        with opened(tmp_path) as store:
            do(store, lambda tx: tx.create(Asset, "s", name="Pump"))
            store._database.driver.execute("UPDATE asset SET name='stale'")
        with opened(tmp_path) as store:
            assert store.records.all(Asset)[0].name == "stale"  # same declarations: nothing to do
        connection = connect(tmp_path / "console.db", KEY)
        connection.execute("UPDATE local SET value='\"other\"' WHERE name='declarations'")
        connection.close()
        assert kind_table("errand").kind.cls is kind
        with opened(tmp_path) as store:
            assert store.records.all(Asset)[0].name == "Pump"


@pytest.mark.parametrize("folder", sorted(DATA.iterdir()), ids=lambda folder: folder.name)
def test_a_file_of_each_version_opens_verifies_and_folds_to_what_it_was(tmp_path, folder) -> None:
    shutil.copy(folder / "console.db", tmp_path / "console.db")
    shutil.copy(folder / "outbox.log", tmp_path / "outbox.log")
    expected = json.loads((folder / "expected.json").read_text())
    clock = ManualClock(expected["now_ms"])
    with opened(tmp_path, key=KEY, clock=clock) as store:
        report = store.audit.verify()
        assert report.ok, report.broken
        assert report.links >= expected["links"]
        names = {a.id: [a.name, a.label, list(a.tags)] for a in store.records.all(Asset)}
        assert names == expected["assets"]
        keys = {d.tuya_id: store.open_field(d, "local_key") for d in store.records.all(Device)}
        assert keys == expected["keys"]
