"""Looks for Qt's system libraries before Qt is imported: Qt itself aborts without a word.

Sonames and packages were found one by one on a bare Debian 12.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Mapping

from app.domain.errors import EnvironmentLacks

_ALWAYS = {
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libglib-2.0.so.0": "libglib2.0-0",
}
_ON_A_SCREEN = {
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}


def display_available(environment: Mapping[str, str] = os.environ) -> bool:
    """True where a window can be seen: Windows, macOS, or a Linux session with a display."""
    if sys.platform != "linux":
        return True
    return bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))


def missing_packages(*, screen: bool) -> list[str]:
    """Debian packages whose libraries cannot be loaded; with `screen` also those of X11."""
    if sys.platform != "linux":
        return []
    wanted = {**_ALWAYS, **_ON_A_SCREEN} if screen else _ALWAYS
    return [package for soname, package in wanted.items() if not _loads(soname)]


def check(*, screen: bool, environment: Mapping[str, str] = os.environ) -> None:
    """Stop with one sentence and one command line instead of an abort inside Qt.

    Raises:
        EnvironmentLacks: libraries are missing, or a window was asked for without a display.
    """
    platform = environment.get("QT_QPA_PLATFORM", "")
    x11 = screen and (not platform or platform.startswith("xcb"))
    missing = missing_packages(screen=x11)
    if missing:
        raise EnvironmentLacks(
            "window.libraries",
            f"The window needs {len(missing)} system libraries that are not installed.",
            do=f"Run: sudo apt install {' '.join(missing)}",
        )
    if screen and not platform and not display_available(environment):
        raise EnvironmentLacks(
            "window.no_display",
            "There is no display to open a window on.",
            do="Run it in a desktop session, or use 'run --headless'.",
        )


def _loads(soname: str) -> bool:
    try:
        ctypes.CDLL(soname)
    except OSError:
        return False
    return True
