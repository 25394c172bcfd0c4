"""Every command of these groups: documents, words and exit codes, over real services."""

import json
from argparse import ArgumentParser
from types import SimpleNamespace

import pytest
from fakes.bench import KEY, row, running_bench

from app.cli import audit, device, devices, history, records
from app.domain.errors import InvalidRequest
from app.domain.readings import Reading
from app.domain.words import Connection, Outcome
from app.records.kinds import Device
from app.store.audit import AuditReport, Broken

GROUPS = (audit, device, devices, history, records)


@pytest.fixture
def bench(tmp_path):
    """The services, running."""
    with running_bench(tmp_path) as running:
        yield running


@pytest.fixture
def call(bench):
    """Runs a command line of one of the groups; the document is checked to be JSON."""

    def call(*words):
        command = next(c for group in GROUPS for c in group.COMMANDS if c.path == words[:2])
        parser = ArgumentParser()
        command.configure(parser)
        reply = command.handle(bench, parser.parse_args(words[2:]))
        document = json.loads(json.dumps(reply.document, allow_nan=False))
        assert reply.text
        for shown in (json.dumps(document), reply.text):
            assert KEY not in shown
        return document, reply.text, reply.exit_code

    return call


@pytest.fixture
def pump(bench, call):
    """One device that is online."""
    call("devices", "import", str(bench.write(row())))
    bench.link.say("bf01", Connection.ONLINE)
    return bench


def test_an_empty_profile_lists_nothing_and_is_not_an_error(call):
    document, text, code = call("devices", "list")
    assert document == {"items": [], "total": 0, "next": None, "configured": False}
    assert (code, "import" in text) == (0, True)
    assert call("audit", "verify")[0] == {"ok": True, "links": 0, "broken": None}


def test_import_says_what_became_of_every_row(bench, call):
    document, text, code = call("devices", "import", str(bench.write(row(), 5)))
    assert (document["added"], document["skipped"], code) == (1, 1, 4)
    assert document["items"][1] == {
        "row": 2, "id": "", "result": "skipped", "sentence": "The row is a number, not a device.",
    }  # fmt: skip
    assert "Row 2" in text
    assert call("devices", "import", str(bench.write(row())))[2] == 0


def test_list_shows_names_words_and_values(pump, call):
    pump.live.publish([Reading("bf01", "19", 623, 1)])
    document, text, _ = call("devices", "list")
    assert (document["total"], document["configured"]) == (1, True)
    assert document["items"][0]["points"][0]["value"] == 62.3
    for word in ("Pump bf01", "online", "cur_power 62.3 W", "1 device"):
        assert word in text


def test_listening_holds_no_device_and_asking_a_range_needs_the_keys_of_all(bench, call):
    call("devices", "scan")
    assert bench.engaged == []
    bench.engaged = []
    call("devices", "scan", "--range", "10.0.0.0/30")
    assert bench.engaged is None


def test_scan_lists_what_it_found(call):
    document, text, code = call("devices", "scan", "--range", "10.0.0.0/30")
    assert (document["total"], document["configured"], code) == (2, False, 0)
    assert set(document["items"][0]) == {"id", "ip", "version", "product_id", "known"}
    assert "10.0.0.9" in text
    with pytest.raises(InvalidRequest):
        call("devices", "scan", "--range", "everything")


def test_read_engages_the_device_and_shows_its_points(pump, call):
    pump.link.answers = (("19", 623), ("1", False))
    document, text, _ = call("device", "read", "Pump bf01")
    assert (document["device"], document["path"], len(document["points"])) == ("bf01", "lan", 2)
    assert pump.engaged == ["bf01"]
    assert "62.3 W" in text


def test_a_sub_device_is_engaged_with_its_gateway(pump, call):
    pump.bring(row(), {"id": "c1", "name": "Door", "parent": "bf01", "node_id": "n"})
    pump.link.say("c1", Connection.ONLINE)
    pump.link.answers = (("1", True),)
    call("device", "read", "Door", "dp:1")
    assert pump.engaged == ["c1", "bf01"]


def test_set_exits_with_0_only_when_confirmed(pump, call):
    document, text, code = call("device", "set", "bf01", "switch_1", "on")
    assert set(document) == {"device", "point", "asked", "reported", "outcome", "took_ms", "reason"}
    assert (document["outcome"], code, "confirmed" in text) == ("confirmed", 0, True)
    pump.link.outcome = Outcome.UNCONFIRMED
    assert call("device", "set", "bf01", "temp_set", "21.5")[2] == 4
    pump.by_person(lambda tx: tx.edit(pump.all(Device)[0], paused=True))
    document, _, code = call("device", "set", "bf01", "switch_1", "off")
    assert (document["outcome"], code) == ("refused", 5)


def test_a_value_that_cannot_be_is_refused_before_a_connection_is_opened(pump, call):
    pump.engaged = None
    for point, value in (("temp_set", "900"), ("nothing", "1"), ("cur_power", "3")):
        with pytest.raises(InvalidRequest):
            call("device", "set", "bf01", point, value)
    assert pump.engaged is None


