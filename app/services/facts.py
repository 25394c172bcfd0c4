"""What is read out of a device record and kept: its points, and its local key."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping

from app.domain.errors import InvalidRequest, StoreFault
from app.domain.points import PointSpec, parse_mapping
from app.records.field import Record
from app.records.kinds.device import Device

log = logging.getLogger(__name__)

OpenField = Callable[[Record, str], str | None]


class DeviceFacts:
    """Parses a mapping and opens a key once for as long as the record says the same.

    Not safe from several threads; its owner holds a lock. Keys are only in here and in the link.
    """

    def __init__(self, open_field: OpenField) -> None:
        self._open_field = open_field
        self._points: dict[str, tuple[object, Mapping[str, PointSpec]]] = {}
        self._keys: dict[str, tuple[str, bytes]] = {}

    def points(self, device: Device) -> Mapping[str, PointSpec]:
        """The mapped points by data point number; none where another console wrote nonsense."""
        kept = self._points.get(device.id)
        if kept is not None and kept[0] is device.mapping:
            return kept[1]
        try:
            points: Mapping[str, PointSpec] = parse_mapping(device.mapping, where=device.tuya_id)
        except InvalidRequest:
            points = {}
        self._points[device.id] = (device.mapping, points)
        return points

    def key(self, device: Device) -> bytes:
        """The local key; empty where none is recorded, or where it cannot be opened here.

        One key that another profile sealed must not keep the other devices from being held.
        """
        sealed = device.local_key
        if not sealed:
            return b""
        kept = self._keys.get(device.id)
        if kept is None or kept[0] != sealed:
            kept = sealed, self._opened(device)
            self._keys[device.id] = kept
        return kept[1]

    def _opened(self, device: Device) -> bytes:
        try:
            text = self._open_field(device, "local_key") or ""
        except StoreFault:
            log.warning("The local key of %s cannot be opened here", device.tuya_id)
            return b""
        return text.encode("latin-1", errors="replace")

    def keep_only(self, devices: Iterable[Device]) -> None:
        """Let go of everything about other devices."""
        ids = {device.id for device in devices}
        for gone in self._points.keys() - ids:
            del self._points[gone]
        for gone in self._keys.keys() - ids:
            del self._keys[gone]
