"""Editing: name, place, tags, expected interval, leave alone."""

import pytest
from fakes.bench import row

from app.domain.errors import InvalidRequest
from app.records.kinds import Asset, Binding, Device, Place
from app.services.editing import EditRequest, changed_tags


@pytest.fixture
def edit(bench):
    """Edits the one device there is and gives its row."""
    bench.bring(row())

    def edit(**request):
        bench.editing.edit(bench.editing.seen("bf01"), EditRequest(**request)).result(10)
        return bench.directory.row("bf01")

    edit.bench = bench
    return edit


def test_a_name_goes_to_the_device_and_its_asset_in_one_transaction(edit):
    assert edit(name="  Chilled   water pump ").name == "Chilled water pump"
    device, asset = edit.bench.all(Device)[0], edit.bench.all(Asset)[0]
    assert device.name == asset.name == "Chilled water pump"
    last = [edit.bench.records.history(k, r.id, "name")[-1].tx for k, r in
            (("device", device), ("asset", asset))]  # fmt: skip
    assert last[0] == last[1]


def test_a_place_is_made_once_and_can_be_taken_away(edit):
    assert edit(place=["Level 2", "Comms 2.14"]).place == ("Level 2", "Comms 2.14")
    assert edit(place=["level 2"]).place == ("Level 2",)
    assert len(edit.bench.all(Place)) == 2
    assert edit(place=[]).place == ()


def test_tags_interval_and_pause_are_kept(edit):
    shown = edit(tags=["hvac", "critical", "hvac"], interval_s=3600.0, paused=True)
    assert (shown.tags, shown.interval_s, shown.paused) == (("critical", "hvac"), 3600.0, True)
    shown = edit(interval_s=0.0, paused=False)
    assert (shown.interval_s, shown.paused) == (None, False)


def test_what_is_not_mentioned_stays(edit):
    edit(name="A", tags=["x"])
    shown = edit(interval_s=60.0)
    assert (shown.name, shown.tags) == ("A", ("x",))


@pytest.mark.parametrize("interval_s", [-1, 0.5, float("nan"), float("inf"), 1e12])
def test_an_interval_that_cannot_be_is_refused(edit, interval_s):
    with pytest.raises(InvalidRequest):
        edit(interval_s=interval_s)


def test_an_empty_name_is_refused(edit):
    with pytest.raises(InvalidRequest):
        edit(name=" \x00 ")


def test_a_device_without_an_asset_has_no_place_or_tags_but_a_name(edit):
    binding = edit.bench.all(Binding)[0]
    edit.bench.by_person(lambda tx: tx.delete(binding))
    assert edit(name="Loose").name == "Loose"
    for request in ({"tags": ["x"]}, {"place": ["Level 1"]}):
        with pytest.raises(InvalidRequest):
            edit(**request)


def test_an_edit_says_what_its_author_had_seen(edit):
    early = edit.bench.editing.seen("bf01")
    edit(name="Meanwhile")
    edit.bench.editing.edit(early, EditRequest(name="From an old form")).result(10)
    asset = edit.bench.all(Asset)[0]
    assert {asset.name, *(value for _, value in asset.also["name"])} == {
        "Meanwhile", "From an old form",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("c, a", ("a", "c")),
        ("+c,-a", ("b", "c")),
        ("", ()),
        ("-b", ("a",)),
        ("+a", ("a", "b")),
        ("x,-a", ("-a", "x")),
    ],
)
def test_tags_are_a_set_that_is_replaced_or_changed(text, tags):
    assert changed_tags(text, ("a", "b")) == tags
