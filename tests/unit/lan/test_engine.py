"""The engine against simulated devices that share no code with it, in virtual time."""

import asyncio
import json
import os
from dataclasses import replace

import pytest
from fakes.engine_room import engine_room
from fakes.virtual_time import run_virtual

from app.domain.links import Command, LinkSpec
from app.domain.words import Connection, Outcome
from app.lan import classify
from app.simulator.plan import make_plan

VERSIONS = ("3.1", "3.3", "3.4", "3.5")


NET = 100 + os.getpid() % 30


def plan(devices=5, gateways=1, net=NET):
    return make_plan(devices, gateways, seed=3, net=net)


def test_every_version_gateway_and_sub_device_comes_online_and_states_hold_no_key():
    async def main():
        async with engine_room(plan(9, 2)) as room:
            await room.all_online()
            told = repr(room.engine.states())
            assert not any(s.key and s.key.decode() in told for s in room.specs.values())

    run_virtual(main())


def test_every_value_a_device_sent_becomes_a_reading_in_order(tmp_path):
    record = tmp_path / "record.jsonl"

    async def main():
        async with engine_room(plan(), record=record) as room:
            await room.all_online()
            await asyncio.sleep(900)
        return room.readings, room.specs

    readings, specs = run_virtual(main())
    by_cid = {(s.parent, s.cid): s.device for s in specs.values() if s.parent}
    sent, heard = {}, {}
    for line in record.read_text("utf-8").splitlines():
        entry = json.loads(line)
        device = entry["device"]
        if entry.get("cid"):
            device = by_cid.get((device, entry["cid"]), device)
        sent.setdefault((device, str(entry["dp"])), []).append(entry["value"])
    for reading in readings:
        if reading.point != "connection":
            heard.setdefault((reading.device, reading.point), []).append(reading.value)
    assert sum(map(len, sent.values())) > 200
    assert heard.keys() == sent.keys()
    for series, values in heard.items():
        # What was sent while the engine was being stopped is on nobody's account.
        assert values == sent[series][: len(values)]
        assert len(sent[series]) - len(values) <= 1


@pytest.mark.parametrize("version", VERSIONS)
def test_a_write_is_confirmed_by_the_devices_own_report(version):
    async def main():
        async with engine_room(plan()) as room:
            await room.all_online()
            device = room.of_version(version)
            dp = next(d for d, p in room.specs[device].points.items() if p.type == "bool")
            now = {r.point: r.value for r in (await room.engine.read(device)).readings}
            result = await room.engine.send(Command(device, dp, not now[dp]))
            again = await room.engine.send(Command(device, dp, not now[dp]))
            return result, again

    result, again = run_virtual(main())
    assert (result.outcome, result.reported) == (Outcome.CONFIRMED, result.asked)
    assert again.outcome is Outcome.CONFIRMED


FAULTS = [
    ("silent", {Connection.NO_LOCAL_API}),
    ("held", {Connection.BUSY}),
    ("wrong_key", {Connection.WRONG_KEY}),
    ("frozen", {Connection.SUSPECT}),
    ("bad_crc", {Connection.SUSPECT}),
    ("half_frames", {Connection.SUSPECT, Connection.CONNECTING, Connection.ONLINE}),
    ("no_retcode", {Connection.ONLINE}),
    ("glued", {Connection.ONLINE}),
    ("dribble", {Connection.ONLINE}),
    ("oversize", {Connection.ONLINE}),
    ("bad_utf8", {Connection.ONLINE}),
    ("bad_clock", {Connection.ONLINE}),
]


@pytest.mark.parametrize(("fault", "words"), FAULTS)
def test_each_fault_becomes_its_word_and_heals(fault, words):
    versions = VERSIONS[1:] if fault == "wrong_key" else VERSIONS

    async def main():
        async with engine_room(plan()) as room:
            await room.all_online()
            devices = [room.of_version(version) for version in versions]
            for device in devices:
                await room.building.switch_fault(device, fault, True)
            await asyncio.sleep(60)
            assert {room.word(device) for device in devices} <= words
            for device in devices:
                await room.building.switch_fault(device, fault, False)
            await asyncio.sleep(400)
            assert {room.word(device) for device in devices} == {Connection.ONLINE}

    run_virtual(main())


@pytest.mark.parametrize("fault", ["ip_change", "version_change", "reboot"])
def test_a_device_that_moved_or_changed_is_found_by_its_announcement_and_proved(fault):
    async def main():
        async with engine_room(plan(), discovery=True) as room:
            await room.all_online()
            for version in VERSIONS:
                await room.building.switch_fault(room.of_version(version), fault, True)
            await asyncio.sleep(120)
            for version in VERSIONS:
                assert room.word(room.of_version(version)) is Connection.ONLINE

    run_virtual(main())


def test_a_forged_announcement_moves_nobody():
    async def main():
        async with engine_room(plan(), discovery=True) as room:
            await room.all_online()
            device = room.of_version("3.4")
            await room.building.switch_fault(device, "forged_announcement", True)
            await asyncio.sleep(60)
            assert room.word(device) is Connection.ONLINE
            assert room.engine.states()[device].ip == room.specs[device].ip

    run_virtual(main())


