"""Brings the core's events to the main thread: one queued signal for any number of them."""

from __future__ import annotations

import threading
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, Signal, Slot

from app.runtime.events import AppFault, Changed, EventBus, LinksChanged, RaiseWindow


class EventBridge(QObject):
    """Subscribes while it lives; call `close` before the window goes.

    `devices_changed` says that records or connections changed since it was last emitted.
    """

    devices_changed = Signal()
    raise_asked = Signal()
    fault = Signal(str)
    _woken = Signal()

    def __init__(self, bus: EventBus, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lock = threading.Lock()
        self._changed = False
        self._raise = False
        self._faults: list[str] = []
        self._woken.connect(self._deliver, Qt.ConnectionType.QueuedConnection)
        self._ends: list[Callable[[], None]] = [
            bus.subscribe(Changed, self._on_changed),
            bus.subscribe(LinksChanged, self._on_links),
            bus.subscribe(RaiseWindow, self._on_raise),
            bus.subscribe(AppFault, self._on_fault),
        ]

    def close(self) -> None:
        """Hear nothing any more."""
        for end in self._ends:
            end()
        self._ends.clear()

    # These four run on whichever thread published.
    def _on_changed(self, _event: Changed) -> None:
        self._note(changed=True)

    def _on_links(self, _event: LinksChanged) -> None:
        self._note(changed=True)

    def _on_raise(self, _event: RaiseWindow) -> None:
        self._note(to_front=True)

    def _on_fault(self, event: AppFault) -> None:
        self._note(fault=event.thread)

    def _note(self, *, changed: bool = False, to_front: bool = False, fault: str = "") -> None:
        with self._lock:
            first = not (self._changed or self._raise or self._faults)
            self._changed |= changed
            self._raise |= to_front
            if fault:
                self._faults.append(fault)
        if first:
            self._woken.emit()

    @Slot()
    def _deliver(self) -> None:
        with self._lock:
            changed, to_front, faults = self._changed, self._raise, self._faults
            self._changed, self._raise, self._faults = False, False, []
        if changed:
            self.devices_changed.emit()
        if to_front:
            self.raise_asked.emit()
        for thread in faults:
            self.fault.emit(thread)
