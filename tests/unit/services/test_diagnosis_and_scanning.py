"""Diagnosis walks from the records to the network; scanning tells known from unknown."""

import pytest
from fakes.bench import KEY, row

from app.domain.errors import InvalidRequest
from app.domain.words import Connection
from app.records.kinds import Device, Site
from app.services.health import health_of, sentence_of
from app.services.scanning import Scanning, check_range
from app.services.zone import local_zone


def test_a_diagnosis_begins_with_the_records_and_ends_with_what_was_tried(bench):
    bench.bring(row())
    document = bench.diagnosis.examine("Pump bf01").document()
    assert (document["verdict"], document["sentence"]) == ("online", "It is fine.")
    assert [step["check"] for step in document["steps"]] == [
        "local key recorded", "address recorded", "reachability",
    ]  # fmt: skip
    assert KEY not in repr(document)


def test_a_device_to_be_left_alone_is_not_contacted(bench):
    bench.bring(row())
    device = bench.all(Device)[0]
    bench.by_person(lambda tx: tx.edit(device, paused=True))
    bench.link = None
    result = bench.diagnosis.examine("bf01")
    assert result.verdict is Connection.PAUSED
    assert "--resume" in result.next


def test_a_device_of_a_site_elsewhere_is_not_contacted(bench):
    bench.bring(row(ip="10.0.0.7"))
    site = bench.all(Site)[0]
    bench.by_person(lambda tx: tx.edit(site, network=["gateway 1"]))
    bench.link.fingerprint = ("gateway 2",)
    assert bench.diagnosis.examine("bf01").verdict is Connection.NOT_HERE


def test_a_scan_says_which_devices_are_known(bench):
    bench.bring(row())
    found = Scanning(directory=bench.directory, link=lambda: bench.link).scan("10.0.0.0/24")
    assert [f.document() for f in found] == [
        {"id": "x", "ip": "10.0.0.8", "version": None, "product_id": None, "known": False},
        {"id": "bf01", "ip": "10.0.0.9", "version": "3.4", "product_id": "p", "known": True},
    ]
    assert bench.link.scanned == "10.0.0.0/24"


@pytest.mark.parametrize("text", ["", "x", "10.0.0.0/8", "::/64", "10.0.0.0/99", "300.0.0.0/24"])
def test_a_range_that_is_none_or_too_large_is_refused(text):
    with pytest.raises(InvalidRequest):
        check_range(text)


def test_a_host_inside_a_range_stands_for_the_range():
    assert check_range(" 192.168.4.17/24 ") == "192.168.4.0/24"


@pytest.mark.parametrize("word", list(Connection))
def test_every_connection_word_has_a_health_and_a_sentence(word):
    assert health_of(word) in ("normal", "offline", "unknown")
    assert sentence_of(word).endswith(".")


def test_the_computers_zone_comes_from_where_it_is_said(tmp_path):
    none = tmp_path / "none"
    said = tmp_path / "timezone"
    said.write_text("Europe/Vienna\n")
    assert local_zone({"TZ": ":Asia/Tokyo"}, said, none) == "Asia/Tokyo"
    assert local_zone({}, said, none) == "Europe/Vienna"
    assert local_zone({"TZ": "../../etc/passwd"}, none, none) == "UTC"
    link = tmp_path / "localtime"
    target = tmp_path / "zoneinfo" / "Africa"
    target.mkdir(parents=True)
    (target / "Nairobi").touch()
    link.symlink_to(target / "Nairobi")
    assert local_zone({}, none, link) == "Africa/Nairobi"
