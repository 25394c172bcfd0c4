"""Full disks and a building that goes away: nothing acknowledged is lost, and it is said."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.house import House, house_of
from fakes.plantroom import Plantroom


def test_a_command_is_not_kept_out_by_what_a_kill_left(imported: Plantroom) -> None:
    with imported.holding() as runner:
        runner.process.kill()
        runner.end()
    assert (imported.data / "control").exists()
    began = time.monotonic()
    assert imported.json("devices", "list")["total"] > 0
    assert time.monotonic() - began < 20


def test_a_building_that_stops_is_said_and_one_that_returns_is_found(tmp_path: Path) -> None:
    plantroom = Plantroom(tmp_path / "profile")
    options = ("--devices", "6", "--gateways", "1", "--push-every", "1", "--seed", "424242")
    with house_of(tmp_path / "house", *options) as house:
        plantroom.json("devices", "import", str(house.inventory))
        net = str(house.ready["net"])
        with plantroom.holding("--fast") as runner:
            wait_for(plantroom, ("online", "asleep"), len(house.rows))
            house.running.process.kill()
            house.running.end()
            wait_for(plantroom, ("online", "asleep"), 0)
            with house_of(tmp_path / "house", *options, "--net", net):
                wait_for(plantroom, ("online", "asleep"), len(house.rows))
            assert runner.stop() == 0


def wait_for(
    plantroom: Plantroom, words: tuple[str, ...], wanted: int, within_s: float = 30.0
) -> None:
    deadline = time.monotonic() + within_s
    while True:
        items = plantroom.json("devices", "list")["items"]
        found = sum(item["connection"] in words for item in items)
        if found == wanted:
            return
        assert time.monotonic() < deadline, [(i["id"], i["connection"]) for i in items]
        threading.Event().wait(0.5)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 3 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "plantroom-test", str(disk)]
    if (
        sys.platform != "linux"
        or subprocess.run(mount, capture_output=True, check=False).returncode
    ):
        pytest.skip("a small file system cannot be mounted here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_is_exit_3_and_costs_nothing_that_was_saved(
    small_disk: Path, house: House, tmp_path: Path
) -> None:
    plantroom = Plantroom(small_disk / "profile")
    plantroom.json("devices", "import", str(house.inventory))
    device = house.rows[0]["id"]
    plantroom.json("device", "edit", device, "--name", "Before")
    ballast = small_disk / "ballast"
    fill(ballast)
    told = plantroom.run("--json", "device", "edit", device, "--name", "x" * 100)
    assert told.code == 3, told.out + told.err
    assert "space" in told.document["error"]["what"]
    ballast.unlink()
    assert plantroom.device(device)["name"] in ("Before", "x" * 100)
    assert plantroom.json("audit", "verify")["ok"] is True
    plantroom.json("device", "edit", device, "--name", "After")
    assert plantroom.device(device)["name"] == "After"


def test_a_runner_on_a_full_disk_goes_on_answering_and_loses_nothing(
    small_disk: Path, house: House
) -> None:
    plantroom = Plantroom(small_disk / "profile")
    plantroom.json("devices", "import", str(house.inventory))
    device = house.rows[0]["id"]
    with plantroom.holding("--fast") as runner:
        ballast = small_disk / "ballast"
        fill(ballast)
        assert plantroom.json("devices", "list")["total"] == len(house.rows)
        error = plantroom.json("device", "edit", device, "--name", "x" * 100, code=3)["error"]
        assert error["code"] == "store.disk_full"
        ballast.unlink()
        plantroom.json("device", "edit", device, "--name", "After")
        assert runner.stop() == 0
        assert runner.lines[-1]["dropped"] == 0
    assert plantroom.json("audit", "verify")["ok"] is True


def fill(file: Path) -> None:
    with file.open("wb", buffering=0) as ballast:
        try:
            while True:
                ballast.write(bytes(4096))
        except OSError:
            return


def test_a_folder_that_cannot_be_written_is_exit_3(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    error = Plantroom(tmp_path / "file" / "profile").json("devices", "list", code=3)["error"]
    assert error["code"] == "data.not_writable"


def test_a_wrong_passphrase_is_exit_3_and_changes_nothing(imported: Plantroom) -> None:
    before = (imported.data / "key.json").read_bytes()
    wrong = Plantroom(imported.data, PLANTROOM_PASSPHRASE="something else")
    assert wrong.json("devices", "list", code=3)["error"]["code"] == "key.wrong_passphrase"
    assert (imported.data / "key.json").read_bytes() == before