def test_diagnose_ends_in_a_sentence_and_a_next_step(pump, call):
    document, text, code = call("device", "diagnose", "bf01")
    assert set(document) == {"verdict", "sentence", "next", "steps"}
    assert set(document["steps"][0]) == {"check", "result", "evidence"}
    assert (code, "It is fine." in text) == (0, True)


def test_edit_changes_what_is_said_and_shows_the_device(pump, call):
    document, text, _ = call(
        "device", "edit", "bf01", "--name", "Fan", "--place", "Level 2/Plant", "--tags", "a,b",
        "--interval", "60", "--pause",
    )  # fmt: skip
    assert (document["name"], document["place"], document["tags"]) == (
        "Fan", ["Level 2", "Plant"], ["a", "b"],
    )  # fmt: skip
    assert (document["interval_s"], document["paused"], "Fan" in text) == (60.0, True, True)
    document, _, _ = call("device", "edit", "Fan", "--resume", "--tags=-a", "--place", "")
    assert (document["paused"], document["tags"], document["place"]) == (False, ["b"], [])
    with pytest.raises(InvalidRequest):
        call("device", "edit", "Fan")


def test_history_and_undo_of_a_record(pump, call):
    pump.clock.advance(5)
    call("device", "edit", "bf01", "--name", "Fan")
    document, text, _ = call("record", "history", "device", "bf01", "--field", "name")
    assert [i["value"] for i in document["items"] if i["kind"] == "asset"] == ["Pump bf01", "Fan"]
    assert "device.name" in text
    call("device", "edit", "bf01", "--place", "Level 1/Plant")
    assert "Level 1, Plant" in call("record", "history", "device", "bf01")[1]
    call("record", "undo", "device", "bf01")
    assert "edit, taken back" in call("record", "history", "device", "bf01")[1]
    before_s = str(pump.clock.now_ms() / 1000 - 2)
    document, text, _ = call("record", "history", "device", "bf01", "--as-of", before_s)
    assert document["as_of"]["name"] == "Pump bf01"
    assert "As of" in text
    assert "asset.name" in text
    document, text, _ = call("record", "undo", "device", "bf01")
    assert (document["record"]["name"], "Undone" in text) == ("Pump bf01", True)
    assert "Nothing differed" in call("record", "undo", "asset", "bf01", "--as-of", before_s)[1]


def test_audit_names_the_first_broken_link_and_exits_with_4(pump, call):
    document, text, code = call("audit", "verify")
    assert (document["ok"], document["broken"], code) == (True, None, 0)
    assert "whole" in text
    report = AuditReport(False, 3, Broken("c:1", "It was changed."))
    whole, pump.store.audit = pump.store.audit, SimpleNamespace(verify=lambda: report)
    document, text, code = call("audit", "verify")
    pump.store.audit = whole
    assert document["broken"] == {"operation": "c:1", "sentence": "It was changed."}
    assert (code, text) == (4, "c:1: It was changed.")


def test_a_cut_fails_the_audit_once_and_is_named_as_repaired_ever_after(pump, call):
    cut = {"reached": 3, "anchor": 5, "put_back": 2}
    pump.by_person(lambda tx: tx.note("journal.cut", "console", cut))
    document, text, code = call("audit", "verify")
    assert (document["ok"], code) == (False, 4)
    assert "reached line 3 of 5" in document["broken"]["sentence"]
    for _ in range(2):
        document, text, code = call("audit", "verify")
        assert (document["ok"], document["broken"], code) == (True, None, 0)
        assert "reached line 3 of 5" in document["repaired"][0]["sentence"]
        assert "Repaired" in text


def test_history_query_and_stats(pump, call):
    now_ms = pump.clock.now_ms()
    pump.history.set_routes(pump.directory.routes())
    pump.history.put([Reading("bf01", "19", n, now_ms - 5_000 + n) for n in (10, 20)])
    span = ("--from", str(now_ms / 1000 - 60), "--to", str(now_ms / 1000))
    document, text, _ = call("history", "query", "bf01", "cur_power", *span)
    assert [item[1:] for item in document["items"]] == [[1.0, "good", "lan"], [2.0, "good", "lan"]]
    assert "cur_power in W: 2 rows" in text
    document, _, _ = call("history", "query", "bf01", "cur_power", *span, "--step", "3600")
    assert len(document["items"][0]) == 6
    document, _, _ = call("history", "stats", "bf01", "cur_power", *span)
    assert set(document) == {"count", "first", "last", "min", "max", "mean"}
    assert (document["count"], document["max"]) == (2, 2.0)
    assert "Nothing" in call("history", "query", "bf01", "switch_1", *span)[1]
    with pytest.raises(InvalidRequest):
        call("history", "query", "bf01", "cur_power", "--from", "yesterday")
