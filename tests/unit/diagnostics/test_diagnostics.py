"""The log and the crash report say what happened and give no secret away."""

from __future__ import annotations

import logging
import stat
from pathlib import Path

import pytest

from app.diagnostics import crash, logs
from app.diagnostics.masking import MASKER, Masker, MaskingFormatter

SECRET = "q7Zp1xWm0vTgRk4n"


@pytest.mark.parametrize(
    "text",
    [
        f"local_key={SECRET}",
        f"'local_key': '{SECRET}'",
        f'{{"localKey": 1, "local_key": "{SECRET}"}}',
        f"key: {SECRET}",
        f"passphrase = {SECRET}",
        f"Device(id=1, local_key=b'{SECRET}')",
        "PRAGMA key = \"x'" + "ab" * 32 + "'\"",
        f"password={SECRET}, host=x",
    ],
)
def test_what_looks_like_a_secret_is_hidden(text: str) -> None:
    hidden = Masker().hide(text)
    assert SECRET not in hidden
    assert "abab" not in hidden
    assert "***" in hidden


def test_what_is_known_to_be_a_secret_is_hidden_anywhere() -> None:
    masker = Masker()
    masker.learn([SECRET, "on"])
    assert masker.hide(f"frame {SECRET} turned on") == "frame *** turned on"


def test_ordinary_lines_stay_readable() -> None:
    line = "Device pump-3 (bf12) is online at 10.0.0.4, protocol 3.4"
    assert Masker().hide(line) == line


def test_a_traceback_is_masked_too() -> None:
    MASKER.learn([SECRET])
    try:
        raise ValueError(f"bad frame {SECRET}")
    except ValueError as error:
        record = logging.LogRecord(
            "x", logging.ERROR, __file__, 1, "Failed", (), (type(error), error, error.__traceback__)
        )
    assert SECRET not in MaskingFormatter("%(message)s").format(record)


def test_the_log_goes_to_a_file_that_rotates(tmp_path: Path) -> None:
    handler = logs.to_file(tmp_path)
    try:
        logging.getLogger("somebody").error("local_key=%s", SECRET)
    finally:
        logs.close(handler)
    text = (tmp_path / "plantroom.log").read_text()
    assert "somebody" in text
    assert SECRET not in text


def test_libraries_that_log_payloads_stay_quiet_at_debug() -> None:
    root = logging.getLogger()
    before = root.level
    try:
        logs.set_up("debug", console=False)
        assert root.level == logging.DEBUG
        assert not logging.getLogger("tinytuya").isEnabledFor(logging.DEBUG)
    finally:
        root.setLevel(before)


def test_a_crash_report_has_the_way_and_not_the_values(tmp_path: Path) -> None:
    def break_down(local_key: str) -> None:
        raise RuntimeError(f"could not use local_key={local_key}")

    try:
        break_down(SECRET)
    except RuntimeError as error:
        path = crash.write(tmp_path / "crash", error, ["device", "set", "bf12", SECRET], 1)
    assert path is not None
    text = path.read_text()
    assert "break_down" in text
    assert "RuntimeError" in text
    assert "device set" in text
    assert SECRET not in text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_report_that_cannot_be_written_is_no_second_failure(tmp_path: Path) -> None:
    (tmp_path / "crash").touch()
    assert crash.write(tmp_path / "crash", ValueError("x"), [], 1) is None
