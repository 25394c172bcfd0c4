"""Records through the console's store: what services rely on."""

from __future__ import annotations

import threading

import pytest
from fakes.console_store import ANN, console_store, do, opened

from app.domain.errors import InvalidRequest, StoreFault
from app.records.kinds import Asset, Device, Place, Remark, Site, Tag
from app.records.operation import Edit, Operation
from app.records.port import Actor
from app.records.query import Query, Where
from app.runtime.clock import ManualClock
from app.runtime.events import Changed, EventBus
from app.store.projection import Projection


def asset(store, site, **values) -> Asset:
    made = do(store, lambda tx: tx.create(Asset, site, **{"name": "Pump 3", **values}))
    return store.records.get(Asset, made)


def edit(store, seen, **values) -> Asset:
    do(store, lambda tx: tx.edit(seen, **values))
    return store.records.get(type(seen), seen.id)


def test_what_was_created_is_read_back_with_its_defaults(store, site) -> None:
    pump = asset(store, site, tags=("wet", "roof"))
    assert (pump.name, pump.label, pump.tags, pump.site) == ("Pump 3", "", ("roof", "wet"), site)
    assert store.records.get(Site, site).site == site
    assert store.records.get(Asset, "nobody") is None


def test_a_place_has_a_field_called_kind(store, site) -> None:
    made = do(store, lambda tx: tx.create("place", site, name="Level 2", kind="floor"))
    assert store.records.get(Place, made).kind == "floor"


def test_an_edit_says_only_what_differs_from_what_was_seen(store, site) -> None:
    pump = asset(store, site)
    assert do(store, lambda tx: tx.edit(pump, name="Pump 3", tags=())) is None
    changed = edit(store, pump, name="Pump 4", note="")
    assert changed.name == "Pump 4"
    assert [c.field for c in store.records.history("asset", pump.id)] == ["name", "name"]


def test_two_forms_open_at_once_lose_nothing(store, site) -> None:
    pump = asset(store, site)
    edit(store, pump, label="P-1", name="Feed pump")
    both = edit(store, pump, label="P-2", name="Main pump")  # from the form opened before
    assert both.label == "P-1"
    assert [value for _, value in both.also["label"]] == ["P-2"]
    assert both.undecided == ("label",)
    assert (both.name, [v for _, v in both.also["name"]]) == ("Main pump", ["Feed pump"])
    (attention,) = store.records.needs_attention()
    assert (attention.id, attention.fields) == (pump.id, ("label",))
    decided = edit(store, both, label="P-1")
    assert decided.also.keys() == {"name"}
    assert store.records.needs_attention() == []


def test_work_that_raises_writes_nothing_and_the_next_goes_on(store, site) -> None:
    def fails(tx):
        tx.create(Asset, site, name="Ghost")
        raise SystemExit("no")

    with pytest.raises(SystemExit):
        do(store, fails)
    assert store.records.all(Asset) == []
    assert asset(store, site).name == "Pump 3"
    assert store.audit.verify().ok


def test_values_that_do_not_fit_are_refused_with_the_field(store, site) -> None:
    cases = [
        ({"name": ""}, "records.required"),
        ({}, "records.required"),
        ({"name": 3}, "records.wrong_type"),
        ({"name": "\ud800"}, "records.wrong_type"),
        ({"name": "P", "tags": "wet"}, "records.wrong_type"),
        ({"name": "P", "colour": "red"}, "records.no_such_field"),
        ({"name": "P", "deleted": True}, "records.no_such_field"),
    ]
    for values, code in cases:
        with pytest.raises(InvalidRequest) as caught:
            do(store, lambda tx, v=values: tx.create(Asset, site, **v))
        assert caught.value.code == code
    with pytest.raises(InvalidRequest, match="cannot be inf"):
        do(store, lambda tx: tx.create(Device, site, tuya_id="d", interval_s=float("inf")))
    with pytest.raises(InvalidRequest, match="cannot be what was given") as caught:
        do(store, lambda tx: tx.create(Device, site, tuya_id="d", local_key=b"abcdef"))
    assert "abcdef" not in str(caught.value.document())


