"""A simulated building beside the program on a data folder of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.house import House, house_of
from fakes.plantroom import Plantroom


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Twelve healthy devices, two of them gateways, that report every second."""
    folder = tmp_path_factory.mktemp("house")
    with house_of(folder, "--devices", "12", "--gateways", "2", "--push-every", "1") as house:
        yield house


@pytest.fixture
def plantroom(tmp_path: Path) -> Plantroom:
    """The program on an empty data folder."""
    return Plantroom(tmp_path / "profile")


@pytest.fixture
def imported(plantroom: Plantroom, house: House) -> Plantroom:
    """The program with the house's devices in it."""
    told = plantroom.json("devices", "import", str(house.inventory))
    assert told["added"] == len(house.rows)
    return plantroom
