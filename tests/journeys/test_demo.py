"""The demo off screen: a living building, what is wrong with it, pictures, and no questions."""

from __future__ import annotations

import signal
from importlib.util import find_spec
from pathlib import Path

import pytest
from fakes.plantroom import Plantroom

pytestmark = pytest.mark.skipif(find_spec("PySide6") is None, reason="Qt is not installed")
OWN_SEED = "515151"


def test_the_demo_shows_a_living_building_and_saves_pictures(tmp_path: Path) -> None:
    # Neither passphrase nor key store: the demo brings its own.
    plantroom = Plantroom(tmp_path / "demo", PLANTROOM_PASSPHRASE="", PLANTROOM_KEYSTORE="")
    words = ("--devices", "20", "--gateways", "2", "--for", "10", "--seed", OWN_SEED)
    ended = plantroom.run("demo", *words)
    assert ended.code == 0, ended.out + ended.err
    summary = ended.lines[-1]
    # All but the three that have no usable connection of their own, and those asleep behind a
    # gateway.
    assert summary["devices"]["online"] >= 17
    assert {problem["connection"] for problem in summary["problems"]} >= {"wrong_key", "busy"}
    pictures = list(Path(summary["screenshots"]).glob("*.png"))
    assert len(pictures) >= 2
    assert all(picture.stat().st_size > 10_000 for picture in pictures)
    # The profile opens again without being asked, and the next demo does not trip over it; Ctrl-C
    # closes it in order.
    listed = plantroom.json("devices", "list")
    assert listed["total"] == summary["devices"]["total"]
    assert {item["site"] for item in listed["items"]} == {"Harbour House"}
    words = ("--devices", "5", "--gateways", "0", "--for", "60", "--faults", "none")
    with plantroom.running("demo", *words) as again:
        again.wait_line("by_state")
        assert again.stop(signal.SIGINT) == 130
    closed = again.lines[-1]
    assert closed["devices"]["total"] == 5
    assert not any("problem" in line for line in again.lines)
    assert "Traceback" not in "".join(again.errors)


def test_the_demo_leaves_a_real_profile_alone(tmp_path: Path) -> None:
    plantroom = Plantroom(tmp_path / "profile")
    plantroom.json("devices", "list")
    before = (plantroom.data / "console.db").read_bytes()
    ended = plantroom.run("--json", "demo", "--for", "3")
    assert ended.code == 5
    assert ended.document["error"]["code"] == "demo.real_profile"
    assert (plantroom.data / "console.db").read_bytes() == before
