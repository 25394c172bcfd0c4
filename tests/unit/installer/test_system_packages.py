"""Which system packages are asked for, and how the command reads that a person types."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

INSTALLER = Path(__file__).resolve().parents[3] / "installer"


@pytest.fixture
def packages(monkeypatch):
    monkeypatch.syspath_prepend(str(INSTALLER))
    return importlib.import_module("system_packages")


on_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux libraries")


@on_linux
def test_without_a_display_only_the_six_off_screen_packages_are_asked_for(packages):
    missing = packages.missing_for_qt({}, loads=lambda library: False)
    assert missing == [
        "libgl1", "libegl1", "libxkbcommon0", "libdbus-1-3", "libfontconfig1", "libglib2.0-0",
    ]  # fmt: skip


@on_linux
@pytest.mark.parametrize("variable", ["DISPLAY", "WAYLAND_DISPLAY"])
def test_with_a_display_the_xcb_packages_are_asked_for_too(packages, variable):
    missing = packages.missing_for_qt({variable: ":0"}, loads=lambda library: False)
    assert "libxcb-cursor0" in missing
    assert len(missing) == 12


@on_linux
def test_only_what_does_not_load_is_asked_for(packages):
    missing = packages.missing_for_qt({}, loads=lambda library: library != "libEGL.so.1")
    assert missing == ["libegl1"]


def test_nothing_is_missing_when_everything_loads(packages):
    assert packages.missing_for_qt({"DISPLAY": ":0"}, loads=lambda library: True) == []


def test_the_command_to_type_names_exactly_the_missing_packages(packages):
    assert packages.install_command(["libgl1", "libegl1"]) == (
        "sudo apt-get install libgl1 libegl1"
    )


@pytest.mark.parametrize(
    ("os_release", "debian"),
    [
        ("ID=debian\n", True),
        ('NAME="Ubuntu"\nID=ubuntu\nID_LIKE=debian\n', True),
        ('ID=linuxmint\nID_LIKE="ubuntu debian"\n', True),
        ('ID="rocky"\nID_LIKE="rhel centos fedora"\n', False),
        ("", False),
    ],
)
def test_debian_and_its_children_are_recognised(packages, os_release, debian):
    assert packages.is_debian(os_release) is debian


def test_what_may_not_be_installed_from_here_is_told_with_the_command(packages, monkeypatch):
    monkeypatch.setattr(packages, "may_install", lambda: False)
    with pytest.raises(packages.SetUpError, match="sudo apt-get install libgl1"):
        packages.bring(["libgl1"], "Qt needs system libraries that are not here.")


def test_with_nothing_missing_nothing_is_done(packages):
    packages.bring([], "")
