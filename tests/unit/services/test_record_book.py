"""The past of a record: history, how it was, and taking it back."""

import json

import pytest
from fakes.bench import KEY, row

from app.domain.errors import InvalidRequest, Refused
from app.domain.words import Connection
from app.records.kinds import Asset, Device, Place
from app.services.editing import EditRequest

OTHER_KEY = "other-key-456789"


@pytest.fixture
def book(bench):
    """One device that was imported, renamed and moved, a second apart."""
    bench.bring(row("bf01"), row("bf02"))
    for request in (EditRequest(name="Second"), EditRequest(name="Third", place=["Level 1"])):
        bench.clock.advance(1)
        bench.editing.edit(bench.editing.seen("bf01"), request).result(10)
    bench.clock.advance(1)
    return bench


def values(history, kind, field):
    return [i.value for i in history.items if (i.kind, i.field) == (kind, field)]


def test_a_devices_history_tells_of_its_asset_and_binding_too(book):
    history = book.record_book.history("device", "Third")
    assert {item.kind for item in history.items} == {"device", "asset", "binding"}
    assert values(history, "asset", "name") == ["Pump bf01", "Second", "Third"]
    assert [item.at_ms for item in history.items] == sorted(i.at_ms for i in history.items)
    document = history.document()
    assert {"operation", "at", "author", "kind", "record", "field", "value"} <= set(
        document["items"][0]
    )
    assert document["total"] == len(document["items"])


def test_an_assets_history_is_found_by_the_device_too(book):
    asset = next(a for a in book.all(Asset) if a.name == "Third")
    by_device = book.record_book.history("asset", "bf01", "name")
    assert by_device == book.record_book.history("asset", asset.id, "name")
    assert values(by_device, "asset", "name") == ["Pump bf01", "Second", "Third"]


def test_commands_stand_in_the_devices_history(book):
    book.link.say("bf01", Connection.ONLINE)
    book.control.set_now("bf01", "dp:1", True)
    notes = [i for i in book.record_book.history("device", "bf01").items if i.act == "note"]
    assert [note.field for note in notes] == ["device.command", "device.command"]


def test_keys_are_never_shown(book):
    book.bring(row("bf01", key=OTHER_KEY))
    history = book.record_book.history("device", "bf01", as_of_ms=book.clock.now_ms())
    shown = json.dumps(history.document(), default=str) + repr(history)
    assert "(sealed)" in shown
    sealed = next(d for d in book.all(Device) if d.tuya_id == "bf01").local_key
    for secret in (KEY, OTHER_KEY, sealed):
        assert secret not in shown


def test_as_of_shows_the_record_as_it_was(book):
    then_ms = book.clock.now_ms() - 1_500
    history = book.record_book.history("device", "bf01", as_of_ms=then_ms)
    assert history.as_of["name"] == "Second"
    assert history.as_of["asset"]["place"] is None
    assert values(history, "asset", "name") == ["Pump bf01", "Second"]
    only = book.record_book.history("device", "bf01", "name", then_ms)
    assert only.as_of == {"name": "Second", "asset": {"name": "Second"}}


def test_undo_takes_the_whole_last_transaction_back_and_again_the_one_before(book):
    undone = book.record_book.undo("device", "bf01")
    shown = book.directory.row("bf01")
    assert (shown.name, shown.place) == ("Second", ())
    assert undone.record["name"] == "Second"
    assert undone.operations
    book.record_book.undo("device", "bf01")
    assert book.directory.row("bf01").name == "Pump bf01"


def edit(book, device, **values):
    book.clock.advance(1)
    book.editing.edit(book.editing.seen(device), EditRequest(**values)).result(10)


