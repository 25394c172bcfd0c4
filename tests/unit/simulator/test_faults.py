"""Each fault, as it shows on a raw socket; and gone again when it is switched off."""

import json
import socket
import time
from dataclasses import dataclass

import pytest
from fakes.building import running_building
from fakes.tuya_client import Closed, Silence, TuyaClient, points

from app.simulator import codec as wire
from app.simulator import faults
from app.simulator.codec import DamagedFrame
from app.simulator.site import Rules

VERSIONS = ["3.1", "3.3", "3.4", "3.5"]
MODERN = ["3.4", "3.5"]


@pytest.fixture(scope="module")
def building():
    with running_building(32, 2, push_every_s=0.2) as running:
        yield running


@pytest.fixture
def faulty(building):
    """faulty(device, fault) switches it on; all is well again after the test."""
    switched = []

    def switch(row, fault):
        building.fault(row["id"], fault)
        switched.append((row["id"], fault))

    yield switch
    for device, fault in switched:
        building.fault(device, fault, on=False)


@dataclass
class Ended:
    turns: int
    error: Exception


def before_it_ended(act, *errors, most=400):
    """How often `act` worked before it ended in one of these errors; it has to end so."""
    for turns in range(most):
        try:
            act()
        except errors as error:
            return Ended(turns, error)
    pytest.fail("it went on")


def healthy(row):
    with TuyaClient(row) as client:
        return bool(points(client.query()))


def test_every_name_of_the_contract_is_there():
    named = {
        "frozen", "silent", "held", "wrong_key", "key_change", "half_frames", "glued", "dribble",
        "oversize", "bad_crc", "bad_tag", "no_retcode", "bad_utf8", "bad_clock", "zero_key",
        "delay", "loss", "zombie", "rst", "flood", "reboot", "ip_change", "version_change",
        "wedge", "forged_announcement", "asleep", "low_battery", "flapping", "overload",
    }  # fmt: skip
    assert named == faults.ALL


@pytest.mark.parametrize("version", VERSIONS)
def test_frozen_accepts_and_says_nothing(building, faulty, version):
    row = building.of_version(version)
    with TuyaClient(row) as before:
        before.query()
        faulty(row, "frozen")
        before.send(wire.HEARTBEAT, b"{}")
        time.sleep(0.2)
        before.socket.setblocking(False)
        assert before_it_ended(lambda: before.socket.recv(65536), BlockingIOError)
        with TuyaClient(row, keyed=False) as after:
            after.send(wire.KEY_START if after.modern else wire.QUERY, bytes(16))
            assert after.silent_for(0.2)
    building.fault(row["id"], "frozen", on=False)
    assert healthy(row)


@pytest.mark.parametrize("fault", ["silent", "asleep"])
def test_silent_and_asleep_have_no_port(building, faulty, fault):
    row = building.of_version("3.4")
    with TuyaClient(row) as client:
        client.query()
        faulty(row, fault)
        assert client.closed_within(1)
    with pytest.raises(ConnectionRefusedError):
        TuyaClient(row)
    building.fault(row["id"], fault, on=False)
    assert healthy(row)


def test_held_accepts_and_closes(building, faulty):
    row = building.of_version("3.3")
    faulty(row, "held")
    with TuyaClient(row) as client:
        assert client.closed_within(1)


@pytest.mark.parametrize("fault", ["wrong_key", "key_change"])
@pytest.mark.parametrize("version", ["3.3", "3.4", "3.5"])
def test_with_another_key_the_exported_one_opens_nothing(building, faulty, version, fault):
    row = building.of_version(version)
    faulty(row, fault)
    with TuyaClient(row, keyed=False) as client:
        if version == "3.3":
            client.send(wire.QUERY, {"t": 1})
            assert client.silent_for(0.4)
        elif version == "3.4":
            with pytest.raises((DamagedFrame, AssertionError)):
                client.negotiate()
        else:
            client.send(wire.KEY_START, bytes(16))
            with pytest.raises(DamagedFrame):
                client.receive()
            assert client.closed_within(1)


@pytest.mark.parametrize("version", MODERN)
def test_a_wrong_key_can_be_answered_with_four_bytes_of_nothing(version):
    rules = Rules(wrong_key_reply="junk")
    with running_building(1, versions=(version,), rules=rules) as building:
        row = building.devices[0]
        with TuyaClient(row, key="0123456789abcdeX", keyed=False) as client:
            client.send(wire.KEY_START, bytes(16))
            frame = client.receive_raw()
    at = 10 if version == "3.5" else 8
    assert int.from_bytes(frame[at : at + 4], "big") == wire.KEY_START
    if version == "3.4":
        assert frame[16:20] == b"\0\0\0\1"


@pytest.mark.parametrize("version", VERSIONS)
def test_half_frames_are_torn(building, faulty, version):
    row = building.of_version(version)
    with TuyaClient(row) as client:
        client.query()
        faulty(row, "half_frames")
        time.sleep(0.3)
        assert before_it_ended(lambda: client.receive(timeout_s=0.5), DamagedFrame, Silence)


