"""The locks agree with pyproject.toml and with each other, and every file in them has a hash."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator

import pytest
from packaging.requirements import Requirement

LOCKS = {"core": [], "ui": ["ui"], "test": ["test"], "dev": ["ui", "dev"]}
PIN = re.compile(r"^(?P<name>[a-z0-9-]+)==(?P<version>\S+)", re.MULTILINE)


def _pins(root, name: str) -> dict[str, set[str]]:
    text = (root / "installer" / "lock" / f"{name}.txt").read_text(encoding="utf-8")
    pins: dict[str, set[str]] = {}
    for found in PIN.finditer(text):
        pins.setdefault(found["name"], set()).add(found["version"])
    return pins


def _wanted(project: dict, extras: list[str]) -> Iterator[Requirement]:
    yield from map(Requirement, project["dependencies"])
    for extra in extras:
        for line in project["optional-dependencies"][extra]:
            requirement = Requirement(line)
            if requirement.name == project["name"]:
                yield from _wanted(project, sorted(requirement.extras))
            else:
                yield requirement


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_pins_what_pyproject_asks_for_in_a_version_it_allows(root, name):
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pins = _pins(root, name)
    missing = []
    for requirement in _wanted(project, LOCKS[name]):
        versions = pins.get(re.sub("[-_.]+", "-", requirement.name).lower(), set())
        if not any(requirement.specifier.contains(version) for version in versions):
            missing.append(f"{requirement} (pinned: {', '.join(versions) or 'not at all'})")
    assert missing == [], "run: python installer/make_locks.py"


@pytest.mark.parametrize("name", ["core", "ui", "test"])
def test_every_lock_takes_its_versions_from_the_widest(root, name):
    widest = _pins(root, "dev")
    astray = {n: v for n, v in _pins(root, name).items() if not v <= widest.get(n, set())}
    assert astray == {}


@pytest.mark.parametrize("name", LOCKS)
def test_every_pin_has_a_hash(root, name):
    text = (root / "installer" / "lock" / f"{name}.txt").read_text(encoding="utf-8")
    entries = re.split(r"(?m)^(?=[a-z0-9])", text)
    bare = [entry.splitlines()[0] for entry in entries if entry and "--hash=sha256:" not in entry]
    assert bare == []


def test_the_core_brings_no_part_of_the_window(root):
    assert not {"pyside6-essentials", "shiboken6", "pyqtgraph"} & set(_pins(root, "core"))
    assert not {"pyside6-essentials", "pytest-qt"} & set(_pins(root, "test"))
