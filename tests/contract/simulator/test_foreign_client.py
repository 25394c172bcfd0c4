"""The building seen by a client of other people: tinytuya's own, unchanged but for its waits."""

import json

import pytest
import tinytuya
from fakes.building import running_building

VERSIONS = ["3.1", "3.3", "3.4", "3.5"]


@pytest.fixture(scope="module")
def building():
    with running_building(48, 4, push_every_s=0.5) as running:
        yield running


def client(row, **more):
    device = tinytuya.OutletDevice(
        row["id"],
        row["ip"],
        row["key"],
        version=float(row["version"]),
        persist=True,
        connection_timeout=2,
        connection_retry_limit=1,
        **more,
    )
    device.set_sendWait(None)
    device.set_retry(False)
    return device


def until(device, wanted, tries=40):
    for _ in range(tries):
        message = device.receive()
        if message and wanted(message):
            return message
    raise AssertionError("it never came")


def heard(device, cmd, tries=12):
    """(command, payload) of what comes, up to the first with this command."""
    seen = []
    while tries and cmd not in [one for one, _ in seen]:
        tries -= 1
        device.receive()
        seen += [(m.cmd, m.payload) for m in device.raw_recv]
    return seen


def plain(building, version, category=None):
    return next(
        r
        for r in building.devices
        if r["version"] == version and r["category"] == (category or r["category"]) != "wg2"
    )


@pytest.mark.parametrize("version", VERSIONS)
def test_it_reads_every_data_point_of_a_device(building, version):
    row = building.of_version(version)
    device = client(row)
    report = device.status()
    device.close()
    assert set(report["dps"]) == set(row["mapping"])


@pytest.mark.parametrize("version", VERSIONS)
def test_it_writes_and_hears_only_what_changed(building, version):
    row = building.of_version(version)
    dp = next(dp for dp, point in row["mapping"].items() if point["type"] == "Boolean")
    device = client(row)
    before = device.status()["dps"][dp]
    device.set_value(dp, not before, nowait=True)
    echo = until(device, lambda m: m.get("dps", {}).get(dp) is (not before))
    device.close()
    assert set(echo["dps"]) <= set(row["mapping"])


@pytest.mark.parametrize("version", VERSIONS)
def test_it_has_its_heartbeat_answered_with_nothing(building, version):
    device = client(building.of_version(version))
    device.status()
    device.heartbeat(nowait=True)
    assert (9, b"") in heard(device, 9)
    device.close()


@pytest.mark.parametrize("version", VERSIONS)
def test_it_hears_pushes_with_the_monotonic_stamp(building, version):
    device = client(building.of_version(version))
    device.status()
    first = until(device, lambda m: "250" in m.get("dps", {}))
    second = until(device, lambda m: "250" in m.get("dps", {}))
    device.close()
    assert 0 < first["dps"]["250"] < second["dps"]["250"] < 2**63


def test_a_metering_device_acknowledges_a_refresh_and_reports(building):
    row = building.of_category("zndb")
    device = client(row)
    device.status()
    device.updatedps([18, 19, 20], nowait=True)
    assert (18, b"") in heard(device, 18)
    device.close()


@pytest.mark.parametrize("version", VERSIONS)
def test_a_sub_device_answers_by_its_cid(building, version):
    gateway_row = next(
        r for r in building.devices if r["category"] == "wg2" and r["version"] == version
    )
    child_row = next(r for r in building.children if r["parent"] == gateway_row["id"])
    gateway = client(gateway_row)
    child = tinytuya.OutletDevice(child_row["id"], cid=child_row["node_id"], parent=gateway)
    report = child.status()
    gateway.close()
    assert report["cid"] == child_row["node_id"]
    assert set(report["dps"]) == set(child_row["mapping"])


def test_a_gateway_lists_its_sub_devices_in_chunks(building):
    gateway_row = next(
        r for r in building.devices if r["category"] == "wg2" and r["version"] == "3.4"
    )
    gateway = client(gateway_row)
    listed = set()
    message = gateway.subdev_query()
    for _ in range(12):
        if message and message.get("reqType") == "subdev_online_stat_report":
            listed |= set(message["data"]["online"])
        message = gateway.receive()
    gateway.close()
    mine = {r["node_id"] for r in building.children if r["parent"] == gateway_row["id"]}
    assert listed == mine


@pytest.mark.parametrize("version", ["3.3", "3.4", "3.5"])
def test_a_wrong_key_gets_it_nowhere(building, version):
    row = plain(building, version, "dj" if version == "3.4" else None)
    device = client({**row, "key": "0123456789abcdeX"})
    answer = device.status()
    device.close()
    assert answer is None or answer["Err"] in ("904", "914", "902")


def test_a_22_character_device_is_detected_and_then_read():
    from app.simulator.site import Rules

    with running_building(1, versions=("3.3",), rules=Rules(device22=True)) as building:
        row = building.devices[0]
        device = client(row)
        device.status()
        device.set_dpsUsed(dict.fromkeys(row["mapping"]))
        report = device.status()
        device.close()
    assert set(report["dps"]) == set(row["mapping"])
    json.dumps(report)
