"""The bootstrap as a newcomer starts it: wrong words, old Pythons, broken and finished set-ups."""

from __future__ import annotations

import ast
import importlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
INSTALLER = ROOT / "installer"
OLDEST_THAT_PARSES = (3, 7)
"""`python3` of the oldest system anybody is likely to try."""


@pytest.fixture
def environment(monkeypatch, tmp_path):
    """The module that makes .venv, working in a project of its own."""
    monkeypatch.syspath_prepend(str(INSTALLER))
    module = importlib.reload(importlib.import_module("environment"))
    (tmp_path / "installer" / "lock").mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text("[project]\n", encoding="utf-8")
    (tmp_path / "installer" / "lock" / "dev.txt").write_text("", encoding="utf-8")
    for name, path in {
        "ROOT": tmp_path,
        "VENV": tmp_path / ".venv",
        "LOCK": tmp_path / "installer" / "lock" / "dev.txt",
        "STAMP": tmp_path / ".venv" / "plantroom-stamp",
    }.items():
        monkeypatch.setattr(module, name, path)
    return module


def bootstrap(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(INSTALLER / "bootstrap.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def pretend_finished(environment) -> None:
    """An environment that looks set up, without the minute that takes."""
    for name in ("python", "plantroom"):
        environment.tool(name).parent.mkdir(parents=True, exist_ok=True)
        environment.tool(name).write_text("", encoding="utf-8")
    environment.STAMP.write_text(environment.wanted_stamp(), encoding="utf-8")


@pytest.mark.parametrize("words", [[], ["dmeo"], ["--fast"]])
def test_an_unknown_action_is_answered_with_the_four_there_are(words):
    done = bootstrap(*words)
    assert done.returncode == 2
    assert "demo|test|setup|run" in done.stderr


def test_help_is_an_answer_and_no_error():
    done = bootstrap("--help")
    assert done.returncode == 0
    assert "setup" in done.stdout


def test_the_entry_file_is_read_by_an_old_python_so_that_it_can_say_what_is_missing():
    text = (INSTALLER / "bootstrap.py").read_text(encoding="utf-8")
    ast.parse(text, feature_version=OLDEST_THAT_PARSES)
    assert "from __future__" not in text


@pytest.mark.skipif(shutil.which("python3.10") is None, reason="no older Python on this machine")
def test_an_old_python_is_told_which_one_is_needed():
    command = ["python3.10", str(INSTALLER / "bootstrap.py"), "demo"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "pyenv" in done.stderr:
        pytest.skip("python3.10 is a shim without an interpreter behind it")
    assert done.returncode == 3
    assert "needs Python 3.11 or newer; this is 3.10" in done.stderr


def test_a_finished_environment_is_left_alone(environment, monkeypatch):
    pretend_finished(environment)
    monkeypatch.setattr(environment, "_run", lambda command: pytest.fail(f"ran {command}"))
    environment.bring_up_to_date()


@pytest.mark.parametrize("changed", ["pyproject.toml", "installer/lock/dev.txt"])
def test_a_changed_lock_or_project_makes_the_environment_stale(environment, changed):
    pretend_finished(environment)
    assert environment.is_current()
    path = environment.ROOT / changed
    path.write_text(path.read_text(encoding="utf-8") + "# new\n", encoding="utf-8")
    assert not environment.is_current()


def test_a_moved_checkout_is_set_up_anew(environment, monkeypatch, tmp_path):
    pretend_finished(environment)
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    monkeypatch.setattr(environment, "ROOT", moved)
    shutil.copy(tmp_path / "pyproject.toml", moved)
    assert not environment.is_current()


def test_a_half_made_environment_is_thrown_away_and_made_whole(environment, monkeypatch):
    broken = environment.tool("python")
    broken.parent.mkdir(parents=True)
    environment.VENV.joinpath("left-over").touch()
    broken.write_text("not a program", encoding="utf-8")
    ran: list[list[str]] = []

    def note(command: list[str]) -> None:
        environment.VENV.mkdir(exist_ok=True)
        ran.append(command)

    monkeypatch.setattr(environment, "_run", note)
    environment.bring_up_to_date()
    assert not environment.VENV.joinpath("left-over").exists()
    assert ran[0][1:3] == ["-m", "venv"]
    assert "--require-hashes" in ran[1]
    assert {"--no-deps", "--no-build-isolation", "--editable"} <= set(ran[2])
    assert environment.STAMP.exists()


def test_a_set_up_that_breaks_off_leaves_no_stamp_behind(environment, monkeypatch):
    pretend_finished(environment)
    environment.LOCK.write_text("# changed\n", encoding="utf-8")

    def no_network(command: list[str]) -> None:
        raise environment.SetUpError(environment.explain("Name or service not known"))

    monkeypatch.setattr(environment, "_run", no_network)
    with pytest.raises(environment.SetUpError, match="no network here"):
        environment.bring_up_to_date()
    assert not environment.STAMP.exists()


def test_a_file_where_the_environment_belongs_is_not_deleted(environment):
    environment.VENV.write_text("mine", encoding="utf-8")
    with pytest.raises(environment.SetUpError, match="Move it away"):
        environment.bring_up_to_date()
    assert environment.VENV.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("NewConnectionError('... Temporary failure in name resolution')", "no network here"),
        ("ERROR: OSError: [Errno 28] No space left on device", "The disk is full"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM", "its hash differs"),
        ("ERROR: No matching distribution found for sqlcipher3==0.6.4", "has no sqlcipher3==0.6.4"),
        ("first\nERROR: something nobody thought of", "something nobody thought of"),
    ],
)
def test_what_pip_says_is_turned_into_a_sentence(environment, output, sentence):
    assert sentence in environment.explain(output)


@pytest.mark.slow
def test_an_environment_is_made_where_this_python_lacks_ensurepip(environment, monkeypatch):
    """As on Debian without python3-venv, for a person who is not root but has pip."""
    packages = importlib.import_module("system_packages")
    monkeypatch.setattr(packages, "missing_for_venv", lambda: ["python3-venv"])
    monkeypatch.setattr(packages, "may_install", lambda: False)
    environment._make_empty()
    assert environment._is_usable()


def test_no_network_ends_in_a_sentence_and_no_traceback(environment):
    """The real pip against a package index that nobody answers for."""
    environment.LOCK.write_text("nothing-of-that-name==1.0 --hash=sha256:00\n", encoding="utf-8")
    command = [sys.executable, "-m", "pip", "install", "--retries", "1", "--no-deps"]
    command += ["--isolated", "--no-cache-dir", "--index-url", "http://127.0.0.1:9/simple"]
    command += ["nothing-of-that-name"]
    with pytest.raises(environment.SetUpError, match="no network here"):
        environment._run(command)