@pytest.mark.parametrize("version", VERSIONS)
def test_a_frozen_device_leaves_online_within_half_a_minute_and_is_said_to_accept(version):
    async def main():
        async with engine_room(plan()) as room:
            await room.all_online()
            device = room.of_version(version)
            await room.building.switch_fault(device, "frozen", True)
            took_s = await room.until(lambda: room.word(device) is not Connection.ONLINE, 30)
            assert "accepts" in room.sentence(device)
            result = await room.engine.send(Command(device, "1", True))
            return took_s, result

    took_s, result = run_virtual(main())
    assert took_s <= 30
    assert result.outcome in {Outcome.TIMED_OUT, Outcome.OFFLINE, Outcome.UNCONFIRMED}


def test_a_gateway_that_goes_takes_its_sub_devices_to_parent_down_and_back():
    async def main():
        async with engine_room(plan()) as room:
            await room.all_online()
            child = next(s for s in room.specs.values() if s.parent)
            await room.building.switch_fault(child.parent, "silent", True)
            await room.until(lambda: room.word(child.device) is Connection.PARENT_DOWN, 20)
            await room.building.switch_fault(child.parent, "silent", False)
            await room.until(lambda: room.word(child.device) is Connection.ONLINE, 120)

    run_virtual(main())


def test_a_dead_sub_device_is_offline_although_its_gateway_answers_for_it():
    async def main():
        async with engine_room(make_plan(2, 1, seed=3, net=NET, versions=("3.4",))) as room:
            await room.all_online()
            child = next(s for s in room.specs.values() if s.parent and s.category == "wkf")
            room.engine.hold(
                [replace(s, category="cz") if s is child else s for s in room.specs.values()]
            )
            await room.building.switch_fault(child.device, "silent", True)
            await room.until(
                lambda: room.word(child.device) in (Connection.OFFLINE, Connection.ASLEEP), 150
            )

    run_virtual(main())


def test_a_paused_device_and_one_on_another_network_are_not_opened():
    async def main():
        async with engine_room(plan()) as room:
            await room.all_online()
            paused, away = room.of_version("3.4"), room.of_version("3.5")
            specs = dict(room.specs)
            specs[paused] = replace(specs[paused], paused=True)
            specs[away] = replace(specs[away], site_here=False, ip="10.9.8.7")
            room.engine.hold(specs.values())
            await room.until(lambda: room.word(paused) is Connection.PAUSED, 5)
            await room.until(lambda: room.word(away) is Connection.NOT_HERE, 5)
            assert not room.building.endpoints[paused].sessions
            evidence = await room.engine.examine(away)
            assert evidence.verdict is Connection.NOT_HERE
            assert "10.9.8.0/24" in evidence.sentence
            room.engine.hold(room.specs.values())
            await room.all_online()

    run_virtual(main())


def test_two_records_with_one_address_open_one_socket():
    async def main():
        async with engine_room(plan(2, 0)) as room:
            await room.all_online()
            taken = room.specs[room.of_version("3.1")]
            twin = replace(taken, device="twin", key=b"another key 0123")
            room.engine.hold([*room.specs.values(), twin])
            await room.until(lambda: room.word("twin") is Connection.OFFLINE, 10)
            assert taken.device in room.sentence("twin")
            assert room.building.endpoints[taken.device].accepted == 1

    run_virtual(main())


def test_letting_a_device_go_closes_its_socket_and_forgets_it():
    async def main():
        async with engine_room(plan(2, 0)) as room:
            await room.all_online()
            kept, gone = list(room.specs)
            room.engine.hold([room.specs[kept]])
            await asyncio.sleep(1)
            assert list(room.engine.states()) == [kept]
            assert not room.building.endpoints[gone].sessions

    run_virtual(main())


@pytest.mark.parametrize(
    ("fault", "failing"),
    [("silent", "port"), ("held", "another_program"), ("wrong_key", "key"), (None, None)],
)
def test_a_diagnosis_ends_at_the_step_that_fails_with_a_next_step(fault, failing):
    async def main():
        async with engine_room(plan(5, 0)) as room:
            await room.all_online()
            device = room.of_version("3.4")
            if fault:
                await room.building.switch_fault(device, fault, True)
                await asyncio.sleep(30)
            return await room.engine.examine(device)

    evidence = run_virtual(main())
    assert [check for check, result, _ in evidence.steps if result == "fail"] == (
        [failing] if failing else []
    )
    assert evidence.sentence
    assert evidence.next


def test_a_device_without_key_or_address_says_what_is_missing():
    async def main():
        async with engine_room(plan(2, 0)) as room:
            room.engine.hold([LinkSpec("nokey", "s", b"", "127.0.0.9"), LinkSpec("noip", "s")])
            await asyncio.sleep(5)
            return room.engine.states()

    states = run_virtual(main())
    assert states["nokey"].connection is Connection.WRONG_KEY
    assert states["noip"].connection is Connection.NEVER_SEEN
    assert classify.Trouble.NO_KEY in classify.PERSISTENT


def test_after_the_laptop_slept_every_link_is_asked_whether_it_still_lives():
    async def main():
        async with engine_room(plan(5, 0)) as room:
            await room.all_online()
            device = room.of_version("3.3")
            await room.building.switch_fault(device, "frozen", True)
            room.engine._network_changed(room.engine.network(), woke=True)
            took_s = await room.until(lambda: room.word(device) is not Connection.ONLINE, 12)
            kept = room.of_version("3.4")
            assert room.word(kept) is Connection.ONLINE
            assert room.building.endpoints[kept].accepted == 1
            return took_s

    assert run_virtual(main()) <= 12
