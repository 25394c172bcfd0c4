"""Hands the end of work done elsewhere to a method on the main thread."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal, Slot

from app.domain.errors import Cancelled, ConsoleError
from ui.bridge.console import Settling

log = logging.getLogger(__name__)


class JobBinding(QObject):
    """Binds one future after another; what comes back after `release` is dropped.

    `done` gets the result, `failed` a ConsoleError with a sentence for the person. A failure that
    is none is a bug: it is logged where it happened and told here in plain words.
    """

    _settled = Signal(object)

    def __init__(
        self,
        parent: QObject,
        done: Callable[[Any], None],
        failed: Callable[[ConsoleError], None],
    ) -> None:
        super().__init__(parent)
        self._done = done
        self._failed = failed
        self._waiting: Settling | None = None
        self._settled.connect(self._receive, Qt.ConnectionType.QueuedConnection)

    @property
    def busy(self) -> bool:
        """True while something is awaited."""
        return self._waiting is not None

    def bind(self, work: Settling) -> None:
        """Await `work`; an earlier one that has not ended is forgotten."""
        self._waiting = work
        work.add_done_callback(self._tell)

    def release(self) -> None:
        """Await nothing any more."""
        self._waiting = None

    def _tell(self, work: Settling) -> None:
        try:
            self._settled.emit(work)
        except RuntimeError:
            # The window is gone and Qt has deleted this object: nobody waits for the answer.
            log.debug("An answer came after its window had closed")

    @Slot(object)
    def _receive(self, work: Settling) -> None:
        if work is not self._waiting:
            return
        self._waiting = None
        try:
            result = work.result(0)
        except Cancelled:
            return
        except ConsoleError as error:
            self._failed(error)
            return
        except Exception as error:  # noqa: BLE001  a bug elsewhere must not leave a button dead
            log.error("Work for the window failed: %s", type(error).__name__)  # noqa: TRY400
            self._failed(_bug(error))
            return
        self._done(result)


def _bug(error: Exception) -> ConsoleError:
    return ConsoleError(
        "window.bug",
        f"Something inside Plantroom failed ({type(error).__name__}).",
        do="The log says more; what is recorded is not affected.",
        retry=True,
    )