def test_a_record_of_a_known_id_is_not_made_twice(store, site) -> None:
    do(store, lambda tx: tx.create(Tag, site, id="t1", name="wet"))
    with pytest.raises(InvalidRequest, match="already"):
        do(store, lambda tx: tx.create(Tag, site, id="t1", name="dry"))


def test_undo_takes_a_whole_transaction_back_and_can_be_undone(store, site) -> None:
    pump = asset(store, site, tags=("wet",))
    edit(store, pump, name="Fan", tags=("dry",))
    tx = store.records.history("asset", pump.id)[-1].tx
    do(store, lambda t: t.undo(tx))
    back = store.records.get(Asset, pump.id)
    assert (back.name, back.tags) == ("Pump 3", ("wet",))
    again = store.records.history("asset", pump.id)[-1]
    assert again.undoes is not None
    do(store, lambda t: t.undo(again.tx))
    assert store.records.get(Asset, pump.id).name == "Fan"


def test_undo_of_a_creation_deletes_unless_somebody_went_on(store, site) -> None:
    pump, fan = asset(store, site), asset(store, site)
    first = store.records.history("asset", pump.id)[0].tx
    do(store, lambda t: t.undo(first))
    assert store.records.get(Asset, pump.id).deleted
    edit(store, fan, note="squeaks")
    with pytest.raises(Exception, match="changed since"):
        do(store, lambda t: t.undo(store.records.history("asset", fan.id)[0].tx))


def test_undo_refuses_what_was_changed_since(store, site) -> None:
    pump = asset(store, site)
    fan = edit(store, pump, name="Fan")
    tx = store.records.history("asset", pump.id)[-1].tx
    edit(store, fan, name="Valve")
    with pytest.raises(Exception, match="Name of this asset was changed since"):
        do(store, lambda t: t.undo(tx))
    with pytest.raises(InvalidRequest, match="no such change"):
        do(store, lambda t: t.undo("nothing"))


def test_delete_and_restore(store, site) -> None:
    pump = asset(store, site)
    do(store, lambda tx: tx.delete(pump))
    gone = store.records.get(Asset, pump.id)
    assert gone.deleted
    assert store.records.all(Asset) == []
    assert store.records.search("pump") == []
    with pytest.raises(InvalidRequest, match="was deleted"):
        edit(store, gone, name="Fan")
    do(store, lambda tx: tx.restore(gone))
    assert not store.records.get(Asset, pump.id).deleted
    assert [hit.id for hit in store.records.search("pump")] == [pump.id]


def test_as_of_by_the_authors_clock_and_by_what_was_known_here(store, site, clock) -> None:
    pump = asset(store, site)
    made_ms = clock.now_ms()
    clock.advance(3600)
    remote_ms = clock.now_ms() - 1_800_000  # somebody elsewhere edited half an hour ago
    edits = {"name": Edit("Feed pump", pump.heads["name"])}
    remote = Operation(
        "other:1", "t", "edit", "asset", pump.id, site, remote_ms * 1000, "bob", 1, edits, seq=1
    )
    store.records.apply(site, [remote], 1).result(20)
    at = remote_ms + 1000
    assert store.records.as_of(Asset, pump.id, at).name == "Feed pump"
    assert store.records.as_of(Asset, pump.id, at, known=True).name == "Pump 3"
    assert store.records.as_of(Asset, pump.id, clock.now_ms(), known=True).name == "Feed pump"
    assert store.records.as_of(Asset, pump.id, made_ms - 10_000) is None


def test_restore_as_of_puts_back_what_was_true_then(store, site, clock) -> None:
    pump = asset(store, site, tags=("wet",))
    then_ms = clock.now_ms()
    clock.advance(60)
    later = edit(store, pump, name="Fan", tags=("dry",), note="new")
    do(store, lambda tx: tx.delete(later))
    gone = store.records.get(Asset, pump.id)
    clock.advance(60)
    changed = do(store, lambda tx: tx.restore_as_of(gone, then_ms))
    back = store.records.get(Asset, pump.id)
    assert set(changed) == {"name", "tags", "note", "deleted"}
    assert (back.name, back.tags, back.note, back.deleted) == ("Pump 3", ("wet",), "", False)
    with pytest.raises(InvalidRequest, match="did not exist"):
        do(store, lambda tx: tx.restore_as_of(back, then_ms - 10_000))


