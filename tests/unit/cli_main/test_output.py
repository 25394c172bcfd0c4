"""Standard output that cannot be written: a sentence and an exit code, never a traceback."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
VERSION = [sys.executable, "-m", "app", "--version"]
UNKNOWN = [sys.executable, "-m", "app", "--json", b"fl\xffy"]


def test_a_closed_output_is_not_missed() -> None:
    shell = f"exec {sys.executable} -m app --version >&-"
    done = subprocess.run(["sh", "-c", shell], cwd=ROOT, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="looks at a full device")
def test_a_full_disk_under_the_output_is_exit_3_with_a_sentence() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            VERSION, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 3
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_bytes_that_are_no_text_still_make_a_document(locale: str) -> None:
    done = subprocess.run(
        UNKNOWN, cwd=ROOT, capture_output=True, check=False, env={"LC_ALL": locale}
    )
    assert done.returncode == 2
    assert json.loads(done.stdout.decode())["error"]["code"] == "usage"
