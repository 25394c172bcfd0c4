"""What a screen asks for: the values that changed and are shown, taken at its own pace."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from threading import Lock

from app.domain.readings import Reading

Latest = Mapping[str, Mapping[str, Reading]]


class Watch:
    """Dirty values of the devices one screen shows. Made by `LiveValues.watch`.

    A screen that is hidden shows nothing and costs nothing. However often a value changes
    between two calls of `take`, it is taken once, as it last was.
    """

    __slots__ = ("_close", "_latest", "_lock", "dirty", "shown")

    def __init__(self, lock: Lock, latest: Latest, close: Callable[[Watch], None]) -> None:
        self._lock = lock
        self._latest = latest
        self._close = close
        self.shown: frozenset[str] = frozenset()
        self.dirty: dict[tuple[str, str], Reading] = {}

    def show(self, devices: Iterable[str]) -> None:
        """Be told of these devices alone; those newly shown are dirty with all they last said."""
        shown = frozenset(devices)
        with self._lock:
            for device in shown - self.shown:
                for point, reading in self._latest.get(device, {}).items():
                    self.dirty[device, point] = reading
            for device in self.shown - shown:
                for key in [key for key in self.dirty if key[0] == device]:
                    del self.dirty[key]
            self.shown = shown

    def take(self) -> Mapping[tuple[str, str], Reading]:
        """What became dirty since the last call, by (device, point). The caller owns the result."""
        with self._lock:
            taken, self.dirty = self.dirty, {}
        return taken

    def close(self) -> None:
        """Be told of nothing more. Closing twice is the same as once."""
        self._close(self)
        self.show(())