def test_remarks_are_said_once_and_can_be_withdrawn(store, site) -> None:
    pump = asset(store, site)
    made = do(store, lambda tx: tx.create(Remark, site, about=pump.id, text="Bearing hums"))
    said = store.records.get(Remark, made)
    with pytest.raises(InvalidRequest, match="not edited"):
        edit(store, said, text="Bearing is fine")
    about = Query(kind="remark", columns=("text",), where=(Where("about", "=", pump.id),))
    assert store.records.find(about).rows == (("Bearing hums",),)
    assert [hit.kind for hit in store.records.search("hums")] == ["remark"]
    do(store, lambda tx: tx.delete(said))
    assert store.records.find(about).rows == ()


def test_notes_are_journal_lines_without_a_row(store, site) -> None:
    pump = asset(store, site)
    line = do(store, lambda tx: tx.note("device.command", pump.id, {"dp": "1"}), reason="test")
    (note,) = store.records.notes(pump.id)
    assert (note.operation, note.event, note.data) == (line, "device.command", {"dp": "1"})
    assert (note.author, note.reason) == ("ann", "test")
    assert line.rpartition(":")[2] == "L1"
    assert len(store.records.history("asset", pump.id)) == 1
    assert store.audit.verify().ok


def test_shared_operations_are_numbered_without_gaps_whatever_fails(store, site) -> None:
    for n in range(3):
        asset(store, site)
        do(store, lambda tx, n=n: tx.note("x.y", "z", {"n": n}))
        with pytest.raises(InvalidRequest):
            do(store, lambda tx: (tx.create(Asset, site, name="G"), tx.create(Asset, site)))
    assert store.records.waiting() == 4
    assert store.audit.verify().ok


def test_a_clock_that_jumps_back_does_not_reorder(store, site, clock) -> None:
    pump = asset(store, site)
    clock.jump(-86_400)
    pump = edit(store, pump, name="Second")
    edit(store, pump, name="Third")
    times = [c.at_ms for c in store.records.history("asset", pump.id)]
    assert times == sorted(times)
    assert store.records.get(Asset, pump.id).name == "Third"


def test_changed_is_published_once_after_the_commit(tmp_path) -> None:
    bus, heard = EventBus(), []
    with opened(tmp_path, bus=bus) as store:

        def hear(event: Changed) -> None:
            found = [store.records.get(Asset, i) for i in event.ids]
            heard.append((event.kinds, len(found), threading.current_thread().name))

        bus.subscribe(Changed, hear)
        do(store, lambda tx: [tx.create(Asset, "s", name=f"P{n}") for n in range(3)])
        do(store, lambda tx: tx.get(Asset, "x"))
    assert heard == [(frozenset({"asset"}), 3, "recorder-console")]


def test_a_page_of_the_feed_is_taken_in_once_and_unknown_things_are_kept(store, site) -> None:
    fields = {"name": Edit("Chiller"), "torque": Edit(7), "tags": Edit({"+": ["x"]})}
    page = [
        Operation("o:1", "t", "create", "asset", "r1", site, 5, "bob", 9, fields, seq=1),
        Operation("o:2", "t", "create", "hoist", "h1", site, 6, "bob", 1, {"a": Edit(1)}, seq=2),
        Operation("o:3", "t", "edit", "asset", "r1", site, 7, "bob", 9, {"tags": Edit(5)}, seq=3),
    ]
    for _ in range(2):
        store.records.apply(site, page, 3).result(20)
    assert store.records.get(Asset, "r1").name == "Chiller"
    assert "torque" in [c.field for c in store.records.history("asset", "r1")]
    report = store.audit.verify()
    assert (report.ok, report.links) == (True, 4)


def test_a_refused_operation_is_kept_shown_and_out_of_the_row(store, site) -> None:
    pump = asset(store, site)
    operation = do(store, lambda tx: tx.edit(pump, name="Forbidden"))
    store.records.refuse(operation, "Only managers name pumps.").result(20)
    assert store.records.get(Asset, pump.id).name == "Pump 3"
    (attention,) = store.records.needs_attention()
    assert (attention.operation, attention.reason) == (operation, "Only managers name pumps.")
    assert store.records.history("asset", pump.id)[-1].verdict == "refused"
    assert store.audit.verify().ok