def test_undo_of_a_field_takes_that_field_back_and_no_other(book):
    edit(book, "bf01", tags=["x"])
    book.record_book.undo("device", "bf01", "name")
    shown = book.directory.row("bf01")
    assert (shown.name, shown.place, shown.tags) == ("Second", ("Level 1",), ("x",))
    book.record_book.undo("device", "bf01", "name")
    assert book.directory.row("bf01").name == "Pump bf01"
    with pytest.raises(InvalidRequest) as caught:
        book.record_book.undo("device", "bf01", "name")
    assert caught.value.code == "record.nothing_to_undo"
    book.record_book.undo("device", "bf01")
    assert book.directory.row("bf01").tags == ()
    book.record_book.undo("device", "bf01")
    assert book.directory.row("bf01").place == ()


def test_undo_again_does_not_need_the_clock_to_have_moved(bench):
    bench.bring(row("bf01"))
    for name in ("One", "Two", "Three"):
        bench.editing.edit(bench.editing.seen("bf01"), EditRequest(name=name, tags=[name])).result(
            10
        )
    shown = []
    for _ in range(3):
        bench.record_book.undo("device", "bf01")
        shown.append((bench.directory.row("bf01").name, bench.directory.row("bf01").tags))
    assert shown == [("Two", ("Two",)), ("One", ("One",)), ("Pump bf01", ())]


def test_every_field_of_an_edit_goes_back(book):
    before = book.directory.row("bf02").document()
    edit(book, "bf02", name="N", place=["A", "B"], tags=["p", "q"], interval_s=60.0, paused=True)
    book.record_book.undo("device", "bf02")
    assert book.directory.row("bf02").document() == before


def test_a_place_made_for_one_device_stays_when_that_is_taken_back(book):
    edit(book, "bf01", place=["Attic"])
    edit(book, "bf02", place=["Attic"])
    book.record_book.undo("device", "bf01")
    assert book.directory.row("bf01").place == ("Level 1",)
    assert book.directory.row("bf02").place == ("Attic",)


def test_a_place_that_is_used_does_not_go_away(book):
    edit(book, "bf02", place=["Level 1"])
    with pytest.raises(Refused) as caught:
        book.record_book.undo("place", "Level 1")
    assert "2 assets still need" in caught.value.what
    assert book.directory.row("bf02").place == ("Level 1",)
    assert book.directory.row("bf01").name == "Third"


def test_taking_back_a_place_that_an_import_made_leaves_the_import_alone(bench):
    bench.bring(row("bf01", place=["Level 2"]), row("bf02"))
    with pytest.raises(Refused):
        bench.record_book.undo("place", "Level 2")
    assert len(bench.directory.rows()) == 2
    edit(bench, "bf01", place=[])
    bench.record_book.undo("place", "Level 2")
    assert bench.all(Place) == []
    assert len(bench.directory.rows()) == 2


def test_a_gateway_with_devices_behind_it_does_not_go_away(bench):
    bench.bring(row("gw01"), row("bf02", parent="gw01", node_id="1"))
    with pytest.raises(Refused) as caught:
        bench.record_book.undo("device", "gw01")
    assert "1 device still needs" in caught.value.what
    assert len(bench.directory.rows()) == 2


def test_a_site_with_devices_does_not_go_away(book):
    with pytest.raises(Refused):
        book.record_book.undo("site", "My building")
    assert len(book.directory.rows()) == 2


def test_undo_by_the_asset_takes_the_device_along(book):
    book.record_book.undo("asset", "Third")
    shown = book.directory.row("bf01")
    assert shown.name == "Second"
    assert book.directory.find("bf01").name == "Second"


def test_what_somebody_changed_since_is_not_taken_back(book):
    asset = book.directory.asset(book.directory.find("bf01"))
    stale = book.records.history("asset", asset.id, "name")[-2].tx
    with pytest.raises(Refused) as caught:
        book.by_person(lambda tx: tx.undo(stale, fields={"name"}))
    assert "changed since" in caught.value.what


def test_a_sealed_field_goes_back_alone_and_still_opens(book):
    book.clock.advance(1)
    book.bring(row("bf01", key=OTHER_KEY))
    book.record_book.undo("device", "bf01", "local_key")
    device = book.directory.find("bf01")
    assert book.store.open_field(device, "local_key") == KEY


