"""Jobs: anything that can take over 200 ms has a name, progress, cancel, outcome and log."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from enum import StrEnum
from typing import Any, Generic, TypeVar

from app.domain.errors import Cancelled, ConsoleError
from app.runtime.events import AppFault, EventBus
from app.runtime.threads import NamedThread

log = logging.getLogger(__name__)

R = TypeVar("R")
WORKERS = 4


class JobState(StrEnum):
    """Where a job stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Job(Generic[R]):
    """A handle on work that goes on elsewhere. Safe to use from any thread."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.future: Future[R] = Future()
        self.progress: float | None = None
        self.text = ""
        self._cancel = threading.Event()
        self._running = False

    @property
    def state(self) -> JobState:
        """Where the job stands now."""
        if not self.future.done():
            return JobState.RUNNING if self._running else JobState.WAITING
        if self.future.cancelled() or isinstance(self.future.exception(), Cancelled):
            return JobState.CANCELLED
        return JobState.FAILED if self.future.exception() else JobState.DONE

    def result(self, timeout_s: float | None = None) -> R:
        """Wait for the outcome; raises what the work raised, or TimeoutError."""
        try:
            return self.future.result(timeout_s)
        except CancelledError:
            raise Cancelled from None

    def cancel(self) -> None:
        """Ask the work to stop at its next step; work that has not begun never begins."""
        self._cancel.set()
        if not self._running:
            self.future.cancel()

    def step(self, progress: float | None = None, text: str = "") -> None:
        """Called by the work: tell how far it is (0 to 1), and stop here if asked to.

        Raises:
            Cancelled: somebody called `cancel`.
        """
        self.progress, self.text = progress, text or self.text
        if self._cancel.is_set():
            raise Cancelled

    def wait_cancelled(self, timeout_s: float) -> bool:
        """Pause the work without holding up a cancel; True when it came."""
        return self._cancel.wait(timeout_s)

    def run(self, work: Callable[[Job[R]], R], bus: EventBus | None = None) -> None:
        """Do the work on the calling thread and settle the future."""
        if not self.future.set_running_or_notify_cancel():
            return
        self._running = True
        try:
            self.future.set_result(work(self))
        except ConsoleError as error:
            self.future.set_exception(error)
        except BaseException as error:
            log.exception("Job %s failed", self.name)
            self.future.set_exception(error)
            if bus is not None:
                bus.publish(AppFault(threading.current_thread().name, error))


class JobRunner:
    """The pool of `jobs-*` threads: cloud calls, reads, imports, exports. One list shows them."""

    def __init__(self, bus: EventBus, workers: int = WORKERS) -> None:
        self._bus = bus
        self._queue: queue.SimpleQueue[tuple[Job[Any], Callable[[Job[Any]], Any]] | None] = (
            queue.SimpleQueue()
        )
        self._lock = threading.Lock()
        self._open: list[Job[Any]] = []
        self._threads = [NamedThread(f"jobs-{n}", self._work, bus) for n in range(workers)]

    def start(self) -> None:
        """Start the pool."""
        for thread in self._threads:
            thread.start()

    def submit(self, name: str, work: Callable[[Job[R]], R]) -> Job[R]:
        """Queue `work`; it gets its own job to report progress on and to be cancelled through."""
        job: Job[R] = Job(name)
        with self._lock:
            self._open.append(job)
        self._queue.put((job, work))
        return job

    def open_jobs(self) -> tuple[Job[Any], ...]:
        """Jobs that wait or run."""
        with self._lock:
            return tuple(self._open)

    def stop(self, timeout_s: float = 10.0) -> None:
        """Cancel what is open, take nothing new, wait for the pool."""
        for job in self.open_jobs():
            job.cancel()
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join_within(timeout_s)

    def _work(self) -> None:
        while (item := self._queue.get()) is not None:
            job, work = item
            try:
                job.run(work, self._bus)
            finally:
                with self._lock:
                    self._open.remove(job)
