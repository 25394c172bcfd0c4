"""Reading a command line, without the core behind it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cli import arguments
from app.cli.arguments import Globals, HelpWanted, parse_command, split_globals, wants_json
from app.cli.main import run_command_line
from app.domain.errors import InvalidRequest

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    "words",
    [
        ["--data", "d", "--json", "devices", "list"],
        ["devices", "list", "--json", "--data=d"],
        ["--json", "devices", "--data", "d", "list"],
    ],
)
def test_both_options_are_taken_before_and_after_the_verb(words: list[str]) -> None:
    assert split_globals(words) == (Globals("d", json=True), ["devices", "list"])


def test_after_two_dashes_nothing_is_an_option() -> None:
    words = ["device", "set", "x", "dp:1", "--", "--json"]
    assert split_globals(words) == (Globals(), words)
    assert not wants_json(words)


@pytest.mark.parametrize("words", [["--data"], ["--data="], ["devices", "--data", "--json"]])
def test_a_data_option_without_folder_is_wrong_use(words: list[str]) -> None:
    with pytest.raises(InvalidRequest):
        split_globals(words)


def test_files_are_found_from_the_callers_folder(tmp_path: Path) -> None:
    command, options = parse_command(["devices", "import", "inv.json"], tmp_path)
    assert command.path == ("devices", "import")
    assert Path(options.file) == tmp_path / "inv.json"


@pytest.mark.parametrize("group", arguments.GROUPS)
def test_every_group_lists_its_verbs(group: str) -> None:
    with pytest.raises(HelpWanted) as wanted:
        parse_command([group, "--help"])
    assert group in wanted.value.text


def test_wrong_use_says_what_is_wrong_and_where_help_is() -> None:
    for words in (["devices"], ["devices", "fly"], ["device", "set"], ["nothing"]):
        with pytest.raises(InvalidRequest) as caught:
            parse_command(words)
        assert "--help" in caught.value.do


@given(words=st.lists(st.text(max_size=12), min_size=1, max_size=5))
def test_no_words_break_the_parser(words: list[str]) -> None:
    try:
        _, rest = split_globals(words)
        if rest and rest[0] in arguments.GROUPS:
            parse_command(rest)
    except (InvalidRequest, HelpWanted):
        pass


def plantroom(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app", *words],
        cwd=ROOT,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def test_the_version_needs_next_to_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "app", "--version"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("plantroom ")
    for heavy in ("asyncio", "sqlalchemy", "numpy", "tinytuya", "keyring", "PySide6"):
        assert f" {heavy}\n" not in done.stderr


def test_wrong_use_is_exit_2_and_a_document_under_json() -> None:
    done = plantroom("--json", "devices", "fly")
    assert done.returncode == 2
    assert done.stdout.count("\n") == 1
    assert '"code": "usage"' in done.stdout
    done = plantroom("devices", "fly")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "fly" in done.stderr


def test_neither_key_store_nor_passphrase_is_exit_3(tmp_path: Path) -> None:
    done = plantroom("--data", str(tmp_path / "p"), "--json", "devices", "list")
    assert done.returncode == 3
    assert '"key.no_passphrase"' in done.stdout
    assert not (tmp_path / "p" / "console.db").exists()


def test_help_lists_every_command() -> None:
    done = plantroom("--help")
    assert done.returncode == 0
    for word in (*arguments.GROUPS, *arguments.STREAMS):
        assert f"  {word} " in done.stdout


def test_a_reader_that_leaves_is_no_failure(tmp_path: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m app --help | true"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""


def test_a_data_folder_that_is_a_file_is_exit_2(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = plantroom("--data", str(tmp_path / "file"), "--json", "devices", "list")
    assert done.returncode == 2
    assert '"data.not_a_folder"' in done.stdout


def test_a_bug_is_exit_1_with_a_report_that_is_named(
    own_profile: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> ModuleType:
        raise RuntimeError("this cannot happen, local_key=0123456789abcdef")

    assert run_command_line(["--json"], broken) == 1
    error = json.loads(capsys.readouterr().out)["error"]
    report = Path(error["where"])
    assert report.parent == own_profile / "crash"
    assert "this cannot happen" in report.read_text()
    assert "0123456789abcdef" not in report.read_text() + json.dumps(error)


def test_ctrl_c_is_exit_130(own_profile: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted() -> ModuleType:
        raise KeyboardInterrupt

    assert run_command_line(["--json"], interrupted) == 130
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "cancelled"
