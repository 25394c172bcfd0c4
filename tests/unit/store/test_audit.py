"""Whoever changes the file behind the program's back is found, and the first broken link named."""

from __future__ import annotations

import sqlite3

import pytest
from fakes.console_store import ANN, KEY, do, opened

from app.domain.errors import StoreFault
from app.records.kinds import Asset, Device, Site
from app.store.audit import Broken
from app.store.engines import connect


@pytest.fixture
def folder(tmp_path):
    """A profile with a site, five assets, an edit and a note; the store is closed."""
    with opened(tmp_path) as store:
        site = do(store, lambda tx: tx.create(Site, "", name="Tower"))
        made = [do(store, lambda tx, n=n: tx.create(Asset, site, name=f"A{n}")) for n in range(5)]
        seen = store.records.get(Asset, made[0])
        do(store, lambda tx: tx.edit(seen, name="Renamed"))
        do(store, lambda tx: tx.note("device.command", made[0], {"dp": "1"}))
        assert store.audit.verify().links == 8
    return tmp_path


def tampered(folder, *statements: str) -> Broken:
    """What `verify` says after somebody with the key ran these on the file, and after a restart."""
    connection = connect(folder / "console.db", KEY)
    for statement in statements:
        assert connection.execute(statement).rowcount != 0, statement
    connection.close()
    with opened(folder) as store:
        report = store.audit.verify()
        assert not report.ok
        assert report.broken is not None
        return report.broken


def console_of(folder) -> str:
    with opened(folder) as store:
        return store.console_id


def test_an_untouched_file_verifies(folder) -> None:
    with opened(folder) as store:
        report = store.audit.verify()
    assert (report.ok, report.links, report.broken) == (True, 8, None)


def test_an_edited_body_is_named(folder) -> None:
    console = console_of(folder)
    broken = tampered(folder, "UPDATE journal SET body=replace(body,'A2','B2') WHERE pos=4")
    assert broken == Broken(f"{console}:4", f"What operation {console}:4 says was changed.")


@pytest.mark.parametrize("garbage", ["garbage", "[]", '{"fields":{"name":5}}', '{"fields":[]}'])
def test_a_body_that_is_no_longer_json_does_not_keep_the_program_from_starting(
    folder, garbage
) -> None:
    console = console_of(folder)
    broken = tampered(folder, f"UPDATE journal SET body='{garbage}' WHERE pos=4")
    assert broken.operation == f"{console}:4"


def test_an_edited_header_is_named(folder) -> None:
    console = console_of(folder)
    broken = tampered(folder, "UPDATE journal SET author='bob' WHERE pos=4")
    assert broken.operation == f"{console}:4"
    assert "does not follow" in broken.sentence


def test_an_id_that_is_none_is_named(folder) -> None:
    assert tampered(folder, "UPDATE journal SET op='garbage' WHERE pos=4").operation != ""


def test_a_body_and_its_hash_edited_together_are_named(folder) -> None:
    console = console_of(folder)
    broken = tampered(
        folder,
        "UPDATE journal SET body='{}',"
        " body_hash=x'44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a'"
        " WHERE pos=4",
    )
    assert broken.operation == f"{console}:4"


def test_a_dropped_line_is_named(folder) -> None:
    console = console_of(folder)
    broken = tampered(folder, "DELETE FROM journal WHERE pos=4")
    assert broken.operation == f"{console}:4"
    assert "missing" in broken.sentence


def test_swapped_lines_are_named(folder) -> None:
    console = console_of(folder)
    broken = tampered(
        folder,
        "UPDATE journal SET pos=99 WHERE pos=3",
        "UPDATE journal SET pos=3 WHERE pos=4",
        "UPDATE journal SET pos=4 WHERE pos=99",
    )
    assert broken.operation == f"{console}:3"


def test_a_line_of_its_own_put_in_between_is_named(folder) -> None:
    columns = "tx,act,kind,record,site,at_us,known_us,author,schema,body,body_hash,hash,waiting"
    broken = tampered(
        folder,
        f"INSERT INTO journal(pos,op,{columns})"
        f" SELECT 50,'zz:1',{columns} FROM journal WHERE pos=2",
    )
    assert broken.operation == "zz:1"


def test_a_journal_cut_at_its_end_is_noticed_although_the_changes_are_put_back(folder) -> None:
    broken = tampered(folder, "DELETE FROM journal WHERE pos>6")
    assert "lost its end" in broken.sentence
    assert "reached line 6 of 8" in broken.sentence
    with opened(folder) as store:
        assert "Renamed" in [a.name for a in store.records.all(Asset)]


def test_a_cut_is_a_failure_until_somebody_was_told_and_reported_ever_after(folder) -> None:
    cut = tampered(folder, "DELETE FROM journal WHERE pos>6")
    with opened(folder) as store:
        assert store.audit.verify().untold
        store.keep_as_told(cut, ANN).result(10)
        told = store.audit.verify()
        do(store, lambda tx: tx.note("device.command", "later", {}))
    assert (told.ok, told.broken, told.repaired) == (True, None, (cut,))
    again = tampered(folder, "DELETE FROM journal WHERE pos>9")
    assert again != cut
    with opened(folder) as store:
        assert store.audit.verify().repaired == (cut,)


