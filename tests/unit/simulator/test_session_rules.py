"""The rules of one session, each seen on a raw socket."""

import asyncio
import json
import os

import pytest
from fakes.building import running_building
from fakes.tuya_client import TuyaClient, points
from fakes.virtual_time import LoopClock, run_virtual

from app.simulator import codec as wire
from app.simulator.building import Building
from app.simulator.plan import make_plan
from app.simulator.session import IDLE_S
from app.simulator.site import Rules

VERSIONS = ["3.1", "3.3", "3.4", "3.5"]
MODERN = ["3.4", "3.5"]


@pytest.fixture(scope="module")
def building():
    with running_building(24, 4) as running:
        yield running


def push_of(client, dp):
    """The next push that carries this data point."""
    while dp not in (report := points(client.push())):
        pass
    return report


def words(client, cmd):
    answer = client.receive(cmd)
    return answer.retcode, answer.body


@pytest.mark.parametrize("version", VERSIONS)
def test_an_answer_carries_the_requests_number_below_3_5_and_the_devices_own_above(
    building, version
):
    with TuyaClient(building.of_version(version)) as client:
        numbers = []
        for seq in (100, 200):
            client.send(client.query_cmd, {"t": 1}, seq=seq)
            numbers.append(client.receive(client.query_cmd).seq)
    if version == "3.5":
        assert numbers[1] == numbers[0] + 1
    else:
        assert numbers == [100, 200]


def test_the_fourth_session_is_accepted_and_closed(building):
    row = building.of_version("3.3")
    with TuyaClient(row) as one, TuyaClient(row) as two, TuyaClient(row) as three:
        for client in (one, two, three):
            client.query()
        with TuyaClient(row) as fourth:
            assert fourth.closed_within(2)
        assert points(three.query())


@pytest.mark.parametrize(("policy", "loser"), [("evict_oldest", 0), ("evict_newest", 2)])
def test_firmware_that_evicts_makes_room_for_the_newest(policy, loser):
    with running_building(1, versions=("3.4",), rules=Rules(over_limit=policy)) as building:
        row = building.devices[0]
        held = [TuyaClient(row) for _ in range(3)]
        fourth = TuyaClient(row)
        assert points(fourth.query())
        assert held[loser].closed_within(2)
        for client in (*held, fourth):
            client.socket.close()


def test_old_firmware_holds_one_session(building):
    with (
        running_building(1, versions=("3.3",), rules=Rules(sessions=1)) as old,
        TuyaClient(old.devices[0]) as first,
    ):
        first.query()
        with TuyaClient(old.devices[0]) as second:
            assert second.closed_within(2)


@pytest.mark.parametrize("version", MODERN)
def test_three_frames_without_a_key_end_the_session(building, version):
    with TuyaClient(building.of_version(version), keyed=False) as client:
        for _ in range(3):
            client.send(wire.HEARTBEAT, b"")
        assert client.closed_within(2)


@pytest.mark.parametrize("version", MODERN)
def test_a_handshake_frame_on_a_keyed_session_ends_it(building, version):
    with TuyaClient(building.of_version(version)) as client:
        client.send(wire.KEY_START, os.urandom(16))
        assert client.closed_within(2)


@pytest.mark.parametrize("version", MODERN)
def test_a_bad_proof_of_the_key_ends_the_session(building, version):
    with TuyaClient(building.of_version(version), keyed=False) as client:
        client.send(wire.KEY_START, os.urandom(16))
        client.receive(wire.KEY_RESPONSE)
        client.send(wire.KEY_FINISH, bytes(32))
        assert client.closed_within(2)


@pytest.mark.parametrize("seq", [0, 2])
def test_a_number_that_does_not_rise_ends_a_session_of_3_5(building, seq):
    with TuyaClient(building.of_version("3.5")) as client:
        client.send(client.query_cmd, {}, seq=3)
        client.receive(client.query_cmd)
        client.send(client.query_cmd, {}, seq=seq)
        assert client.closed_within(2)


def test_versions_below_3_5_do_not_mind_repeated_numbers(building):
    with TuyaClient(building.of_version("3.4")) as client:
        for _ in range(2):
            client.send(client.query_cmd, {}, seq=9)
            assert client.receive(client.query_cmd).seq == 9


@pytest.mark.parametrize("version", VERSIONS)
def test_a_frame_above_four_kilobytes_ends_the_session(building, version):
    with TuyaClient(building.of_version(version)) as client:
        client.send(client.control_cmd, {"dps": {"1": "x" * 6000}})
        assert client.closed_within(2)


@pytest.mark.parametrize("version", VERSIONS)
def test_bytes_that_begin_no_frame_end_the_session(building, version):
    with TuyaClient(building.of_version(version)) as client:
        client.socket.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert client.closed_within(2)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_request_that_comes_byte_by_byte_is_answered(building, version):
    with TuyaClient(building.of_version(version)) as client:
        header = wire.request_header(version, client.query_cmd)
        frame = client.codec.seal(client.query_cmd, 90, b'{"t":1}', None, header)
        for byte in frame:
            client.socket.sendall(bytes((byte,)))
        assert client.receive(client.query_cmd).cmd == client.query_cmd


