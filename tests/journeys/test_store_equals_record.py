"""The store says exactly what the building sent, point by point, also while devices misbehave."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.house import House, house_of
from fakes.plantroom import PASSPHRASE, Plantroom
from fakes.truth import compare

from app.cli.command import Needs
from app.cli.opening import core_of
from app.domain.instants import parse_instant
from app.settings.profile import Profile

ON_S, OFF_S, RUN_S = 3.0, 12.0, 24.0
FAULTS = (
    "glued", "dribble", "half_frames", "bad_crc", "bad_tag", "delay", "loss", "rst", "reboot",
    "ip_change", "bad_clock", "flood", "oversize", "bad_utf8", "no_retcode", "zombie",
)  # fmt: skip


@pytest.fixture
def busy_house(tmp_path: Path) -> Iterator[House]:
    """A device for each fault, in all versions, and two gateways."""
    options = ("--devices", str(len(FAULTS) + 2), "--gateways", "2", "--push-every", "1")
    with house_of(tmp_path / "house", *options) as house:
        yield house


def test_the_store_equals_the_record_while_devices_misbehave(
    busy_house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plantroom = Plantroom(tmp_path / "profile")
    plantroom.json("devices", "import", str(busy_house.inventory))
    own = [row["id"] for row in busy_house.rows if "parent" not in row]
    troubles = [*zip(own[2:], FAULTS, strict=True), (own[0], "glued"), (own[1], "delay")]
    with plantroom.running("run", "--headless", "--fast", "--for", str(RUN_S)) as run:
        run.wait_line("started")
        began = time.monotonic()
        for at_s, on in ((ON_S, True), (OFF_S, False)):
            time.sleep(max(0.0, began + at_s - time.monotonic()))
            for device, fault in troubles:
                busy_house.fault(device, fault, on=on)
        summary = run.wait_line("summary")
        assert run.end() == 0
    assert summary["dropped"] == 0
    stopped_ms = parse_instant(summary["stopped_at"], where="summary")
    monkeypatch.setenv("PLANTROOM_PASSPHRASE", PASSPHRASE)
    with core_of(Profile(plantroom.data), Needs.STORE) as core:
        found = compare(core, busy_house, stopped_ms)
    assert found.differences == []
    assert found.stored == summary["readings"]
    assert found.compared > 1_000
