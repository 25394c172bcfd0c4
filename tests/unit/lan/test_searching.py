"""A device that is not where it was is found among the addresses that answer in a range."""

from __future__ import annotations

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
