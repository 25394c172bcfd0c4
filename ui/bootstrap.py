"""The composition root, Qt half: makes the application and the window over a running core."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.domain.readings import Value
from ui import preflight

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from app.wiring import Core
    from ui.bridge.console import Console
    from ui.theme.theme import Theme

log = logging.getLogger(__name__)

_KEPT: list[object] = []
"""What Qt made, kept until the process ends. Taken apart earlier, while threads of the core still
run, an answer can reach a widget as it is destroyed, or a thread's garbage collection destroys
one; either ends the process before the recorders have closed their files."""

INTERRUPTED = 130
"""The exit code of whatever Ctrl+C ended."""
SWITCH_INTERVAL_S = 0.0005
"""A tenth of Python's default: background Python must not hold up a repaint."""


def run_window(core: Core, *, demo: bool) -> int:
    """Show the window over a started core until it is closed; returns the exit code.

    Raises:
        EnvironmentLacks: Qt's system libraries, a display or a font is missing.
    """
    preflight.check(screen=True)
    app, theme = make_application()
    from ui.shell.window import MainWindow  # noqa: PLC0415  Qt only after the preflight

    window = MainWindow(console_of(core), theme, demo=demo)
    _KEPT.extend((app, theme, window))
    window.closed.connect(app.quit)
    window.show()
    with _interrupt_quits(app) as interrupted:
        code = app.exec()
    return INTERRUPTED if interrupted.is_set() else code


def run_offscreen(
    core: Core, *, for_s: float, screenshots: Path, out: Callable[[dict[str, Any]], None]
) -> int:
    """The same window without a display: tells what it sees, saves pictures, ends by itself.

    `out` gets a document about every five seconds and at last `{"screenshots": [...]}`.

    Raises:
        EnvironmentLacks: Qt's system libraries or a font is missing.
    """
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    preflight.check(screen=False)
    app, theme = make_application()
    from ui.offscreen import Tour  # noqa: PLC0415  Qt only after the preflight
    from ui.shell.window import MainWindow  # noqa: PLC0415

    window = MainWindow(console_of(core), theme, demo=True)
    tour = Tour(window, theme, for_s=for_s, folder=screenshots, out=out)
    _KEPT.extend((app, theme, window, tour))
    tour.finished.connect(window.close)
    window.closed.connect(app.quit)
    window.show()
    tour.start()
    with _interrupt_quits(app) as interrupted:
        code = app.exec()
    return INTERRUPTED if interrupted.is_set() else code


def make_application() -> tuple[QApplication, Theme]:
    """The one QApplication of this process with fonts and appearance."""
    from PySide6.QtCore import Qt  # noqa: PLC0415  Qt only after the preflight
    from PySide6.QtWidgets import QApplication  # noqa: PLC0415

    from ui.theme.fonts import load_fonts  # noqa: PLC0415
    from ui.theme.theme import Theme  # noqa: PLC0415

    sys.setswitchinterval(SWITCH_INTERVAL_S)
    found = QApplication.instance()
    if not isinstance(found, QApplication):
        QApplication.setHighDpiScaleFactorRoundingPolicy(
            Qt.HighDpiScaleFactorRoundingPolicy.PassThrough
        )
        found = QApplication(["plantroom"])
        found.setApplicationName("Plantroom")
        found.setDesktopFileName("plantroom")
    load_fonts()
    return found, Theme(found)


def console_of(core: Core) -> Console:
    """What the window needs of the core."""
    from ui.bridge.console import Console  # noqa: PLC0415  it is typed by the services

    return Console(
        clock=core.clock,
        bus=core.bus,
        jobs=core.jobs,
        live=core.live,
        directory=core.directory,
        control=core.control,
        past=_Past(core).since,
    )


class _Past:
    """The minutes before now, from the recorder."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def since(self, device: str, point: str, from_ms: int) -> tuple[Sequence[int], Sequence[Value]]:
        """Times and raw values of a device's point since `from_ms` (UTC milliseconds)."""
        core = self._core
        routes: Mapping[str, Any] = core.directory.routes()
        route = routes.get(device)
        asset = route.asset if route is not None else f"device:{device}"
        rows = core.history.raw(asset, point, from_ms, core.clock.now_ms() + 1)
        return [row[0] for row in rows], [row[1] for row in rows]


@contextmanager
def _interrupt_quits(app: QApplication) -> Iterator[threading.Event]:
    """Ctrl+C closes the window in order instead of tearing the process down, and is told."""
    interrupted = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield interrupted
        return

    def quit_window(number: int, _frame: object) -> None:
        if number == signal.SIGINT:
            interrupted.set()
        app.closeAllWindows()

    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in kept:
        signal.signal(number, quit_window)
    try:
        yield interrupted
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
