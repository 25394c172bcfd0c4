"""Pulls live values at a fixed pace, for what is on screen only. No Qt signal per value."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from PySide6.QtCore import QObject, Qt, QTimer, Slot

from app.domain.readings import Reading
from ui.bridge.console import Live

PERIOD_MS = 66
"""15 times a second: faster than anybody reads, slow enough to cost nothing."""

Fresh = Mapping[tuple[str, str], Reading]


class LivePump(QObject):
    """While running, gives `receive` what is dirty and shown; while paused, follows nothing."""

    def __init__(self, live: Live, receive: Callable[[Fresh], None], parent: QObject) -> None:
        super().__init__(parent)
        self._watch = live.watch()
        self._receive = receive
        self._shown: frozenset[str] = frozenset()
        self._timer = QTimer(self)
        self._timer.setInterval(PERIOD_MS)
        self._timer.setTimerType(Qt.TimerType.CoarseTimer)
        self._timer.timeout.connect(self.pull)

    @property
    def shown(self) -> frozenset[str]:
        """The devices that are followed while running."""
        return self._shown

    def show(self, devices: Iterable[str]) -> None:
        """Follow exactly these devices."""
        wanted = frozenset(devices)
        if wanted != self._shown:
            self._shown = wanted
            if self._timer.isActive():
                self._watch.show(wanted)

    def start(self) -> None:
        """Begin to pull."""
        self._watch.show(self._shown)
        self._timer.start()

    def pause(self) -> None:
        """Stop pulling and let the core forget us until `start`."""
        self._timer.stop()
        self._watch.show(())

    def close(self) -> None:
        """Stop for good."""
        self._timer.stop()
        self._watch.close()

    @Slot()
    def pull(self) -> None:
        """Take what changed and pass it on; nothing happens when nothing did."""
        fresh = self._watch.take()
        if fresh:
            self._receive(fresh)
