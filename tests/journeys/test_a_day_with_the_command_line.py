"""What a person does at the command line of a building that speaks: import, run, act, look back."""

from __future__ import annotations

import shutil
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fakes.house import House
from fakes.plantroom import PASSPHRASE, Plantroom
from fakes.truth import compare

from app.cli.command import Needs
from app.cli.opening import core_of
from app.domain.instants import parse_instant
from app.settings.profile import Profile


def test_an_empty_profile_lists_nothing_and_fails_nothing(plantroom: Plantroom) -> None:
    told = plantroom.json("devices", "list")
    assert (told["items"], told["total"], told["next"]) == ([], 0, None)
    assert told["configured"] is False
    assert plantroom.json("audit", "verify")["ok"] is True
    assert plantroom.run("devices", "list").code == 0


def test_an_import_can_be_repeated(imported: Plantroom, house: House) -> None:
    again = imported.json("devices", "import", str(house.inventory))
    assert again["unchanged"] == len(house.rows)
    assert imported.json("devices", "list")["total"] == len(house.rows)


@pytest.mark.parametrize("content", ["nonsense", '{"devices": 3}'])
def test_a_file_that_is_no_inventory_is_exit_2_with_a_sentence(
    plantroom: Plantroom, tmp_path: Path, content: str
) -> None:
    file = tmp_path / "inventory.json"
    file.write_text(content)
    error = plantroom.json("devices", "import", str(file), code=2)["error"]
    assert error["what"]
    assert error["do"]


def test_a_run_stores_exactly_what_the_building_sent(
    imported: Plantroom, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = imported.run("--json", "run", "--headless", "--for", "5", "--fast")
    assert ended.code == 0, ended.err
    summary = ended.lines[-1]
    assert summary["summary"] is True
    states = summary["devices"]["by_state"]
    awake = sum(1 for row in house.rows if not row.get("parent"))
    assert summary["devices"]["online"] == states["online"] >= awake
    assert states["online"] + states.get("asleep", 0) == len(house.rows)
    assert summary["dropped"] == 0
    assert summary["problems"] == []
    assert summary["latency_ms"]["n"] > 0
    monkeypatch.setenv("PLANTROOM_PASSPHRASE", PASSPHRASE)
    stopped_ms = parse_instant(summary["stopped_at"], where="summary")
    with core_of(Profile(imported.data), Needs.STORE) as core:
        found = compare(core, house, stopped_ms)
    assert found.differences == []
    assert found.stored == summary["readings"]
    assert found.compared > 100


def test_one_command_acts_and_leaves_the_profile_free(imported: Plantroom, house: House) -> None:
    relay = house.with_point("switch_1")["id"]
    for value, reported in (("on", True), ("off", False)):
        told = imported.json("device", "set", relay, "switch_1", value)
        assert (told["outcome"], told["reported"]) == ("confirmed", reported)
    assert imported.json("device", "read", relay)["path"] == "lan"
    found = imported.json("device", "diagnose", relay)
    assert found["steps"]
    assert imported.json("audit", "verify")["ok"] is True


def test_commands_reach_the_process_that_holds_the_profile(
    imported: Plantroom, house: House, tmp_path: Path
) -> None:
    relay = house.with_point("switch_1")["id"]
    shutil.copy(house.inventory, tmp_path / "again.json")
    with imported.holding("--fast") as runner:
        # No passphrase: the process that answers has the profile open already.
        others = Plantroom(imported.data, PLANTROOM_PASSPHRASE="")
        told = others.json("device", "set", relay, "switch_1", "on")
        assert told["outcome"] == "confirmed"
        with ThreadPoolExecutor(6) as pool:
            reads = [pool.submit(others.json, "device", "read", relay) for _ in range(6)]
            assert all(read.result()["device"] == relay for read in reads)
        again = others.json("devices", "import", "again.json", cwd=tmp_path, PYTHONPATH=str(ROOT))
        assert again["unchanged"] == len(house.rows)
        error = imported.json("run", "--headless", code=5)["error"]
        assert error["code"] == "profile.busy"
        assert str(runner.process.pid) in error["what"]
        assert others.json("devices", "fly", code=2)["error"]["code"] == "usage"
        words = others.run("devices", "list")
        assert (words.code, relay in words.out) == (0, True)
        assert runner.stop(signal.SIGTERM) == 0
        assert runner.lines[-1]["summary"] is True
    assert imported.json("history", "stats", relay, "switch_1")["count"] > 0


ROOT = Path(__file__).parents[2]


def test_edits_have_a_history_and_can_be_taken_back(imported: Plantroom, house: House) -> None:
    device = house.rows[0]
    imported.json("device", "edit", device["id"], "--name", "Boiler")
    item = imported.device(device["id"])
    assert item["name"] == "Boiler"
    told = imported.json("record", "history", "asset", item["asset"], "--field", "name")
    assert len(told["items"]) == 2
    imported.json("record", "undo", "asset", item["asset"])
    assert imported.device(device["id"])["name"] == device["name"]


def test_a_device_that_is_left_alone_is_let_go(imported: Plantroom, house: House) -> None:
    device = house.with_point("switch_1")["id"]
    with imported.holding("--fast") as runner:
        imported.json("device", "read", device)
        imported.json("device", "edit", device, "--pause")
        assert eventually(lambda: imported.device(device)["connection"] == "paused")
        imported.json("device", "edit", device, "--resume")
        assert eventually(lambda: imported.device(device)["connection"] == "online")
        assert runner.stop(signal.SIGINT) == 130
        assert runner.lines[-1]["summary"] is True


def eventually(true: Any, times: int = 20) -> bool:
    """Each look is a command of its own, so this waits some seconds at most."""
    return any(true() for _ in range(times))