def test_glued_frames_arrive_several_in_one_piece(building, faulty):
    row = building.of_version("3.3")
    with TuyaClient(row) as client:
        client.query()
        faulty(row, "glued")
        client.read()
        most = 0
        for _ in range(6):
            data = bytearray(client.read())
            most = max(most, len(wire.take_frames(data)))
    assert most >= 2


def test_dribbled_frames_arrive_in_crumbs_and_whole(building, faulty):
    row = building.of_version("3.3")
    with TuyaClient(row) as client:
        client.query()
        faulty(row, "dribble")
        sizes = [len(client.read()) for _ in range(12)]
        assert min(sizes) <= 8
        with TuyaClient(row) as other:
            assert points(other.query())


@pytest.mark.parametrize("version", VERSIONS)
def test_oversize_reports_pass_1440_bytes_and_are_whole(building, faulty, version):
    row = building.of_version(version)
    faulty(row, "oversize")
    with TuyaClient(row) as client:
        client.query()
        assert len(client.receive_raw(wire.STATUS)) > 1440
        assert len(points(client.push())["120"]) == 1600


@pytest.mark.parametrize("fault", ["bad_crc", "bad_tag"])
@pytest.mark.parametrize("version", VERSIONS)
def test_the_integrity_of_reports_can_be_broken(building, faulty, version, fault):
    row = building.of_version(version)
    faulty(row, fault)
    with TuyaClient(row) as client:
        client.send(wire.HEARTBEAT, b"{}")
        assert client.receive(wire.HEARTBEAT).body == b""
        client.send(client.query_cmd, {"t": 1})
        with pytest.raises(DamagedFrame):
            client.receive(client.query_cmd)


@pytest.mark.parametrize("version", ["3.3", "3.4"])
def test_the_return_code_can_be_missing(building, faulty, version):
    row = building.of_version(version)
    with TuyaClient(row) as client:
        client.query()
        faulty(row, "no_retcode")
        time.sleep(0.3)
        for _ in range(6):
            frame = client.receive_raw(wire.STATUS)
        assert client.codec.open(frame).body.endswith(b"}")
        assert frame[16:20] != b"\0\0\0\0"


def test_text_can_be_no_utf8(building, faulty):
    row = building.of_version("3.3")
    faulty(row, "bad_utf8")
    with TuyaClient(row) as client:
        client.query()
        assert before_it_ended(
            lambda: str(client.receive(wire.STATUS).body, "utf-8"), UnicodeDecodeError
        )


def test_the_devices_clock_can_be_wrong(building, faulty):
    row = building.of_version("3.5")
    faulty(row, "bad_clock")
    with TuyaClient(row) as client:
        client.query()
        assert abs(client.push()["t"] - time.time()) > 86_400


@pytest.mark.parametrize("version", MODERN)
def test_a_session_key_that_begins_with_zero_is_taken_for_none(building, faulty, version):
    row = building.of_version(version)
    faulty(row, "zero_key")
    with TuyaClient(row, keyed=False) as client:
        assert client.negotiate()[0] == 0
        client.send(client.query_cmd, {})
        assert client.closed_within(1)


def test_delays_follow_the_distribution_seen_in_the_field(building, faulty):
    row = building.of_version("3.4")
    faulty(row, "delay")
    waits = []
    with TuyaClient(row) as client:
        for _ in range(8):
            begun = time.monotonic()
            client.query()
            waits.append(time.monotonic() - begun)
    assert max(waits) > 0.02


def test_some_reports_are_lost(building, faulty):
    row = building.of_version("3.3")
    faulty(row, "loss")
    with TuyaClient(row) as client:
        for seq in range(40):
            client.send(client.query_cmd, {"t": 1}, seq=1000 + seq)
        time.sleep(0.3)
        ended = before_it_ended(lambda: client.receive(wire.QUERY, timeout_s=0.3), Silence)
    assert 5 < ended.turns < 40


@pytest.mark.parametrize("version", VERSIONS)
def test_a_zombie_answers_heartbeats_alone(building, faulty, version):
    row = building.of_version(version)
    with TuyaClient(row) as client:
        client.query()
        faulty(row, "zombie")
        client.send(client.query_cmd, {"t": 1})
        client.send(wire.HEARTBEAT, b"{}")
        while (frame := client.receive()).cmd != wire.HEARTBEAT:
            assert frame.cmd == wire.STATUS
        assert client.silent_for(0.5)


def test_a_connection_is_reset_in_the_middle_of_a_frame(building, faulty):
    row = building.of_version("3.4")
    faulty(row, "rst")
    with TuyaClient(row) as client:
        client.send(client.query_cmd, {})
        ended = before_it_ended(client.read, Closed)
    assert ended.error.reset


def test_a_flood_is_hundreds_of_reports_a_second(building, faulty):
    row = building.of_version("3.3")
    with TuyaClient(row) as client:
        client.query()
        faulty(row, "flood")
        begun = time.monotonic()
        for _ in range(100):
            client.push()
    assert time.monotonic() - begun < 2


