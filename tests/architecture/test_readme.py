"""The README and the documents say what is there: commands, files and figures."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"!?\[[^\]]*\]\(([^)#]+)[^)]*\)")


def _commands(starting: str) -> list[str]:
    fenced = "\n".join(re.findall(r"```\n(.*?)```", README, re.DOTALL))
    return [line for line in fenced.splitlines() if line.startswith(starting)]


def test_the_two_commands_of_a_newcomer_stand_alone_on_their_lines():
    assert _commands("python3 ") == [
        "python3 installer/bootstrap.py demo",
        "python3 installer/bootstrap.py test",
    ]


@pytest.mark.parametrize("line", _commands("plantroom "))
def test_every_command_of_the_readme_exists(line):
    words = []
    for word in line.split()[1:]:
        if not re.fullmatch("[a-z]+", word):
            break
        words.append(word)
    command = [sys.executable, "-m", "app", *words[:2], "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for option in re.findall(r"--[a-z-]+", line):
        assert option in done.stdout


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_file_a_document_links_to_is_there(document):
    targets = LINK.findall(document.read_text(encoding="utf-8"))
    local = [target for target in targets if "://" not in target]
    missing = [target for target in local if not (document.parent / target).exists()]
    assert missing == []


def test_the_figures_in_the_readme_are_those_that_were_measured():
    command = [sys.executable, str(ROOT / "installer" / "readme_figures.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_folder_the_readme_names_is_there():
    folders = re.findall(r"^\| `([a-z]+)/` \|", README, re.MULTILINE)
    assert len(folders) > 5
    assert [name for name in folders if not (ROOT / name).is_dir()] == []
