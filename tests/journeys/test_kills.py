"""`kill -9` in the middle of import, edit and recording: nothing acknowledged is missing."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from fakes.house import House, house_of
from fakes.killing import Kills
from fakes.plantroom import Plantroom

KINDS = ("import", "edit", "record")
HUNDRED = 100


def test_a_few_kills_cost_nothing_that_was_acknowledged(house: House, tmp_path: Path) -> None:
    dice = random.Random(7)
    kills = Kills(Plantroom(tmp_path / "profile"), house, tmp_path, dice)
    for kind in KINDS:
        kills.turn(kind)
    assert kills.killed >= 1
    assert kills.readings


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_hundred_kills_cost_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    options = ("--devices", "12", "--gateways", "2", "--push-every", "1")
    with house_of(tmp_path / "house", *options) as house:
        dice = random.Random(20261121)
        kills = Kills(Plantroom(tmp_path / "profile"), house, tmp_path, dice)
        while kills.killed < HUNDRED:
            kills.turn(dice.choice(KINDS))
        assert kills.readings
        assert kills.imported
        print(f"{kills.killed} kills, {kills.finished} commands were faster, nothing lost")
