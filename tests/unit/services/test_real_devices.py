"""The services over the real engine and a simulated building: sockets from end to end."""

import logging
import threading

import pytest
from fakes.bench import running_bench
from fakes.building import running_building

from app.domain.errors import ConsoleError
from app.domain.words import Connection, Outcome
from app.lan.link import LanLink
from app.lan.pacing import Politeness
from app.runtime.clock import SystemClock
from app.services.editing import EditRequest
from app.services.scanning import Scanning

TIMEOUT_S = 15.0


@pytest.fixture(scope="module")
def building(tmp_path_factory):
    """Twelve devices, one a gateway, that push now and then."""
    folder = tmp_path_factory.mktemp("building")
    with running_building(devices=12, gateways=1, export=folder / "inv.json") as running:
        yield running


@pytest.fixture
def bench(tmp_path, building):
    """Services whose link is the real engine, holding the whole building."""
    with running_bench(tmp_path) as bench:
        bench.link = LanLink(
            clock=SystemClock(), publish=bench.live.publish, changed=lambda _devices: None,
            politeness=Politeness.fast(), discovery=False, bus=bench.bus,
        )  # fmt: skip
        bench.link.start()
        try:
            bench.importing.run(building.inventory)
            bench.link.hold(bench.directory.specs())
            yield bench
        finally:
            bench.link.stop()


def until(condition):
    """Wait for what the network does in its own time."""
    pause = threading.Event()
    for _ in range(round(TIMEOUT_S / 0.05)):
        if condition():
            return
        pause.wait(0.05)
    raise AssertionError("it did not come to be")


def online(bench, device):
    return bench.directory.row(device).connection is Connection.ONLINE


def has_values(bench, device):
    return any(point.value is not None for point in bench.directory.row(device).points)


def relay(building, version):
    """A device of this version with a switch, and its switch's code."""
    for row in building.devices:
        for entry in row["mapping"].values():
            if row["version"] == version and entry["code"] in ("switch_1", "switch", "switch_led"):
                return row["id"], entry["code"]
    return pytest.skip("no such device in this building")


@pytest.mark.parametrize("version", ["3.1", "3.3", "3.4", "3.5"])
def test_a_write_is_confirmed_by_the_devices_own_report(bench, building, version):
    device, switch = relay(building, version)
    before = {p.label: p.value for p in bench.control.read_now(device).points}[switch]
    outcome = bench.control.set_now(device, switch, not before)
    assert (outcome.outcome, outcome.reported) == (Outcome.CONFIRMED, not before)
    assert {p.label: p.value for p in bench.control.read_now(device, switch).points} == {
        switch: not before
    }


def test_rows_come_alive_with_values_units_and_places(bench, building):
    until(lambda: all(online(bench, row["id"]) for row in building.devices))
    speaking = [row["id"] for row in building.devices if row["category"] != "wg2"]
    until(lambda: all(has_values(bench, device) for device in speaking))
    rows = bench.directory.rows()
    assert len(rows) == len(building.rows)
    assert all(row.place for row in rows)


def test_a_pause_frees_the_socket_and_the_row_says_so(bench, building):
    device = building.devices[1]["id"]
    until(lambda: online(bench, device))
    bench.editing.edit(bench.editing.seen(device), EditRequest(paused=True)).result(10)
    bench.link.hold(bench.directory.specs())
    until(lambda: bench.directory.row(device).connection is Connection.PAUSED)
    assert bench.control.set_now(device, "dp:1", True).outcome is Outcome.REFUSED


def test_a_diagnosis_of_a_healthy_device_ends_well(bench, building):
    device = building.devices[2]["id"]
    result = bench.diagnosis.examine(device)
    assert result.verdict is Connection.ONLINE
    assert "fail" not in {step.result for step in result.steps}


def test_no_key_shows_in_any_log_document_repr_or_exception(bench, building, caplog):
    caplog.set_level(logging.DEBUG)
    keys = {row["key"] for row in building.rows if row.get("key")}
    device, switch = relay(building, "3.4")
    shown = []
    for act in (
        lambda: bench.importing.run(building.inventory),
        lambda: [row.document() for row in bench.directory.rows()],
        bench.directory.specs,
        lambda: bench.control.set_now(device, switch, True),
        lambda: bench.control.read_now(device),
        lambda: bench.control.set_now(device, switch, "nonsense"),
        lambda: bench.control.set_now("nobody", switch, True),
        lambda: bench.diagnosis.examine(device).document(),
        lambda: bench.record_book.history("device", device, as_of_ms=bench.clock.now_ms()),
        lambda: bench.record_book.undo("device", device, "local_key"),
        lambda: Scanning(directory=bench.directory, link=lambda: None).scan("10.0.0.0/30"),
        lambda: vars(bench.directory),
        lambda: vars(bench.importing),
        bench.registry.now,
        lambda: bench.directory.find(device),
    ):
        try:
            shown.append(repr(act()))
        except ConsoleError as error:
            shown.append(repr(error) + error.sentence() + repr(error.document()))
    text = "\n".join(shown) + caplog.text
    assert keys
    assert len(shown) == 15
    assert [key for key in keys if key in text] == []
