"""Importing: what comes in, what is compared, what a person's hand keeps."""

import json
import sqlite3

import pytest
from fakes.bench import KEY, OWNER, row

from app.domain.errors import Cancelled, InvalidRequest
from app.domain.ids import natural_id
from app.records.kinds import Asset, Binding, Device, Place, Site
from app.runtime.jobs import Job
from app.services import importing
from app.services.importing import Importing, NewSite
from app.services.zone import local_zone

OTHER_KEY = "other-key-456789"


def results(result):
    return [item.result for item in result.items]


def test_a_new_device_comes_with_a_site_an_asset_and_a_binding(bench):
    result = bench.bring(row(place=["Level 2", "Comms 2.14"]))
    assert (result.counts()["added"], result.exit_code) == (1, 0)
    site = bench.all(Site)[0]
    device, asset, binding = bench.all(Device)[0], bench.all(Asset)[0], bench.all(Binding)[0]
    assert device.id == natural_id(site.id, "device", "bf01")
    assert (asset.name, asset.category) == ("Pump bf01", "cz")
    assert (binding.asset, binding.device) == (asset.id, "bf01")
    assert bench.registry.now().place_names(asset.place) == ["Level 2", "Comms 2.14"]
    assert [place.kind for place in bench.all(Place)] in (["floor", "room"], ["room", "floor"])


@pytest.mark.parametrize(
    ("wanted", "made"),
    [
        (NewSite("Harbour House", "Europe/Lisbon"), ("Harbour House", "Europe/Lisbon")),
        (NewSite(" ", "Mars/Olympus"), ("My building", local_zone())),
    ],
)
def test_the_first_site_is_made_as_wanted_where_that_can_be(bench, wanted, made):
    Importing(
        records=bench.records, registry=bench.registry, open_field=bench.store.open_field,
        jobs=bench.jobs, clock=bench.clock, actor=lambda: OWNER, site=wanted,
    ).run(bench.write(row()))  # fmt: skip
    (site,) = bench.all(Site)
    assert (site.name, site.zone) == made


def test_the_same_file_again_changes_nothing(bench):
    rows = [
        row("bf01"),
        row("bf02"),
        {"id": "c1", "name": "Door", "parent": "bf01", "node_id": "n"},
    ]
    assert results(bench.bring(*rows)) == ["added"] * 3
    before = bench.store.audit.verify().links
    assert results(bench.bring(*rows)) == ["unchanged"] * 3
    assert bench.store.audit.verify().links == before + 1  # the journal line of the import


def test_machine_facts_follow_the_file(bench):
    bench.bring(row())
    found = bench.bring(row(key=OTHER_KEY, ip="127.9.0.77", version="3.5"))
    assert found.items[0].sentence == "Changed: ip, key, version."
    device = bench.all(Device)[0]
    assert (device.ip, device.version) == ("127.9.0.77", "3.5")
    assert bench.store.open_field(device, "local_key") == OTHER_KEY


def test_a_snapshot_without_keys_and_names_takes_nothing_away(bench):
    bench.bring(row(port=7001))
    bench.bring({"id": "bf01", "key": "", "name": "", "ip": "", "ver": ""})
    device = bench.all(Device)[0]
    assert (device.name, device.ip, device.port) == ("Pump bf01", "127.9.0.1", 7001)
    assert bench.store.open_field(device, "local_key") == KEY


def test_a_name_follows_the_file_until_a_person_gives_one(bench):
    bench.bring(row(name="First"))
    assert results(bench.bring(row(name="Second"))) == ["changed"]
    assert bench.all(Asset)[0].name == "Second"
    device, asset = bench.all(Device)[0], bench.all(Asset)[0]
    bench.by_person(lambda tx: (tx.edit(device, name="Mine"), tx.edit(asset, name="Mine")))
    assert results(bench.bring(row(name="Third"))) == ["unchanged"]
    assert (bench.all(Device)[0].name, bench.all(Asset)[0].name) == ("Mine", "Mine")


def test_a_place_a_person_gave_is_not_moved_by_the_file(bench):
    bench.bring(row(place=["Level 1"]))
    asset = bench.all(Asset)[0]
    bench.by_person(lambda tx: tx.edit(asset, place=None))
    bench.bring(row(place=["Level 1"]))
    assert bench.all(Asset)[0].place is None


