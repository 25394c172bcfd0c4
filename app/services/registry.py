"""What people have recorded of sites, places, assets, devices and bindings, kept at hand."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from app.records.kinds.asset import Asset
from app.records.kinds.binding import Binding
from app.records.kinds.device import Device
from app.records.kinds.place import Place
from app.records.kinds.site import Site
from app.records.port import Records
from app.runtime.clock import Clock
from app.runtime.events import Changed, EventBus

KINDS = frozenset({"site", "place", "asset", "device", "binding"})
MAX_PLACE_DEPTH = 32

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Registry:
    """One consistent view. `devices` goes by Tuya id, everything else by record id.

    `bound` is the binding in force now by Tuya id; `version` rises with every new view.
    """

    version: int = 0
    sites: Mapping[str, Site] = field(default_factory=dict, repr=False)
    places: Mapping[str, Place] = field(default_factory=dict, repr=False)
    assets: Mapping[str, Asset] = field(default_factory=dict, repr=False)
    devices: Mapping[str, Device] = field(default_factory=dict, repr=False)
    bound: Mapping[str, Binding] = field(default_factory=dict, repr=False)

    def asset_of(self, device: str) -> Asset | None:
        """The asset this device is bound to now."""
        binding = self.bound.get(device)
        return self.assets.get(binding.asset) if binding else None

    def device_of(self, asset: str) -> Device | None:
        """The device bound to this asset now."""
        for tuya_id, binding in self.bound.items():
            if binding.asset == asset:
                return self.devices.get(tuya_id)
        return None

    def place_names(self, place: str | None) -> list[str]:
        """Names from the outermost place inwards; a loop made by two consoles ends somewhere."""
        names: list[str] = []
        while place and len(names) < MAX_PLACE_DEPTH and (record := self.places.get(place)):
            names.append(record.name)
            place = record.parent
        return names[::-1]


class RegistryCache:
    """Reads the records once and again only after they changed. Safe from any thread."""

    def __init__(self, records: Records, clock: Clock, bus: EventBus) -> None:
        self._records = records
        self._clock = clock
        self._lock = threading.Lock()
        # Counted, not flagged: a view is current only once it has been read, and a change that
        # comes while it is read makes it old again.
        self._counting = threading.Lock()
        self._changes = 1
        self._read_at = 0
        self._view = Registry()
        self._unsubscribe = bus.subscribe(Changed, self._on_changed)

    def close(self) -> None:
        """Hear no more changes."""
        self._unsubscribe()

    def now(self) -> Registry:
        """The view after the last change that was told."""
        if self._read_at == self._changes:
            return self._view
        with self._lock:
            changes = self._changes
            if self._read_at != changes:
                self._view = self._read()
                self._read_at = changes
            return self._view

    def _on_changed(self, event: Changed) -> None:
        if event.kinds & KINDS:
            with self._counting:
                self._changes += 1

    def _read(self) -> Registry:
        bindings: dict[str, Binding] = {}
        now_ms = self._clock.now_ms()
        for binding in self._records.all(Binding):
            held = bindings.get(binding.device)
            ended = binding.until_ms is not None and binding.until_ms <= now_ms
            if not ended and (held is None or held.from_ms <= binding.from_ms):
                bindings[binding.device] = binding
        return Registry(
            version=self._view.version + 1,
            sites=_by(self._records.all(Site), lambda site: site.id),
            places=_by(self._records.all(Place), lambda place: place.id),
            assets=_by(self._records.all(Asset), lambda asset: asset.id),
            devices=_by(self._records.all(Device), lambda device: device.tuya_id),
            bound=bindings,
        )


def _by(records: Iterable[V], key: Callable[[V], str]) -> dict[str, V]:
    return {key(record): record for record in records}
