"""The record says what left whole, to whom and when, and nothing else."""

import json
import time

import pytest
from fakes.building import running_building
from fakes.tuya_client import Closed, Silence, TuyaClient, points

from app.simulator import codec as wire

VERSIONS = ["3.1", "3.3", "3.4", "3.5"]


def lines(path, device):
    with path.open(encoding="utf-8") as record:
        return [line for line in map(json.loads, record) if line["device"] == device]


def drain(client, seconds):
    """Every whole frame that still comes for so long, opened."""
    frames = []
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        try:
            frames.append(client.receive(timeout_s=left))
        except (Silence, Closed):
            break
    return frames


def values(frames):
    told = []
    for frame in frames:
        if frame.body.startswith(b"{"):
            told += points(json.loads(frame.body)).items()
    return told


@pytest.mark.parametrize("version", VERSIONS)
def test_the_record_is_what_a_client_received(tmp_path, version):
    path = tmp_path / "said.jsonl"
    with running_building(1, versions=(version,), push_every_s=0.1, record=path) as building:
        row = building.devices[0]
        with TuyaClient(row) as client:
            client.send(client.query_cmd, {"t": 1})
            frames = [client.receive(client.query_cmd), *drain(client, 0.7)]
            building.fault(row["id"], "zombie")
            frames += drain(client, 0.3)
        begun = time.time()
    said = lines(path, row["id"])
    assert [(line["dp"], line["value"]) for line in said] == values(frames)
    assert all(line["sessions"] == 1 and line["cid"] is None for line in said)
    assert all(abs(line["at"] - begun) < 5 for line in said)


def test_nothing_is_on_record_that_nobody_heard(tmp_path):
    path = tmp_path / "said.jsonl"
    with (
        running_building(2, versions=("3.4",), push_every_s=0.05, record=path) as building,
        TuyaClient(building.devices[0], keyed=False),
    ):
        time.sleep(0.4)
    assert path.read_text() == ""


@pytest.mark.parametrize("fault", ["half_frames", "bad_crc", "bad_tag", "rst"])
@pytest.mark.parametrize("version", ["3.3", "3.5"])
def test_values_of_damaged_frames_are_not_on_record(tmp_path, version, fault):
    path = tmp_path / "said.jsonl"
    with running_building(1, versions=(version,), push_every_s=0.05, record=path) as building:
        row = building.devices[0]
        building.fault(row["id"], fault)
        with TuyaClient(row) as client:
            client.send(client.query_cmd, {"t": 1})
            time.sleep(0.4)
    assert lines(path, row["id"]) == []


@pytest.mark.parametrize("fault", ["glued", "dribble", "delay", "loss", "oversize", "flood"])
def test_whole_frames_that_are_late_glued_or_large_are_on_record_as_they_came(tmp_path, fault):
    path = tmp_path / "said.jsonl"
    with running_building(1, versions=("3.3",), push_every_s=0.3, record=path) as building:
        row = building.devices[0]
        building.fault(row["id"], fault)
        with TuyaClient(row) as client:
            client.send(client.query_cmd, {"t": 1})
            frames = drain(client, 0.5)
            building.fault(row["id"], fault, on=False)
            building.fault(row["id"], "zombie")
            frames += drain(client, 2.6 if fault in ("delay", "dribble") else 0.5)
    said = [(line["dp"], line["value"]) for line in lines(path, row["id"])]
    assert said == values(frames)
    assert said


def test_a_report_to_three_sessions_is_one_line_that_says_three(tmp_path):
    path = tmp_path / "said.jsonl"
    with running_building(1, versions=("3.4",), record=path) as building:
        row = building.devices[0]
        clients = [TuyaClient(row) for _ in range(3)]
        for client in clients:
            client.query()
        dp = next(dp for dp, each in row["mapping"].items() if each["type"] == "Boolean")
        clients[0].control({dp: not points(clients[0].query())[dp]})
        for client in clients:
            while dp not in points(client.push()):
                pass
            client.socket.close()
    told = [line for line in lines(path, row["id"]) if line["dp"] == dp and line["sessions"] == 3]
    assert len(told) == 1


def test_a_client_that_stops_reading_gets_no_line_for_what_it_never_took(tmp_path):
    path = tmp_path / "said.jsonl"
    with running_building(1, versions=("3.3",), record=path) as building:
        row = building.devices[0]
        with TuyaClient(row) as client:
            client.query()
            building.fault(row["id"], "oversize")
            building.fault(row["id"], "flood")
            time.sleep(2.5)
            building.fault(row["id"], "flood", on=False)
            building.fault(row["id"], "zombie")
            sent = len([line for line in lines(path, row["id"]) if line["dp"] == "120"])
            taken = sum(
                "120" in points(json.loads(frame.body))
                for frame in drain(client, 1.5)
                if frame.cmd == wire.STATUS
            )
    on_record = len([line for line in lines(path, row["id"]) if line["dp"] == "120"])
    assert sent <= on_record == taken


def test_a_sub_device_is_on_record_under_its_own_id_and_cid(tmp_path):
    path = tmp_path / "said.jsonl"
    with running_building(1, 1, versions=("3.5",), record=path) as building:
        gateway, child = building.devices[0], building.children[0]
        with TuyaClient(gateway) as client:
            told = points(client.query(child["node_id"]))
    said = lines(path, child["id"])
    assert {line["dp"]: line["value"] for line in said} == told
    assert {line["cid"] for line in said} == {child["node_id"]}
