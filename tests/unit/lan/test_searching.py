"""A device that is not where it was is found among the addresses that answer in a range."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

import pytest
from fakes.engine_room import engine_room
from fakes.virtual_time import run_virtual

from app.domain.words import Connection
from app.simulator.plan import make_plan

SEED, NET = 870, 98


@pytest.mark.parametrize("known_version", [True, False])
def test_a_range_finds_devices_whose_address_nobody_knows(known_version):
    async def main():
        plan = make_plan(8, 0, seed=SEED, net=NET)

        def forget(spec):
            version = spec.version if known_version else None
            return replace(spec, ip=None, version=version)

        async with engine_room(plan, change=forget) as room:
            await room.until(
                lambda: all(not room.sentence(d).startswith("Not tried") for d in room.specs), 5
            )
            assert {room.word(device) for device in room.specs} == {Connection.NEVER_SEEN}
            found = await room.engine.scan(f"127.{NET}.1.0/28")
            await room.all_online(120 if known_version else 900)
            if known_version:
                assert {s.device for s in found if s.ip != f"127.{NET}.0.1"} >= set(room.specs)
            for planned in plan.devices:
                assert room.engine.states()[planned.id].ip == planned.address

    run_virtual(main())


def test_an_address_of_another_device_is_left_for_the_right_one():
    async def main():
        plan = make_plan(8, 0, seed=SEED + 1, net=NET)
        own = plan.devices
        wrong = {each.id: own[(n + 4) % 8].address for n, each in enumerate(own)}

        async with engine_room(
            plan, change=lambda spec: replace(spec, ip=wrong[spec.device])
        ) as room:
            await room.until(lambda: all(room.words_of(d) for d in room.specs), 30)
            await room.until(lambda: Connection.ONLINE not in map(room.word, room.specs), 30)
            values = [r for r in room.readings if r.point != "connection"]
            assert values == []
            await room.engine.scan(f"127.{NET}.1.0/28")
            await room.all_online(120)

    run_virtual(main())


def test_a_building_whose_addresses_all_changed_is_found_gateways_included():
    async def main():
        plan = make_plan(16, 4, seed=SEED + 2, net=NET)

        def old(spec):
            return replace(spec, ip=spec.ip and spec.ip.replace(f"127.{NET}.", "127.96."))

        async with engine_room(plan, change=old) as room:
            await room.until(lambda: all(room.words_of(d) for d in room.specs), 30)
            await room.engine.scan(f"127.{NET}.1.0/27")
            await room.all_online(120)

    run_virtual(main())


def test_a_device_is_looked_for_where_an_earlier_run_proved_it():
    async def main():
        plan = make_plan(4, 0, seed=SEED + 3, net=NET)

        def moved(spec):
            return replace(spec, ip=f"127.96.1.{spec.ip.rpartition('.')[2]}", last_ip=spec.ip)

        async with engine_room(plan, change=moved) as room:
            await room.all_online(30)

    run_virtual(main())


def test_a_gateway_that_is_lost_writes_one_line_not_one_for_each_child(caplog):
    async def main():
        plan = make_plan(1, 1, seed=SEED + 4, net=NET, versions=("3.4",))
        gateway = plan.devices[0].id
        async with engine_room(plan) as room:
            await room.all_online(30)
            await room.building.switch_fault(gateway, "silent", True)
            await room.until(
                lambda: all(
                    room.word(c) is Connection.PARENT_DOWN for c in room.specs if c != gateway
                ),
                30,
            )
            await room.building.switch_fault(gateway, "silent", False)
            await room.all_online(60)

    with caplog.at_level(logging.INFO, logger="app.lan"):
        run_virtual(main())
    told = [
        record.getMessage() for record in caplog.records if "Holding" not in record.getMessage()
    ]
    assert len(told) == 2, told


def test_a_sensor_behind_a_gateway_is_online_only_shortly_after_its_report():
    async def main():
        plan = make_plan(2, 2, seed=SEED + 5, net=NET, versions=("3.3", "3.4"))
        async with engine_room(plan) as room:
            await room.all_online(30)
            sleepy = [d for d in room.building.sleepy() if room.words_of(d)[-1:] != []]
            assert sleepy
            woke = [d for d in sleepy if Connection.ONLINE in room.words_of(d)]
            await asyncio.sleep(110)
            woke += [d for d in sleepy if Connection.ONLINE in room.words_of(d)]
            assert woke
            states = room.engine.states()
            resting = [d for d in sleepy if states[d].connection is Connection.ASLEEP]
            assert resting
            assert all(states[d].next_expected_ms is not None for d in sleepy)

    run_virtual(main())
