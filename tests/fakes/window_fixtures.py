"""A window over a small real core, off screen, with the bundled fonts."""

from __future__ import annotations

import os

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from zoneinfo import ZoneInfo

import pytest
from fakes.window_core import WindowCore
from PySide6.QtCore import QPoint
from PySide6.QtGui import QCursor


@pytest.fixture(scope="session")
def theme(qapp):
    from ui.theme.fonts import load_fonts
    from ui.theme.theme import Theme

    load_fonts()
    return Theme(qapp)


@pytest.fixture
def core():
    core = WindowCore()
    core.jobs.start()
    yield core
    core.jobs.stop()


@pytest.fixture
def open_window(core, theme, qtbot):
    """Opens a window that shows its devices; closes it in order."""
    from ui.shell.window import MainWindow

    windows = []

    def open_(width=1440, height=900, *, wait=True):
        theme.choose(dark=False)
        QCursor.setPos(QPoint(5000, 5000))
        window = MainWindow(core.console(), theme, demo=True, zone=ZoneInfo("UTC"))
        windows.append(window)
        window.resize(width, height)
        window.show()
        if wait:
            qtbot.waitUntil(lambda: bool(window.devices.model.ledger.lines), timeout=5000)
        return window

    yield open_
    for window in windows:
        window.close()
        window.deleteLater()
    theme.choose(dark=False)
