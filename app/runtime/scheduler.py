"""The scheduler: one thread that watches the time and hands due work to the job pool."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.runtime.clock import Clock
from app.runtime.events import EventBus
from app.runtime.jobs import Job, JobRunner
from app.runtime.threads import NamedThread


@dataclass(slots=True)
class _Timer:
    name: str
    every_s: float
    work: Callable[[], None]
    due_s: float
    job: Job[Any] | None = None


class Scheduler:
    """Repeats work at intervals of monotonic time. Work that is still running is not doubled."""

    def __init__(self, clock: Clock, jobs: JobRunner, bus: EventBus) -> None:
        self._clock = clock
        self._jobs = jobs
        self._timers: list[_Timer] = []
        self._stop = threading.Event()
        self._thread = NamedThread("scheduler", self._run, bus)

    def every(self, every_s: float, name: str, work: Callable[[], None]) -> None:
        """Do `work` every `every_s` seconds as a job called `name`. Call before `start`."""
        self._timers.append(_Timer(name, every_s, work, self._clock.monotonic_s() + every_s))

    def start(self) -> None:
        """Start watching the time."""
        self._thread.start()

    def stop(self) -> None:
        """Hand out nothing more; jobs already handed out are the pool's to end."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join_within(5.0)

    def _run(self) -> None:
        while self._timers and not self._stop.is_set():
            now_s = self._clock.monotonic_s()
            for timer in self._timers:
                if timer.due_s <= now_s:
                    self._hand_out(timer)
                    # From now, not from when it was due: a laptop that slept owes nothing.
                    timer.due_s = now_s + timer.every_s
            next_s = min(timer.due_s for timer in self._timers)
            self._stop.wait(max(0.01, next_s - now_s))

    def _hand_out(self, timer: _Timer) -> None:
        if timer.job is None or timer.job.future.done():
            work = timer.work
            timer.job = self._jobs.submit(timer.name, lambda _job: work())
