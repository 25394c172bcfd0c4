"""The holder's side: lets callers in, and runs each one's command without holding up the others."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from app.control.transport import Channel, Doorway, open_doorway
from app.control.wire import MAX_REQUEST_BYTES, Answer, Request, WireError
from app.domain.errors import ConsoleError, Refused
from app.runtime.events import EventBus
from app.runtime.threads import NamedThread

log = logging.getLogger(__name__)

MAX_CALLERS = 64
"""Served at once; others wait at the door, and are not turned away."""


class ControlServer:
    """Serves one profile. `handle` runs on a thread of its own per caller and may take its time.

    `handle` gets the request and returns the answer; what it raises as a ConsoleError becomes the
    answer too, so a caller always hears something.
    """

    def __init__(
        self, data: Path, address_file: Path, handle: Callable[[Request], Answer], bus: EventBus
    ) -> None:
        self._data = data
        self._address_file = address_file
        self._handle = handle
        self._bus = bus
        self._doorway: Doorway | None = None
        self._thread: NamedThread | None = None
        self._callers: set[threading.Thread] = set()
        self._lock = threading.Lock()
        self._places = threading.Semaphore(MAX_CALLERS)
        self._stopping = threading.Event()

    def start(self) -> None:
        """Listen, and say in the data folder where. Raises OSError."""
        self._doorway = open_doorway(self._data)
        part = self._address_file.with_name(self._address_file.name + ".part")
        part.unlink(missing_ok=True)
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(self._doorway.address)
        part.replace(self._address_file)
        self._thread = NamedThread("control", self._listen, self._bus)
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Let nobody in, give running commands a moment to answer."""
        self._stopping.set()
        self._address_file.unlink(missing_ok=True)
        if self._doorway is not None:
            self._doorway.close()
        if self._thread is not None:
            self._thread.join_within(timeout_s)
        with self._lock:
            callers = list(self._callers)
        for caller in callers:
            caller.join(timeout_s)

    def _listen(self) -> None:
        assert self._doorway is not None
        number = 0
        while not self._stopping.is_set():
            if not self._places.acquire(timeout=0.2):
                continue
            try:
                channel = self._doorway.accept()
            except OSError:
                self._places.release()
                if self._stopping.is_set():
                    return
                log.warning("The control socket could not take a caller", exc_info=True)
                if self._stopping.wait(0.2):
                    return
                continue
            number += 1
            caller = NamedThread(f"control-{number}", partial(self._serve, channel), self._bus)
            with self._lock:
                self._callers.add(caller)
            caller.start()

    def _serve(self, channel: Channel) -> None:
        try:
            request = Request.decode(channel.receive(MAX_REQUEST_BYTES))
            channel.heard()
            channel.send(self._answer(request).encode())
        except (OSError, WireError) as error:
            if not self._stopping.is_set():  # else it is the caller that woke the listener
                log.info("A caller of the control socket left: %s", error)
        finally:
            channel.close()
            with self._lock:
                self._callers.discard(threading.current_thread())
            self._places.release()

    def _answer(self, request: Request) -> Answer:
        if self._stopping.is_set():
            error: ConsoleError = Refused(
                "profile.closing", "Plantroom is closing this profile.", do="Try again.", retry=True
            )
            return Answer(error.document(), error.sentence(), error.exit_code)
        try:
            return self._handle(request)
        except ConsoleError as failed:
            return Answer(failed.document(), failed.sentence(), failed.exit_code)
