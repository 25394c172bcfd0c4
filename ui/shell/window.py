"""The window: rail, top bar, the page, footer. Pages are registered here and nowhere else."""

from __future__ import annotations

from datetime import tzinfo

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from app.domain.words import Path
from ui.bridge.console import Console
from ui.bridge.event_bridge import EventBridge
from ui.pages.devices.page import DevicesPage
from ui.pages.devices.words import age_word
from ui.shell.footer import Footer
from ui.shell.rail import Rail
from ui.shell.top_bar import TopBar
from ui.theme.theme import Theme

_PAGES = (("Devices", "cpu"),)


class MainWindow(QMainWindow):
    """Closes in order: events first, then the page with its pump and timers."""

    closed = Signal()

    def __init__(
        self, console: Console, theme: Theme, *, demo: bool, zone: tzinfo | None = None
    ) -> None:
        super().__init__()
        self._console = console
        self._published = (console.clock.monotonic_s(), console.live.counts["published"])
        self._rate = ""
        self._fault = ""
        self.setWindowTitle("Plantroom demo" if demo else "Plantroom")
        self.setMinimumSize(1024, 640)
        self.resize(1440, 900)
        self.rail = Rail(_PAGES, theme)
        self.top_bar = TopBar(theme, demo=demo)
        self.footer = Footer()
        self.devices = DevicesPage(console, theme, zone)
        self._pages = QStackedWidget()
        self._pages.addWidget(self.devices)
        self._events = EventBridge(console.bus, self)
        self._arrange()
        self._connect()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Let go of the core before Qt lets go of us."""
        self._events.close()
        self.devices.close_page()
        super().closeEvent(event)
        self.closed.emit()

    def _arrange(self) -> None:
        root = QWidget()
        root.setObjectName("root")
        across = QHBoxLayout(root)
        across.setContentsMargins(0, 0, 0, 0)
        across.setSpacing(0)
        across.addWidget(self.rail)
        column = QVBoxLayout()
        column.setSpacing(0)
        column.addWidget(self.top_bar)
        column.addWidget(self._pages, 1)
        column.addWidget(self.footer)
        across.addLayout(column, 1)
        self.setCentralWidget(root)

    def _connect(self) -> None:
        self.rail.picked.connect(self._pages.setCurrentIndex)
        self.devices.changed.connect(self._on_changed)
        self._events.devices_changed.connect(self.devices.refresh)
        self._events.raise_asked.connect(self._come_to_front)
        self._events.fault.connect(self._on_fault)

    @Slot()
    def _on_changed(self) -> None:
        lines = self.devices.model.ledger.lines
        reached = sum(line.row.path is not Path.NONE for line in lines)
        self.top_bar.show_source(devices=len(lines), reached=reached)
        self.top_bar.show_site(_site_words({line.row.site for line in lines}))
        self.footer.show_state(f"{reached} of {len(lines)} reached", self._freshness())
        self.footer.show_right(self._fault or self._readings_rate())

    def _freshness(self) -> str:
        newest_ms = self.devices.newest_ms
        if newest_ms is None:
            return "no reading yet"
        return f"newest reading {age_word(self._console.clock.now_ms() - newest_ms)} ago"

    def _readings_rate(self) -> str:
        now_s, count = self._console.clock.monotonic_s(), self._console.live.counts["published"]
        before_s, before = self._published
        if now_s - before_s >= 5:
            self._published = (now_s, count)
            self._rate = f"{(count - before) / (now_s - before_s):.0f} readings a second"
        return self._rate

    @Slot()
    def _come_to_front(self) -> None:
        self.showNormal() if self.isMinimized() else self.show()
        self.raise_()
        self.activateWindow()

    @Slot(str)
    def _on_fault(self, thread: str) -> None:
        self._fault = f"Something failed inside ({thread}); the log says more"
        self.footer.show_right(self._fault)


def _site_words(sites: set[str]) -> str:
    named = sorted(site for site in sites if site)
    if not named:
        return "Plantroom"
    return named[0] if len(named) == 1 else f"{len(named)} sites"
