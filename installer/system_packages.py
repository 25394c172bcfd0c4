"""Which libraries of the operating system are missing, and how they get here.

Qt's wheel brings Qt but not the system libraries Qt stands on. The lists were found by starting
the program in bare Debian systems and adding one missing library after the other.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from trouble import SetUpError, say

OFF_SCREEN = {
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libglib-2.0.so.0": "libglib2.0-0",
}
"""Library file to Debian package: what Qt needs even without a display."""

WITH_DISPLAY = {
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}
"""The same for a window on an X display."""


def has_display(environment: Mapping[str, str]) -> bool:
    """Whether a window can be shown from here."""
    return bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))


def can_load(library: str) -> bool:
    """Whether the dynamic linker finds this library."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def missing_for_qt(
    environment: Mapping[str, str], loads: Callable[[str], bool] = can_load
) -> list[str]:
    """Debian packages whose libraries Qt will not find here. Empty anywhere but on Linux."""
    if not sys.platform.startswith("linux"):
        return []
    needed = OFF_SCREEN | (WITH_DISPLAY if has_display(environment) else {})
    return [package for library, package in needed.items() if not loads(library)]


def missing_for_venv() -> list[str]:
    """Debian leaves `ensurepip` out of python3; a package of its own brings it."""
    if importlib.util.find_spec("ensurepip") is not None:
        return []
    return [f"python3.{sys.version_info.minor}-venv"]


def is_debian(os_release: str) -> bool:
    """Whether this text of /etc/os-release tells of Debian, Ubuntu or a child of theirs."""
    fields = dict(line.split("=", 1) for line in os_release.splitlines() if "=" in line)
    families = f"{fields.get('ID', '')} {fields.get('ID_LIKE', '')}".replace('"', "").split()
    return bool({"debian", "ubuntu"} & set(families))


def install_command(packages: list[str]) -> str:
    """What a person types to install these packages."""
    return f"sudo apt-get install {' '.join(packages)}"


def may_install() -> bool:
    """Whether this process may install Debian packages: root, on Debian or Ubuntu, with apt."""
    release = Path("/etc/os-release")
    return (
        hasattr(os, "geteuid")
        and os.geteuid() == 0
        and shutil.which("apt-get") is not None
        and release.exists()
        and is_debian(release.read_text(encoding="utf-8"))
    )


def install(packages: list[str]) -> None:
    """Install Debian packages as root.

    Raises:
        SetUpError: apt-get failed; says what it said last and what to type.
    """
    say(f"Installing system packages: {' '.join(packages)}")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    add = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    # A fresh container has no package lists; one that has them needs no second download.
    for command in (add, ["apt-get", "update"], add):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode == 0 and command is add:
            return
    last = (done.stderr or done.stdout).strip().splitlines()[-3:]
    raise SetUpError(
        f"apt-get could not install {' '.join(packages)}: {' '.join(last)} "
        f"Connect this machine to its package source and run: {install_command(packages)}"
    )


def bring(packages: list[str], why: str) -> None:
    """Install `packages` where this process may, otherwise say exactly what to type.

    Raises:
        SetUpError: they are missing and cannot be installed from here.
    """
    if not packages:
        return
    if may_install():
        install(packages)
        return
    raise SetUpError(f"{why} Install them and try again: {install_command(packages)}")