def test_a_refused_creation_is_in_no_list_and_the_answer_may_come_twice(store, site) -> None:
    pump = asset(store, site)
    creation = store.records.history("asset", pump.id)[0].operation
    for _ in range(2):
        store.records.refuse(creation, "No.").result(20)
    assert store.records.all(Asset) == []
    assert store.records.get(Asset, pump.id).site == site
    assert store.records.search("pump") == []
    assert [a.operation for a in store.records.needs_attention()] == [creation]
    report = store.audit.verify()
    assert (report.ok, report.links) == (True, 3)


def test_a_record_is_found_once_however_often_it_was_folded(store, site) -> None:
    pump = asset(store, site)
    refused = do(store, lambda tx: tx.edit(pump, name="Forbidden"))
    store.records.refuse(refused, "No.").result(20)
    with store._recorder.commit():
        Projection(store._database.driver).refold()
    assert [hit.id for hit in store.records.search("pump")] == [pump.id]
    assert store.records.search("forbidden") == []


def test_pages_of_a_list_cover_it_once_in_order(store, site) -> None:
    def fill(tx) -> None:
        for n in range(25):
            tx.create(Device, site, tuya_id=f"d{n:02}", interval_s=None if n % 5 else float(n))

    do(store, fill)
    for order in (("interval_s", "tuya_id"), ("-interval_s", "-tuya_id"), ()):
        whole = store.records.find(
            Query(kind="device", columns=("tuya_id", "paused"), order=order, count=True)
        )
        assert (whole.total, whole.next, len(whole.rows)) == (25, None, 25)
        rows, after = [], None
        while True:
            page = store.records.find(
                Query(
                    kind="device", columns=("tuya_id", "paused"), order=order, limit=7, after=after
                )
            )
            rows.extend(page.rows)
            if (after := page.next) is None:
                break
        assert tuple(rows) == whole.rows
    assert whole.items()[0]["paused"] is False
    with pytest.raises(InvalidRequest, match="not where a page"):
        store.records.find(Query(kind="device", after="here"))


def test_conditions_of_a_query(store, site) -> None:
    do(store, lambda tx: tx.create(Asset, site, name="Pump 3", tags=("wet", "roof"), label="A_1"))
    do(store, lambda tx: tx.create(Asset, site, name="Fan", place="p1", label="AB1"))

    def names(*where: Where) -> list[str]:
        query = Query(kind="asset", columns=("name",), where=where, order=("name",))
        return [name for (name,) in store.records.find(query).rows]

    assert names(Where("tags", "has", "wet")) == ["Pump 3"]
    assert names(Where("place", "=", None)) == ["Pump 3"]
    assert names(Where("place", "!=", None)) == ["Fan"]
    assert names(Where("place", "!=", "p1")) == ["Pump 3"]
    assert names(Where("label", "starts", "A_")) == ["Pump 3"]
    assert names(Where("name", "in", ("Fan", "Valve"))) == ["Fan"]
    assert names(Where("name", ">", "Fan"), Where("site", "=", site)) == ["Pump 3"]
    with pytest.raises(InvalidRequest, match="no field"):
        names(Where("colour", "=", "red"))
    with pytest.raises(InvalidRequest, match="no kind"):
        store.records.history("hoist", "x")
    with pytest.raises(InvalidRequest, match="no kind"):
        store.records.find(Query(kind="hoist"))


def test_search_takes_beginnings_of_words_and_no_syntax(store, site) -> None:
    pump = asset(store, site, label="P-7", note="next to the boiler")
    for words in ("pum", "boil p", "PUMP 3"):
        assert [hit.id for hit in store.records.search(words)] == [pump.id]
    for words in ("", '"', "NOT pump", "name:pump", "OR *)", "zebra"):
        assert store.records.search(words) == []
    edit(store, pump, name="Fan")
    assert store.records.search("pump") == []
    assert store.records.search("fan", kinds=("device",)) == []


