"""Which series a device's data point feeds, and how a series keeps its past under a new name."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.domain.readings import Value
from app.domain.routes import Route

DEFAULT_RESOLUTION_MS = 1_000
_KINDS = {bool: "bool", int: "number", float: "number", str: "text"}


@dataclass(slots=True)
class Series:
    """One line of readings. `kind` is that of its first value; each reading keeps its own."""

    id: int
    asset: str
    point: str
    kind: str
    resolution_ms: int = DEFAULT_RESOLUTION_MS


def kind_of(value: Value) -> str:
    """number, bool or text."""
    return _KINDS[type(value)]


class Catalogue:
    """All series in memory, the routes of devices to them, and what of it is not yet stored.

    The recorder's thread changes it; readers ask it from any thread. Several series can carry one
    name, when a point that had a past of its own was renamed onto another: readers take them all,
    the recorder writes to the oldest.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._series: dict[int, Series] = {}
        self._named: dict[tuple[str, str], list[int]] = {}
        self._fed: dict[tuple[str, str], int] = {}
        self._routes: Mapping[str, Route] = {}
        self._next = 1
        self._unstored: set[int] = set()
        self._unstored_routes: set[tuple[str, str]] = set()
        self.index: dict[tuple[str, str], int] = {}
        """(device, dp) to series id under the present routes; filled as readings come."""

    def load(self, connection: Any) -> None:
        """Take in what the file knows."""
        with self._lock:
            for row in connection.execute(
                "SELECT id, asset, point, kind, resolution_ms FROM series ORDER BY id"
            ):
                if row[0] not in self._series:
                    self._add(Series(*row))
            rows = connection.execute("SELECT device, dp, series FROM route")
            self._fed = {(device, dp): series for device, dp, series in rows}

    def store(self, connection: Any) -> None:
        """Write what is not yet stored; `stored` forgets it once the commit is through."""
        connection.executemany(
            "INSERT OR REPLACE INTO series(id, asset, point, kind, resolution_ms)"
            " VALUES(?, ?, ?, ?, ?)",
            [
                (one.id, one.asset, one.point, one.kind, one.resolution_ms)
                for one in (self._series[number] for number in sorted(self._unstored))
            ],
        )
        connection.executemany(
            "INSERT OR REPLACE INTO route(device, dp, series) VALUES(?, ?, ?)",
            [(*fed, self._fed[fed]) for fed in sorted(self._unstored_routes)],
        )

    def stored(self) -> None:
        """The commit that held `store` is through."""
        self._unstored.clear()
        self._unstored_routes.clear()

    def store_all_again(self) -> None:
        """The file was replaced by an empty one: everything has to be written once more."""
        self._unstored = set(self._series)
        self._unstored_routes = set(self._fed)

    @property
    def unstored(self) -> bool:
        """True when the next commit has series or routes to write."""
        return bool(self._unstored or self._unstored_routes)

    def ids(self, asset: str, point: str) -> tuple[int, ...]:
        """The series that carry this name."""
        with self._lock:
            return tuple(self._named.get((asset, point), ()))

    def points(self, asset: str) -> tuple[str, ...]:
        """The names of all series of an asset, sorted."""
        with self._lock:
            return tuple(sorted(point for owner, point in self._named if owner == asset))

    def resolve(self, device: str, dp: str, value: Value) -> int:
        """The series a reading belongs to; made when there is none yet."""
        with self._lock:
            asset, point = self._name(device, dp)
            numbers = self._named.get((asset, point))
            if numbers is None:
                self._add(Series(self._next, asset, point, kind_of(value)))
                numbers = self._named[asset, point]
                self._unstored.add(numbers[0])
            self._feed((device, dp), numbers[0])
            return numbers[0]

    def set_routes(self, routes: Mapping[str, Route]) -> None:
        """From here on readings go where `routes` says; renamed points take their past along."""
        with self._lock:
            self._routes = routes
            self.index.clear()
            wanted = {fed: self._name(*fed) for fed in self._fed}
            targets = set(wanted.values())
            for fed, (asset, point) in wanted.items():
                series = self._series.get(self._fed[fed])
                if series is None or series.asset != asset or series.point == point:
                    continue
                if (asset, series.point) not in targets:
                    self._rename(asset, series.point, point)

    def _name(self, device: str, dp: str) -> tuple[str, str]:
        route = self._routes.get(device) or Route(f"device:{device}")
        return route.asset, route.name(dp)

    def _add(self, series: Series) -> None:
        self._series[series.id] = series
        self._named.setdefault((series.asset, series.point), []).append(series.id)
        self._next = max(self._next, series.id + 1)

    def _feed(self, fed: tuple[str, str], series: int) -> None:
        self.index[fed] = series
        if self._fed.get(fed) != series:
            self._fed[fed] = series
            self._unstored_routes.add(fed)

    def _rename(self, asset: str, old: str, new: str) -> None:
        numbers = self._named.pop((asset, old), [])
        for number in numbers:
            self._series[number].point = new
            self._unstored.add(number)
        if numbers:
            together = self._named.get((asset, new), []) + numbers
            self._named[asset, new] = sorted(together)