def test_a_reboot_drops_everybody_and_comes_back(building):
    row = building.of_version("3.5")
    with TuyaClient(row) as client:
        building.fault(row["id"], "reboot")
        assert client.closed_within(1)
    with pytest.raises(ConnectionRefusedError):
        TuyaClient(row)
    deadline = time.monotonic() + 6
    while not building.device_state(row["id"])["listening"] and time.monotonic() < deadline:
        time.sleep(0.1)
    assert healthy(row)


def test_a_device_moves_to_another_address_and_back(building):
    row = building.of_version("3.3")
    building.fault(row["id"], "ip_change")
    now = building.device_state(row["id"])["address"]
    with pytest.raises(ConnectionRefusedError):
        TuyaClient(row)
    assert now != row["ip"]
    assert healthy({**row, "ip": now})
    building.fault(row["id"], "ip_change", on=False)
    assert healthy(row)


@pytest.mark.parametrize(("old", "new"), [("3.3", "3.4"), ("3.4", "3.5"), ("3.5", "3.4")])
def test_an_update_changes_the_version(building, faulty, old, new):
    row = building.of_version(old)
    faulty(row, "version_change")
    assert healthy({**row, "version": new})


def test_wedged_firmware_negotiates_three_times_and_never_again(building, faulty):
    row = building.of_version("3.4")
    faulty(row, "wedge")
    for _ in range(3):
        assert healthy(row)
    with TuyaClient(row, keyed=False) as client:
        client.send(wire.KEY_START, bytes(16))
        assert client.closed_within(1)


def test_somebody_else_announces_the_device_at_their_address(building, faulty):
    row = building.of_version("3.1")
    ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    ear.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    ear.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    ear.bind(("", 6666))
    ear.settimeout(5)
    faulty(row, "forged_announcement")
    with ear:
        while True:
            datagram, sender = ear.recvfrom(4096)
            facts = json.loads(datagram[20:-8])
            if facts["gwId"] == row["id"] and facts["ip"] != row["ip"]:
                break
    assert sender[0] == facts["ip"]


def test_a_weak_battery_a_flapping_sensor_and_a_dead_one_behind_a_gateway(building):
    gateway = building.devices[0]
    mine = [row for row in building.children if row["parent"] == gateway["id"]]
    weak = next(row for row in mine if row["category"] == "wkf")
    door = next(row for row in mine if row["category"] == "mcs")
    with TuyaClient(gateway) as client:
        client.query(weak["node_id"])
        building.fault(weak["id"], "low_battery")
        assert points(client.query(weak["node_id"]))["35"] < 10
        building.fault(weak["id"], "low_battery", on=False)
        assert points(client.query(weak["node_id"]))["35"] > 40
        building.fault(door["id"], "flapping")
        states = []
        while len(states) < 3:
            report = client.push()
            whole = report.get("data", report)
            if whole.get("cid") == door["node_id"] and "1" in whole["dps"]:
                states.append(whole["dps"]["1"])
        building.fault(door["id"], "flapping", on=False)
        assert states in ([True, False, True], [False, True, False])
        building.fault(weak["id"], "silent")
        cached = [points(client.query(weak["node_id"])) for _ in range(3)]
        building.fault(weak["id"], "silent", on=False)
        assert cached[0] == cached[1] == cached[2]


def test_an_overloaded_pump_draws_much_more(building, faulty):
    row = next(r for r in building.devices if "pump" in r["name"] and r["version"] == "3.4")
    with TuyaClient(row) as client:
        before = points(client.query())["19"]
        faulty(row, "overload")
        assert points(client.query())["19"] > before * 1.6


@pytest.mark.parametrize(
    ("wish", "part"),
    [
        (b"{nonsense", "not JSON"),
        ({"fault": "frozen"}, "needs a device"),
        ({"device": "nobody", "fault": "frozen"}, "no simulated device"),
        ({"device": "SOCKET", "fault": "mouldy"}, "no fault 'mouldy'"),
        ({"device": "SOCKET", "fault": "frozen", "on": "yes"}, "on or off"),
        ({"device": "CHILD", "fault": "bad_crc"}, "no socket"),
        ({"device": "SOCKET", "fault": "low_battery"}, "no battery"),
        ({"device": "LIGHT", "fault": "overload"}, "no battery|drives no load|"),
    ],
)
def test_a_wish_that_cannot_be_is_refused_with_a_sentence(building, wish, part):
    ids = {
        "SOCKET": building.of_category("cz")["id"],
        "CHILD": building.children[0]["id"],
        "LIGHT": building.of_category("wk")["id"],
    }
    if isinstance(wish, dict) and wish.get("device") in ids:
        wish = {**wish, "device": ids[wish["device"]]}
    status, answer = building.post(wish)
    assert status == 400
    assert any(each in answer["error"]["what"] for each in part.split("|"))
    assert answer["error"]["do"]
