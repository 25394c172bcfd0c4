"""What the tests of the house read: every tracked file, and every module with its syntax tree."""

from __future__ import annotations

import ast
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("app", "ui", "plugins", "installer")


@dataclass(frozen=True)
class Source:
    """One module of the program: its path from the root, its text and its tree."""

    path: str
    text: str
    tree: ast.Module


def _tracked() -> list[Path]:
    git = shutil.which("git")
    if git is None:
        pytest.skip("git is not installed: what is tracked is not known")
    asked = subprocess.run(
        [git, "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if asked.returncode or not asked.stdout:
        pytest.skip("not a git checkout: what is tracked is not known")
    files = [ROOT / name for name in asked.stdout.split("\0") if name]
    return [path for path in files if path.is_file()]


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def tracked_texts() -> dict[str, str]:
    """Every tracked text file by its path from the root."""
    texts = {}
    for path in _tracked():
        try:
            texts[path.relative_to(ROOT).as_posix()] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
    return texts


@pytest.fixture(scope="session")
def sources() -> list[Source]:
    """Every module of the program and of its set-up."""
    found = []
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            found.append(Source(path.relative_to(ROOT).as_posix(), text, ast.parse(text)))
    assert len(found) > 10
    return found