@pytest.mark.parametrize("version", ["3.3", "3.4", "3.5"])
def test_a_write_with_a_damaged_frame_is_not_obeyed(building, version):
    row = building.of_version(version)
    dp = next(dp for dp, each in row["mapping"].items() if each["type"] == "Boolean")
    with TuyaClient(row) as client:
        before = points(client.query())[dp]
        body = json.dumps({"dps": {dp: not before}, "data": {"dps": {dp: not before}}}).encode()
        header = wire.request_header(version, client.control_cmd)
        frame = bytearray(client.codec.seal(client.control_cmd, 50, body, None, header))
        frame[-6] ^= 1
        client.socket.sendall(frame)
        if version != "3.3":
            assert client.closed_within(2)
    with TuyaClient(row) as again:
        assert points(again.query())[dp] is before


@pytest.mark.parametrize("version", VERSIONS)
def test_commands_a_plain_device_does_not_know_get_no_answer(building, version):
    row = next(
        r for r in building.devices if r["version"] == version and r["category"] in ("wk", "dj")
    )
    with TuyaClient(row) as client:
        client.query()
        client.send(wire.SUBDEVICES, {"reqType": "subdev_online_stat_query", "data": {"cids": []}})
        client.send(wire.REFRESH, {"dpId": [1, 2]})
        client.send(wire.HEARTBEAT, b"{}")
        seen = client.receive()
        while seen.cmd == wire.STATUS:
            seen = client.receive()
        assert seen.cmd == wire.HEARTBEAT


@pytest.mark.parametrize("version", MODERN)
def test_a_command_of_older_versions_ends_3_4_and_is_unanswered_by_3_5(building, version):
    with TuyaClient(building.of_version(version)) as client:
        client.send(wire.QUERY, {})
        if version == "3.4":
            assert client.closed_within(2)
        else:
            assert points(client.query())


@pytest.mark.parametrize("version", VERSIONS)
def test_a_write_is_acknowledged_empty_and_reported_once(building, version):
    row = building.of_version(version)
    dp = next(dp for dp, each in row["mapping"].items() if each["type"] == "Boolean")
    with TuyaClient(row) as client:
        before = points(client.query())[dp]
        client.control({dp: not before})
        assert words(client, client.control_cmd) == (1 if client.modern else 0, b"")
        assert points(client.push())[dp] is not before
        client.control({dp: not before})
        assert words(client, client.control_cmd)[1] == b""
        client.send(wire.HEARTBEAT, b"{}")
        told = []
        while (frame := client.receive()).cmd != wire.HEARTBEAT:
            told.append(json.loads(frame.body))
        assert not any(dp in points(report) for report in told)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", b"json obj data unvalid"),
        (b"{nonsense", b"parse data error"),
        (b"[1]", b"data format error"),
    ],
)
def test_a_query_it_cannot_read_is_answered_in_words(building, version, body, said):
    with TuyaClient(building.of_version(version)) as client:
        client.send(client.query_cmd, body)
        assert words(client, client.query_cmd) == (1, said)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("dps", [{"99": True}, {"1": [1]}, {}])
def test_a_write_of_an_unknown_point_or_type_is_rejected(building, version, dps):
    row = next(r for r in building.devices if r["version"] == version and "1" in r["mapping"])
    with TuyaClient(row) as client:
        client.control(dps)
        assert words(client, client.control_cmd) == (1, b"data format error")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_gateway_wants_a_cid_it_knows(building, version):
    row = next(r for r in building.devices if r["version"] == version and r["category"] == "wg2")
    with TuyaClient(row) as client:
        client.send(client.query_cmd, {"t": 1})
        assert words(client, client.query_cmd) == (1, b"json obj data unvalid")
        client.send(client.query_cmd, {"cid": "nobody"})
        assert words(client, client.query_cmd) == (1, b"devid not found")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_sub_device_is_written_and_reports_under_its_cid(building, version):
    gateway = next(
        r for r in building.devices if r["version"] == version and r["category"] == "wg2"
    )
    child = next(
        r for r in building.children if r["parent"] == gateway["id"] and r["category"] == "wkf"
    )
    cid = child["node_id"]
    with TuyaClient(gateway) as client:
        wanted = 150 if points(client.query(cid))["16"] != 150 else 160
        client.control({"16": wanted}, cid)
        while True:
            report = client.push()
            if "16" in points(report):
                break
        whole = report.get("data", report)
        assert (whole["cid"], whole["dps"]["16"]) == (cid, wanted)
        assert ("ctype" in whole) is client.modern


def test_pushes_go_to_every_keyed_session_and_to_no_other(building):
    row = building.of_version("3.4")
    with TuyaClient(row) as one, TuyaClient(row) as two, TuyaClient(row, keyed=False) as stranger:
        value = points(two.query())["250"]
        dp = next(dp for dp, each in row["mapping"].items() if each["type"] == "Boolean")
        one.control({dp: not points(one.query())[dp]})
        heard = [push_of(client, dp) for client in (one, two)]
        assert heard[0] == heard[1]
        assert heard[0]["250"] > value
        assert stranger.silent_for(0.2)


def test_a_session_without_a_frame_for_thirty_seconds_is_closed_and_heartbeats_keep_it():
    async def main():
        loop = asyncio.get_running_loop()
        plan = make_plan(1, 0, net=231, versions=("3.3",))
        building = Building(plan, LoopClock(loop), rules=Rules(announce_every_s=None))
        await building.start()
        row = plan.devices[0]
        reader, writer = await asyncio.open_connection(row.address, row.port)
        codec = wire.codec_for("3.3", row.key)
        for _ in range(4):
            await asyncio.sleep(20)
            writer.write(codec.seal(wire.HEARTBEAT, 1, b"{}", None))
        begun = loop.time()
        while await reader.read(4096):
            pass
        writer.close()
        await building.stop()
        return loop.time() - begun

    assert run_virtual(main()) == pytest.approx(IDLE_S, abs=1.1)
