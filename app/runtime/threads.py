"""Named threads whose failures are heard, and bounded waiting for their end."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from app.runtime.events import AppFault, EventBus

log = logging.getLogger(__name__)


class NamedThread(threading.Thread):
    """A thread with a job title. What it raises is logged with its name and published."""

    def __init__(self, name: str, target: Callable[[], None], bus: EventBus | None = None) -> None:
        super().__init__(name=name, daemon=True)
        self._work = target
        self._bus = bus
        self.error: BaseException | None = None

    def run(self) -> None:
        """Run the target; a failure ends the thread and is told once."""
        try:
            self._work()
        except BaseException as error:
            self.error = error
            log.exception("Thread %s failed", self.name)
            if self._bus is not None:
                self._bus.publish(AppFault(self.name, error))

    def join_within(self, timeout_s: float) -> bool:
        """Wait for the end; False and a log line when it does not come."""
        self.join(timeout_s)
        if self.is_alive():
            log.error("Thread %s did not stop within %.0f s", self.name, timeout_s)
            return False
        return True
