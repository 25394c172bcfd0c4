"""The directory: rows, finding, specs and routes."""

import contextlib

import pytest
from fakes.bench import KEY, row
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import InvalidRequest, StoreFault
from app.domain.readings import Reading
from app.domain.words import Connection, Path, Quality
from app.records.kinds import Asset, Binding, Device


def test_an_empty_profile_has_no_rows(bench):
    assert bench.directory.rows() == []
    assert bench.directory.specs() == []
    assert bench.directory.routes() == {}


def test_a_device_nobody_holds_is_shown_as_it_was_last_observed(bench):
    bench.bring(row())
    bench.link = None
    assert bench.directory.rows()[0].connection is Connection.NEVER_SEEN
    bench.history.observe("bf01", {"connection": "offline", "ip": "127.9.0.8", "19": 623}, 5_000)
    bench.directory.forget_observed()
    shown = bench.directory.rows()[0]
    assert (shown.connection, shown.since_ms, shown.ip) == (Connection.OFFLINE, 5_000, "127.9.0.8")
    power = shown.point("19")
    assert (power.value, power.unit, power.at_ms) == (62.3, "W", 5_000)
    assert power.quality is Quality.STALE


def test_a_word_from_a_newer_program_is_not_believed(bench):
    bench.bring(row())
    bench.link = None
    bench.history.observe("bf01", {"connection": "teleported"}, 5_000)
    assert bench.directory.rows()[0].connection is Connection.NEVER_SEEN


def test_live_values_are_scaled_and_the_headline_comes_first(bench):
    bench.bring(row())
    bench.link.say("bf01", Connection.ONLINE, path=Path.LAN, ip="127.9.0.1", sentence="Good.")
    bench.live.publish([Reading("bf01", "19", 623, 7_000), Reading("bf01", "77", "x", 7_001)])
    shown = bench.directory.rows()[0]
    assert (shown.points[0].label, shown.points[0].value) == ("cur_power", 62.3)
    assert (shown.health, shown.reasons, shown.path) == ("normal", (), Path.LAN)
    assert shown.point("77").label == "dp:77"
    bench.live.publish([Reading("bf01", "19", 700, 8_000)])
    assert bench.directory.rows()[0].points[0].value == 70.0


def test_values_of_a_device_that_went_away_are_stale_and_the_reason_is_said(bench):
    bench.bring(row())
    bench.live.publish([Reading("bf01", "19", 623, 7_000)])
    bench.link.say("bf01", Connection.OFFLINE, sentence="It does not answer at 127.9.0.1.")
    shown = bench.directory.rows()[0]
    assert shown.point("19").quality is Quality.STALE
    assert (shown.health, shown.reasons) == ("offline", ("It does not answer at 127.9.0.1.",))


def test_a_row_that_did_not_change_is_the_same_object(bench):
    bench.bring(row())
    bench.link.say("bf01", Connection.ONLINE)
    bench.live.publish([Reading("bf01", "19", 623, 7_000)])
    assert bench.directory.rows()[0] is bench.directory.rows()[0]


def test_documents_have_the_keys_and_the_times_of_the_contract(bench):
    bench.bring(row(place=["Level 2"]))
    bench.link.say("bf01", Connection.ONLINE, last_report_ms=1_500)
    document = bench.directory.rows()[0].document()
    wanted = "id asset name site place tags category profile connection since path health reasons"
    wanted += " ip port version parent last_report next_expected points"
    assert set(wanted.split()) <= set(document)
    assert document["last_report"] == "1970-01-01T00:00:01.500Z"
    assert document["place"] == ["Level 2"]
    wanted = "dp code name value unit at quality writable class"
    assert set(wanted.split()) == set(document["points"][0])


def test_a_device_is_found_by_any_id_by_name_and_by_label(bench):
    bench.bring(row("bf01"), row("bf02"))
    asset = next(a for a in bench.all(Asset) if a.name == "Pump bf02")
    bench.by_person(lambda tx: tx.edit(asset, label="QR-17"))
    device = next(d for d in bench.all(Device) if d.tuya_id == "bf02")
    for text in ("bf02", device.id, asset.id, "Pump bf02", " pump BF02 ", "qr-17"):
        assert bench.directory.find(text).tuya_id == "bf02"