def test_a_sealed_field_is_ciphertext_everywhere_and_opens_only_by_its_door(tmp_path) -> None:
    with opened(tmp_path, key=None) as store:
        made = do(
            store, lambda tx: tx.create(Device, "s", tuya_id="d1", local_key="K3y-0f-th3-d00r!")
        )
        device = store.records.get(Device, made)
        assert store.open_field(device, "local_key") == "K3y-0f-th3-d00r!"
        assert do(store, lambda tx: tx.edit(device, local_key="K3y-0f-th3-d00r!")) is None
        assert do(store, lambda tx: tx.edit(device, local_key="an0ther-key-here")) is not None
        device = store.records.get(Device, made)
        assert store.open_field(device, "local_key") == "an0ther-key-here"
        changes = store.records.history("device", made, "local_key")
        assert [c.value for c in changes] == ["(sealed)", "(sealed)"]
        assert "sealed:" not in repr(device)
        with pytest.raises(ValueError, match="not sealed"):
            store.open_field(device, "name")
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert b"K3y-0f" not in path.read_bytes(), path


def test_a_jobs_state_is_kept_with_the_commit_until_it_ends(tmp_path, clock) -> None:
    with opened(tmp_path, clock=clock) as store:
        do(store, lambda tx: tx.checkpoint("j1", "import", {"row": 3}))
        do(store, lambda tx: tx.checkpoint("j1", "import", {"row": 4}))
        with pytest.raises(ZeroDivisionError):
            do(store, lambda tx: (tx.checkpoint("j1", "import", {"row": 9}), 1 / 0))
    with opened(tmp_path, clock=clock) as store:
        assert store.jobs.unfinished() == [("j1", "import", {"row": 4})]
        do(store, lambda tx: tx.checkpoint("j1", "import", None))
        assert store.jobs.unfinished() == []


def test_local_values_and_blobs_survive_a_restart(tmp_path) -> None:
    with opened(tmp_path) as store:
        store.set_local("lease", {"n": 1}).result(20)
        name = store.blobs.put(b"photo")
        assert store.blobs.put(b"photo") == name
        console = store.console_id
    with opened(tmp_path) as store:
        assert store.get_local("lease") == {"n": 1}
        assert store.get_local("nothing", 5) == 5
        assert store.blobs.get(name) == b"photo"
        assert store.console_id == console
        path = tmp_path / "blobs" / name[:2] / name
        assert b"photo" not in path.read_bytes()
        path.write_bytes(b"other")
        with pytest.raises(StoreFault, match="changed or damaged"):
            store.blobs.get(name)
        with pytest.raises(StoreFault, match="not on this console"):
            store.blobs.get("0" * 64)


def test_a_closed_store_says_so(tmp_path) -> None:
    with opened(tmp_path) as store:
        pass
    with pytest.raises(StoreFault, match="closed"):
        store.records.transact(ANN, lambda tx: None).result(5)
    with pytest.raises(StoreFault, match="closed"):
        store.records.get(Asset, "x")


def test_a_store_can_be_started_again_and_stopped_before_it_was_started(tmp_path) -> None:
    console_store(tmp_path).stop()
    with opened(tmp_path) as store:
        made = do(store, lambda tx: tx.create(Tag, "s", name="wet"))
        store.stop()
        store.start()
        assert store.records.get(Tag, made).name == "wet"


def test_many_threads_write_and_read_at_once(store, site) -> None:
    def write(n: int) -> None:
        for k in range(15):
            who = Actor(f"p{n}")
            store.records.transact(
                who, lambda tx, k=k: tx.create(Asset, site, name=f"A{n}-{k}")
            ).result(20)
            store.records.all(Asset)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(store.records.all(Asset)) == 60
    assert store.audit.verify().ok


def test_a_transaction_sees_what_it_has_said(store, site) -> None:
    def work(tx):
        made = tx.create(Asset, site, name="Pump 3")
        tx.edit(tx.get(Asset, made), name="Pump 4")
        return tx.find(Query(kind="asset", columns=("name",))).rows

    assert do(store, work) == (("Pump 4",),)


def test_times_come_from_the_clock_it_was_given(tmp_path) -> None:
    clock = ManualClock(1_000_000)
    with opened(tmp_path, clock=clock) as store:
        made = do(store, lambda tx: tx.create(Tag, "s", name="wet"))
        (change,) = store.records.history("tag", made)
        assert change.at_ms == 1_000_000
