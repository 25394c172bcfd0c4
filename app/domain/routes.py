"""Where a device's readings belong: its asset, and the name of each of its points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Route:
    """A series belongs to (asset, point name). `points` maps a data point number to that name.

    A data point that `points` does not name goes by ``dp:`` and its number; names such as
    ``connection`` go by themselves.
    """

    asset: str
    points: Mapping[str, str] = field(default_factory=dict)

    def name(self, point: str) -> str:
        """The series name of a `Reading.point`."""
        return self.points.get(point) or (f"dp:{point}" if point.isdigit() else point)