def test_how_it_was_before_it_was_is_a_sentence(book):
    with pytest.raises(InvalidRequest) as caught:
        book.record_book.history("device", "bf01", as_of_ms=1_000)
    assert caught.value.code == "record.not_yet"


def test_undo_of_an_import_leaves_the_other_devices_alone(book):
    book.clock.advance(1)
    book.bring(row("bf01", ip="127.9.0.71"), row("bf02", ip="127.9.0.72"))
    book.record_book.undo("device", "bf01")
    assert book.directory.row("bf01").ip == "127.9.0.1"
    assert book.directory.row("bf02").ip == "127.9.0.72"
    book.record_book.undo("device", "bf02")
    book.record_book.undo("device", "bf02")
    assert [shown.id for shown in book.directory.rows()] == ["bf01"]


def test_as_of_restores_the_record_and_its_asset(book):
    book.record_book.undo("device", "bf01", as_of_ms=book.clock.now_ms() - 1_500)
    shown = book.directory.row("bf01")
    assert (shown.name, shown.place) == ("Second", ())


def test_as_of_with_a_field_restores_that_field_alone(book):
    book.record_book.undo("device", "bf01", "name", as_of_ms=book.clock.now_ms() - 1_500)
    shown = book.directory.row("bf01")
    assert (shown.name, shown.place) == ("Second", ("Level 1",))


def test_other_kinds_are_found_by_id_and_by_name(book):
    place = book.all(Place)[0]
    for text in (place.id, "level 1"):
        assert book.record_book.history("place", text).id == place.id
    assert book.record_book.history("site", "My building").items


@pytest.mark.parametrize(
    ("kind", "text", "field", "as_of_ms"),
    [
        ("boat", "bf01", None, None),
        ("device", "nothing", None, None),
        ("place", "nowhere", None, None),
        ("device", "bf01", "colour", None),
        ("device", "bf01", None, 1_000),
        ("device", "bf01", "name", 1_000),
        ("device", "bf02", "name", None),
        ("remark", "x", None, None),
    ],
)
def test_what_cannot_be_undone_is_said(book, kind, text, field, as_of_ms):
    with pytest.raises(InvalidRequest) as caught:
        book.record_book.undo(kind, text, field, as_of_ms)
    assert caught.value.do


def test_when_everything_is_taken_back_there_is_nothing_left_to_undo(bench):
    bench.bring(row())
    place = bench.by_person(lambda tx: tx.create("place", bench.all(Device)[0].site, name="Attic"))
    bench.record_book.undo("place", place)
    with pytest.raises(InvalidRequest) as caught:
        bench.record_book.undo("place", place)
    assert caught.value.code == "record.nothing_to_undo"


def test_a_device_taken_back_with_its_import_can_be_put_back_by_time(book):
    there_ms = book.clock.now_ms()
    book.clock.advance(1)
    book.record_book.undo("device", "bf02")
    assert [shown.id for shown in book.directory.rows()] == ["bf01"]
    book.clock.advance(1)
    undone = book.record_book.undo("device", "bf02", as_of_ms=there_ms)
    assert len(undone.operations) == 3
    assert book.directory.row("bf02").name == "Pump bf02"


def test_undoing_three_steps_deep_ends_before_the_first(book):
    for _ in range(3):
        book.clock.advance(1)
        book.record_book.undo("device", "bf01")
    assert [shown.id for shown in book.directory.rows()] == ["bf02"]


def test_a_change_made_after_an_undo_is_the_next_to_go(book):
    book.record_book.undo("device", "bf01")
    book.clock.advance(1)
    book.editing.edit(book.editing.seen("bf01"), EditRequest(name="Fourth")).result(10)
    book.clock.advance(1)
    book.record_book.undo("device", "bf01")
    assert book.directory.row("bf01").name == "Second"