def test_a_name_two_devices_have_names_both_and_picks_none(bench):
    bench.bring(row("bf01", name="Fan", place=["Level 1"]), row("bf02", name="fan"))
    with pytest.raises(InvalidRequest) as caught:
        bench.directory.find("Fan")
    assert caught.value.code == "device.ambiguous"
    assert "bf01 (Level 1)" in caught.value.what
    assert "bf02" in caught.value.what


def test_an_unknown_name_says_where_to_look(bench):
    with pytest.raises(InvalidRequest) as caught:
        bench.directory.find("nothing")
    assert caught.value.code == "device.unknown"


def test_points_are_found_by_code_and_by_number(bench):
    bench.bring(row())
    device = bench.directory.find("bf01")
    assert bench.directory.point(device, "CUR_POWER").dp == "19"
    assert bench.directory.point(device, "dp:19").code == "cur_power"
    assert bench.directory.point(device, "dp:101").code == ""
    for wrong in ("dp:0", "dp:256", "dp:x", "dp:", "volts", ""):
        with pytest.raises(InvalidRequest):
            bench.directory.point(device, wrong)


def test_specs_open_the_keys_and_show_them_to_nobody(bench):
    bench.bring(row("bf01"), {"id": "c1", "name": "C", "parent": "bf01", "node_id": "n7"})
    specs = {spec.device: spec for spec in bench.directory.specs()}
    assert specs["bf01"].key == KEY.encode()
    assert specs["c1"].key == KEY.encode()
    assert (specs["c1"].parent, specs["c1"].cid) == ("bf01", "n7")
    assert specs["bf01"].points["19"].unit == "W"
    assert KEY not in repr(specs)
    assert KEY not in repr(vars(bench.directory))


def test_specs_carry_what_an_earlier_run_learned(bench):
    bench.bring(row())
    bench.history.observe("bf01", {"learned_interval_s": 3600.0, "last_report_ms": 9_000}, 9_000)
    spec = bench.directory.specs()[0]
    assert (spec.learned_interval_s, spec.last_report_ms) == (3600.0, 9_000)


def test_retired_devices_are_neither_shown_nor_held(bench):
    bench.bring(row())
    device = bench.all(Device)[0]
    bench.by_person(lambda tx: tx.edit(device, retired=True))
    assert bench.directory.rows() == []
    assert bench.directory.specs() == []


def test_a_paused_device_stays_in_the_list_and_says_so(bench):
    bench.bring(row())
    device = bench.all(Device)[0]
    bench.by_person(lambda tx: tx.edit(device, paused=True))
    bench.link = None
    assert bench.directory.rows()[0].connection is Connection.PAUSED
    assert bench.directory.specs()[0].paused


def test_routes_name_points_by_code_and_bindings_have_the_last_word(bench):
    bench.bring(row())
    binding = bench.all(Binding)[0]
    route = bench.directory.routes()["bf01"]
    assert (route.asset, route.name("19"), route.name("77")) == (
        binding.asset, "cur_power", "dp:77",
    )  # fmt: skip
    bench.by_person(lambda tx: tx.edit(binding, points={"19": "power"}))
    assert bench.directory.routes()["bf01"].name("19") == "power"


def test_an_ended_binding_no_longer_counts(bench):
    bench.bring(row())
    binding = bench.all(Binding)[0]
    bench.by_person(lambda tx: tx.edit(binding, until_ms=bench.clock.now_ms()))
    assert bench.directory.routes() == {}
    assert bench.directory.rows()[0].asset is None


@pytest.mark.logs_errors
def test_one_key_that_cannot_be_opened_does_not_hide_the_others(bench):
    bench.bring(row("bf01"), row("bf02"))
    good = bench.directory._facts._open_field

    def broken(record, name):
        if record.tuya_id == "bf01":
            raise StoreFault("secrets.not_opened", "Sealed elsewhere.")
        return good(record, name)

    bench.directory._facts._open_field = broken
    keys = {spec.device: spec.key for spec in bench.directory.specs()}
    assert keys == {"bf01": b"", "bf02": KEY.encode()}


def test_no_point_text_does_worse_than_a_sentence(bench):
    bench.bring(row())
    device = bench.directory.find("bf01")

    @given(st.text(max_size=30) | st.from_regex(r"dp:\d{1,9}", fullmatch=True))
    def check(text):
        with contextlib.suppress(InvalidRequest):
            assert 0 < int(bench.directory.point(device, text).dp) <= 255

    check()