def test_a_journal_emptied_is_a_cut_and_no_new_file(folder) -> None:
    broken = tampered(folder, "DELETE FROM journal")
    assert "reached line 0 of 8" in broken.sentence


def test_a_file_made_anew_from_the_outbox_copy_says_so_in_every_report(folder) -> None:
    (folder / "console.db").rename(folder / "console.moved")
    for _ in range(2):
        with opened(folder) as store:
            report = store.audit.verify()
            assert report.ok
            assert "7 of its 8 lines were put back" in report.repaired[0].sentence


def test_a_change_marked_as_sent_that_never_was_is_named(folder) -> None:
    console = console_of(folder)
    broken = tampered(folder, f"UPDATE journal SET waiting=0 WHERE op='{console}:4'")
    assert broken.operation == f"{console}:4"
    assert "never leave this console" in broken.sentence


@pytest.mark.parametrize("column", ["op", "hash", "body_hash", "known_us", "at_us", "body"])
@pytest.mark.parametrize("value", ["'text'", "x'00ff'"])
@pytest.mark.parametrize("pos", [4, 8])
def test_what_no_line_ever_holds_is_named(folder, column, value, pos) -> None:
    broken = tampered(folder, f"UPDATE journal SET {column}={value} WHERE pos={pos}")
    assert broken.operation


def test_an_outbox_copy_that_cannot_be_opened_is_said(tmp_path) -> None:
    (tmp_path / "outbox.log").mkdir()
    with pytest.raises(StoreFault) as caught, opened(tmp_path):
        pass
    assert caught.value.code == "store.outbox_not_opened"


def test_a_damaged_page_is_said_wherever_it_is_met(folder) -> None:
    content = (folder / "console.db").read_bytes()
    faults = []
    for page in range(1, len(content) // 4096):
        at = page * 4096 + 2000
        damaged = content[:at] + bytes(16) + content[at + 16 :]
        (folder / "console.db").write_bytes(damaged)
        try:
            with opened(folder) as store:
                store.audit.verify()
                store.records.all(Asset)
        except StoreFault as fault:
            faults.append(fault)
    assert {fault.code for fault in faults} == {"store.damaged"}
    assert all("outbox.log" in fault.do for fault in faults)
    assert len(faults) > 10


def test_a_lost_table_is_said(folder) -> None:
    connection = connect(folder / "console.db", KEY)
    connection.execute("DROP TABLE asset")
    connection.close()
    with opened(folder) as store, pytest.raises(StoreFault) as caught:
        store.audit.verify()
    assert caught.value.code == "store.damaged"


def test_a_lost_site_key_comes_back_from_the_outbox_copy(tmp_path) -> None:
    with opened(tmp_path) as store:
        site = do(store, lambda tx: tx.create(Site, "", name="Tower"))
        made = do(store, lambda tx: tx.create(Device, site, tuya_id="bf1", local_key="k" * 16))
    connection = connect(tmp_path / "console.db", KEY)
    connection.execute("DELETE FROM site_key")
    connection.close()
    with opened(tmp_path) as store:
        assert store.open_field(store.records.get(Device, made), "local_key") == "k" * 16


def test_a_journal_cut_while_the_program_runs_is_noticed(folder) -> None:
    with opened(folder) as store:
        connection = connect(folder / "console.db", KEY)
        connection.execute("DELETE FROM journal WHERE pos=8")
        connection.close()
        report = store.audit.verify()
    assert not report.ok
    assert "1 lines before the end" in report.broken.sentence


def test_a_row_edited_directly_is_named_with_its_field(folder) -> None:
    console = console_of(folder)
    broken = tampered(folder, "UPDATE asset SET name='Forged' WHERE name='A3'")
    assert broken.operation == f"{console}:5"
    assert broken.sentence.startswith("name of asset ")


def test_a_dropped_row_is_named(folder) -> None:
    broken = tampered(folder, "DELETE FROM asset WHERE name='A4'")
    assert "is missing" in broken.sentence


def test_a_row_that_no_operation_made_is_named(folder) -> None:
    broken = tampered(
        folder,
        "INSERT INTO asset(id,site,name,label,category,profile,tags,note,deleted,heads,seen)"
        " VALUES('ghost','s','Ghost','','','','[]','',0,'{}','[]')",
    )
    assert broken.sentence == "The asset ghost stands in its table but not in the journal."


def test_a_forged_refusal_is_named(folder) -> None:
    console = console_of(folder)
    broken = tampered(folder, f"UPDATE journal SET verdict='refused' WHERE op='{console}:7'")
    assert broken.operation == f"{console}:7"
    assert "nobody refused it" in broken.sentence


def test_a_body_erased_by_law_leaves_a_chain_that_verifies(folder) -> None:
    connection = connect(folder / "console.db", KEY)
    connection.execute("UPDATE journal SET body=NULL WHERE act='note'")
    connection.close()
    with opened(folder) as store:
        assert store.audit.verify().ok


def test_without_the_key_the_file_is_noise(folder) -> None:
    content = (folder / "console.db").read_bytes() + (folder / "outbox.log").read_bytes()
    for word in (b"Tower", b"Renamed", b"SQLite format", b"journal"):
        if word != b"journal":
            assert word not in content
    plain = sqlite3.connect(folder / "console.db")
    with pytest.raises(sqlite3.DatabaseError):
        plain.execute("SELECT * FROM journal")
    plain.close()
