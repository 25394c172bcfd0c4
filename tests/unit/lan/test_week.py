"""A simulated day, and a week: sleep is never called a loss, a frozen mains device always is."""

import asyncio
import os

import pytest
from fakes.engine_room import engine_room
from fakes.virtual_time import run_virtual

from app.domain.words import Connection
from app.simulator.plan import make_plan
from app.simulator.site import Rules

DAY_S = 86_400
SLEEPERS = 4
NET = 130 + os.getpid() % 30
FREEZE_EVERY_S = DAY_S / 2


async def live(days):
    whole = make_plan(110, 0, seed=5, net=NET, versions=("3.3", "3.4", "3.5"), sleepers=True)
    sleepers = [d for d in whole.devices if d.sleepy][:SLEEPERS]
    mains = next(d for d in whole.devices if not d.sleepy)
    whole.devices = [*sleepers, mains]
    left_s = []
    async with engine_room(whole, discovery=True, rules=Rules(announce_every_s=600.0)) as room:
        await room.until(lambda: room.word(mains.id) is Connection.ONLINE, 60)
        for _ in range(round(days * DAY_S / FREEZE_EVERY_S)):
            await asyncio.sleep(FREEZE_EVERY_S)
            await room.building.switch_fault(mains.id, "frozen", True)
            left_s.append(
                await room.until(lambda: room.word(mains.id) is not Connection.ONLINE, 31)
            )
            assert "accepts" in room.sentence(mains.id)
            await room.building.switch_fault(mains.id, "frozen", False)
            await room.until(lambda: room.word(mains.id) is Connection.ONLINE, 700)
        words = {d.id: set(room.words_of(d.id)) for d in sleepers}
        awake = {d.id: room.words_of(d.id).count("online") for d in sleepers}
    return left_s, words, awake


def check(days):
    left_s, words, awake = run_virtual(live(days))
    assert len(words) == SLEEPERS
    for said in words.values():
        assert said <= {"never_seen", "connecting", "online", "asleep"}
    assert all(count >= 2 * days for count in awake.values())
    assert left_s
    assert max(left_s) <= 30


def test_in_a_day_no_sleeping_device_is_missed_and_a_frozen_one_is():
    check(1)


@pytest.mark.slow
def test_in_a_week_no_sleeping_device_is_missed_and_a_frozen_one_is():
    check(7)
