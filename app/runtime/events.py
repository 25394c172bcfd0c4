"""The event bus: a write says what kinds of thing it changed, once, after the commit."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from app.domain.errors import ConsoleError

log = logging.getLogger(__name__)

MAX_IDS = 500
"""Above this many changed records a subscriber reads afresh: `ids` is None."""


@dataclass(frozen=True, slots=True)
class Changed:
    """Records of these kinds changed. `origin` lets a screen ignore its own echo."""

    kinds: frozenset[str]
    ids: frozenset[str] | None
    origin: str = ""


@dataclass(frozen=True, slots=True)
class AppFault:
    """A named thread or a job failed with what can only be a bug."""

    thread: str
    error: BaseException


@dataclass(frozen=True, slots=True)
class LinksChanged:
    """The connection of these devices changed."""

    devices: frozenset[str]


@dataclass(frozen=True, slots=True)
class RaiseWindow:
    """A second window was asked for: the one that holds the profile comes to the front."""


@dataclass(frozen=True, slots=True)
class StoreTrouble:
    """A store cannot write, or had to start afresh; told once, and once more when it is over."""

    store: str
    fault: ConsoleError
    over: bool = False


E = TypeVar("E")


class EventBus:
    """Typed publish and subscribe. A subscriber that raises is logged and the others still hear."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._subscribers: dict[type, tuple[Callable[..., None], ...]] = {}

    def subscribe(self, event: type[E], handler: Callable[[E], None]) -> Callable[[], None]:
        """Call `handler` on the publishing thread for every `event`; returns the unsubscribe."""
        with self._lock:
            self._subscribers[event] = (*self._subscribers.get(event, ()), handler)

        def unsubscribe() -> None:
            with self._lock:
                left = tuple(h for h in self._subscribers.get(event, ()) if h is not handler)
                self._subscribers[event] = left

        return unsubscribe

    def publish(self, event: object) -> None:
        """Tell everybody who subscribed to this type, in order of subscription."""
        for handler in self._subscribers.get(type(event), ()):
            try:
                handler(event)
            except Exception:
                log.exception("A subscriber to %s failed", type(event).__name__)
