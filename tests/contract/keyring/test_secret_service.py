"""The key store against a real Secret Service on a bus of its own, and against none."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
NEEDED = ("dbus-run-session", "gnome-keyring-daemon")
MISSING = [name for name in NEEDED if shutil.which(name) is None]

needs_service = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")
pytestmark = [
    pytest.mark.real_keyring,
    pytest.mark.skipif(sys.platform != "linux", reason="the Secret Service is Linux's"),
]

PROLOGUE = """
import json, os, pathlib, sys
from app.domain.errors import ConsoleError
from app.secrets.custody import Custody, unlock
from app.secrets.keystore import StoreSilent, SystemKeyStore

def custody(in_use, **environ):
    return Custody(pathlib.Path(sys.argv[1]) / "key.json", in_use, environ, SystemKeyStore(8.0))

def tell(**said):
    print("TOLD" + json.dumps(said))
"""
UNLOCK = "printf 'open sesame' | gnome-keyring-daemon --unlock --components=secrets >/dev/null"
LOCKED = "gnome-keyring-daemon --start --components=secrets >/dev/null"


def environment(home: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k not in ("DBUS_SESSION_BUS_ADDRESS", "DISPLAY")}
    runtime = home / "runtime"
    runtime.mkdir(mode=0o700, exist_ok=True)
    own = {
        "HOME": str(home),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_RUNTIME_DIR": str(runtime),
        "PYTHONWARNINGS": "default",
    }
    return {**kept, **own}


def in_session(home: Path, daemon: str, script: str) -> dict[str, Any]:
    """Run `script` on a session bus of its own; what it told."""
    program = [sys.executable, "-c", PROLOGUE + script, str(home)]
    return told(["dbus-run-session", "--", "sh", "-c", f'{daemon}; "$@"', "sh", *program], home)


def told(command: list[str], home: Path, **environ: str) -> dict[str, Any]:
    done = subprocess.run(
        command,
        env={**environment(home), **environ},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    lines = [line[4:] for line in done.stdout.splitlines() if line.startswith("TOLD")]
    assert len(lines) == 1, done.stdout + done.stderr
    said: dict[str, Any] = json.loads(lines[0])
    return said


FIRST = """
master = unlock(custody(False))
tell(check=master.check(), file=json.loads((pathlib.Path(sys.argv[1]) / "key.json").read_text()))
"""
AGAIN = """
import secretstorage
bus = secretstorage.dbus_init()
items = list(secretstorage.get_default_collection(bus).get_all_items())
tell(check=unlock(custody(True)).check(), sizes=[len(item.get_secret()) for item in items])
bus.close()
"""


@needs_service
def test_one_small_entry_holds_the_key_and_is_found_again(tmp_path: Path) -> None:
    first = in_session(tmp_path, UNLOCK, FIRST)
    again = in_session(tmp_path, UNLOCK, AGAIN)
    assert again["check"] == first["check"] == first["file"]["check"]
    assert again["sizes"] == [44]
    assert "passphrase" not in first["file"]


@needs_service
def test_an_entry_that_was_removed_is_not_replaced(tmp_path: Path) -> None:
    in_session(tmp_path, UNLOCK, FIRST)
    script = """
account = json.loads((pathlib.Path(sys.argv[1]) / "key.json").read_text())["account"]
SystemKeyStore().delete(account)
try:
    unlock(custody(True))
except ConsoleError as error:
    tell(code=error.code, exit=error.exit_code, left=SystemKeyStore().get(account))
"""
    said = in_session(tmp_path, UNLOCK, script)
    assert said == {"code": "key.store_silent", "exit": 3, "left": None}


@needs_service
def test_a_locked_store_leads_to_the_passphrase(tmp_path: Path) -> None:
    given = "PLANTROOM_PASSPHRASE='correct horse battery'"
    first = in_session(tmp_path, UNLOCK, f"tell(check=unlock(custody(False, {given})).check())")
    locked = in_session(
        tmp_path,
        LOCKED,
        "account = json.loads((pathlib.Path(sys.argv[1]) / 'key.json').read_text())['account']\n"
        "try:\n    SystemKeyStore(8.0).get(account); silent = None\n"
        "except StoreSilent as error:\n    silent = error.reason\n"
        f"tell(silent=silent, check=unlock(custody(True, {given})).check())",
    )
    assert locked["check"] == first["check"]
    assert locked["silent"]


ALONE = """
try:
    SystemKeyStore(1.0).get("x")
except StoreSilent as silent:
    tell(reason=silent.reason)
"""


def test_without_a_bus_there_is_none(tmp_path: Path) -> None:
    said = told([sys.executable, "-c", PROLOGUE + ALONE, str(tmp_path)], tmp_path)
    assert said["reason"] == "there is none on this system"


@needs_service
def test_a_bus_without_a_store_has_none(tmp_path: Path) -> None:
    # The service files that would start a store on demand are hidden.
    said = in_session(tmp_path, "true", f"os.environ['PATH'] = ''\n{ALONE}")
    assert said["reason"]


def test_a_store_that_hangs_is_given_up_on(tmp_path: Path) -> None:
    path = tmp_path / "bus"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as silent_bus:
        silent_bus.bind(str(path))
        silent_bus.listen(8)
        said = told(
            [sys.executable, "-c", PROLOGUE + ALONE, str(tmp_path)],
            tmp_path,
            DBUS_SESSION_BUS_ADDRESS=f"unix:path={path}",
        )
    assert said["reason"] == "it did not answer within 1 s"


def test_a_backend_that_only_pretends_is_never_chosen(tmp_path: Path) -> None:
    script = (
        "import keyring\nfrom keyring.backends import null\nkeyring.set_keyring(null.Keyring())\n"
    )
    said = told(
        [sys.executable, "-c", PROLOGUE + script + ALONE, str(tmp_path)],
        tmp_path,
        PYTHON_KEYRING_BACKEND="keyring.backends.null.Keyring",
    )
    assert said["reason"] == "there is none on this system"