def test_rows_that_cannot_be_held_are_skipped_and_the_others_are_in(bench):
    result = bench.bring(
        5,
        row("bf01"),
        row("bf02", key=""),
        {"id": "c1", "parent": "gone", "node_id": "n"},
        {"id": "c2", "parent": "bf02", "node_id": "n"},
        {"id": "c3", "parent": "bf01", "node_id": "n"},
    )
    assert results(result) == ["skipped", "added", "skipped", "skipped", "skipped", "added"]
    assert [item.row for item in result.items] == [1, 2, 3, 4, 5, 6]
    assert result.exit_code == 4
    assert {device.tuya_id for device in bench.all(Device)} == {"bf01", "c3"}


def test_places_of_one_name_are_one_place_whatever_the_case(bench):
    bench.bring(row("bf01", place=["Level 2"]), row("bf02", place=["LEVEL 2", "Room"]))
    bench.bring(row("bf03", place=["level 2", "room"]))
    assert len(bench.all(Place)) == 2


def test_a_place_renamed_by_a_person_is_left_alone_and_a_new_one_made(bench):
    bench.bring(row("bf01", place=["Level 2"]))
    place = bench.all(Place)[0]
    bench.by_person(lambda tx: tx.edit(place, name="Second floor"))
    bench.bring(row("bf02", place=["Level 2"]))
    assert sorted(place.name for place in bench.all(Place)) == ["Level 2", "Second floor"]


def test_a_deleted_device_comes_back_with_its_asset(bench):
    bench.bring(row())
    family = [bench.all(kind)[0] for kind in (Binding, Asset, Device)]
    bench.by_person(lambda tx: [tx.delete(record) for record in family])
    assert bench.directory.rows() == []
    assert results(bench.bring(row(name="Back", ip="127.9.0.50"))) == ["added"]
    back = bench.directory.rows()[0]
    assert (back.name, back.ip) == ("Back", "127.9.0.50")


def test_a_retired_device_stays_retired(bench):
    bench.bring(row())
    device = bench.all(Device)[0]
    bench.by_person(lambda tx: tx.edit(device, retired=True))
    assert results(bench.bring(row(name="X"))) == ["unchanged"]
    assert bench.directory.rows() == []


def test_an_empty_list_makes_no_site(bench):
    assert bench.bring().document() == {
        "added": 0, "changed": 0, "unchanged": 0, "skipped": 0, "items": [],
    }  # fmt: skip
    assert bench.all(Site) == []


def test_a_bad_file_leaves_nothing_behind(bench):
    path = bench.folder / "inv.json"
    path.write_text("nonsense")
    with pytest.raises(InvalidRequest):
        bench.importing.run(path)
    assert bench.store.audit.verify().links == 0


def test_an_import_is_a_job_and_a_journal_line_that_names_only_the_file(bench):
    job = bench.importing.start(bench.write(row("bf01"), row("bf02")))
    assert job.result(20).counts()["added"] == 2
    site = bench.all(Site)[0]
    note = bench.records.notes(site.id)[0]
    assert note.event == "inventory.import"
    assert note.data["file"] == "inv.json"
    assert note.data["added"] == 2


def test_a_cancelled_import_keeps_the_batches_that_were_written(bench, monkeypatch):
    monkeypatch.setattr(importing, "BATCH_ROWS", 2)

    class Impatient(Job):
        def step(self, progress=None, text=""):
            if progress:
                self.cancel()
            super().step(progress, text)

    with pytest.raises(Cancelled):
        bench.importing.run(bench.write(*(row(f"bf{n:02}") for n in range(6))), Impatient("x"))
    assert len(bench.all(Device)) == 2
    assert bench.records.notes(bench.all(Site)[0].id)[0].data["added"] == 2


def test_keys_are_sealed_before_they_touch_the_disk(bench):
    bench.bring(row(), {"id": "c1", "parent": "bf01", "node_id": "n", "key": OTHER_KEY})
    bench.store.stop()
    bench.store.start()
    files = [path for path in bench.folder.iterdir() if path.name != "inv.json" and path.is_file()]
    assert len(files) >= 2
    for path in files:
        content = path.read_bytes()
        assert KEY.encode() not in content, path
        assert OTHER_KEY.encode() not in content, path
    with sqlite3.connect(bench.folder / "console.db") as plain:
        sealed = plain.execute("SELECT local_key FROM device").fetchall()
    plain.close()
    assert all(value and KEY not in value for (value,) in sealed)


def test_a_large_file_goes_in_by_batches(bench, monkeypatch):
    monkeypatch.setattr(importing, "BATCH_ROWS", 7)
    mapping = {"1": {"code": "switch_1", "type": "Boolean", "values": {}}}
    rows = [row(f"bf{n:02}", mapping=mapping, place=[f"Level {n % 3}"]) for n in range(20)]
    assert bench.bring(*rows).counts()["added"] == 20
    assert len(bench.all(Place)) == 3
    assert json.dumps(bench.bring(*rows).document())
