"""Every device with what is known of it: the table, naming one, and what the link holds."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from app.domain.errors import InvalidRequest
from app.domain.links import DEFAULT_PORT, LinkSpec, LinkState
from app.domain.points import PointSpec, unmapped
from app.domain.readings import CONNECTION_POINT, Reading, Value
from app.domain.routes import Route
from app.domain.words import Connection, Path, Quality
from app.records.kinds.asset import Asset
from app.records.kinds.device import Device
from app.services.facts import DeviceFacts, OpenField
from app.services.finding import Finder
from app.services.health import health_of, sentence_of
from app.services.locality import Locality, SiteLink
from app.services.registry import Registry, RegistryCache
from app.services.views import DeviceRow, PointView, headline_order, point_label, point_view

Observed = Mapping[str, tuple[Value, int]]

_TALKING = frozenset(
    {Connection.ONLINE, Connection.ASLEEP, Connection.SUSPECT, Connection.CONNECTING}
)


class Latest(Protocol):
    """The last reading of every point of a device."""

    def latest(self, device: str) -> Mapping[str, Reading]:
        """A snapshot: point to reading."""


class Observations(Protocol):
    """The last machine state of every device, kept from run to run."""

    def observed_all(self) -> Mapping[str, Observed]:
        """Device to name to (value, at_ms)."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """A row and what it was made of; while that is the same, so is the row."""

    version: int
    state: LinkState | None
    latest: Mapping[str, Reading] = field(repr=False)
    row: DeviceRow


class Directory:
    """Joins records, connections and readings into rows. Safe from any thread.

    `rows` costs some milliseconds for a thousand devices and is meant to be called at most once a
    second, from a thread that may wait.
    """

    def __init__(
        self,
        *,
        registry: RegistryCache,
        locality: Locality,
        open_field: OpenField,
        link: Callable[[], SiteLink | None],
        live: Latest,
        observations: Observations,
    ) -> None:
        self._registry = registry
        self._locality = locality
        self._facts = DeviceFacts(open_field)
        self._link = link
        self._live = live
        self._observations = observations
        self._lock = threading.Lock()
        self._rows: dict[str, _Kept] = {}
        self._observed: Mapping[str, Observed] | None = None
        self._kept_for = 0
        self._finder: tuple[int, Finder] | None = None

    def rows(self) -> list[DeviceRow]:
        """Every device, by site, place and name."""
        registry = self._registry.now()
        states = self._states()
        with self._lock:
            rows = [
                self._row(registry, device, states.get(device.tuya_id))
                for device in registry.devices.values()
                if not device.retired
            ]
            self._forget(registry)
        rows.sort(key=lambda row: (row.site, row.place, row.name.casefold(), row.id))
        return rows

    def row(self, device: str) -> DeviceRow:
        """One device by its Tuya id, as `rows` shows it.

        Raises:
            InvalidRequest: there is no such device.
        """
        registry = self._registry.now()
        record = registry.devices.get(device) or self.find(device)
        state = self._states().get(record.tuya_id)
        with self._lock:
            return self._row(registry, record, state)

    def find(self, text: str) -> Device:
        """The device a person means by an id, a unique name or an asset's label.

        Raises:
            InvalidRequest: nothing is called that, or several things are; they are named.
        """
        registry = self._registry.now()
        with self._lock:
            if self._finder is None or self._finder[0] != registry.version:
                self._finder = registry.version, Finder(registry)
            finder = self._finder[1]
        return finder.device(text)

    def names(self) -> dict[str, str]:
        """What every device is called, by Tuya id, retired ones included."""
        registry = self._registry.now()
        names = {}
        for tuya_id, device in registry.devices.items():
            asset = registry.asset_of(tuya_id)
            names[tuya_id] = (asset.name if asset else device.name) or tuya_id
        return names

    def asset(self, device: Device) -> Asset | None:
        """The asset a device is bound to now."""
        return self._registry.now().asset_of(device.tuya_id)

    def points(self, device: Device) -> Mapping[str, PointSpec]:
        """The device's mapped points by data point number."""
        with self._lock:
            return self._facts.points(device)

    def point(self, device: Device, text: str) -> PointSpec:
        """The point a person means by a code or `dp:N`; any N from 1 to 255 is a point.

        Raises:
            InvalidRequest: the device has no point of that code; its points are named.
        """
        points = self.points(device)
        wanted = text.strip()
        prefix, _, number = wanted.partition(":")
        if prefix.lower() == "dp" and number.isascii() and number.isdigit():
            if len(number) <= 3 and 0 < int(number) <= 255:
                dp = str(int(number))
                return points.get(dp) or unmapped(dp)
            raise InvalidRequest(
                "point.unknown", "Data points go from 1 to 255.", where="POINT", do="Check it."
            )
        for spec in points.values():
            if spec.code and spec.code.casefold() == wanted.casefold():
                return spec
        known = ", ".join(point_label(spec) for spec in points.values()) or "none mapped"
        raise InvalidRequest(
            "point.unknown",
            f"The device has no point '{wanted[:64]}'.",
            where="POINT",
            do=f"Use dp:N or one of: {known}.",
        )

    def specs(self) -> list[LinkSpec]:
        """What the link is to hold. The only place where keys are opened for use."""
        return self._specs(lambda device: not device.retired)

    def spec(self, device: str) -> LinkSpec:
        """What the link is to hold of one device, by its Tuya id.

        Raises:
            InvalidRequest: there is no such device.
        """
        wanted = self.find(device).tuya_id
        return self._specs(lambda record: record.tuya_id == wanted)[0]

    def _specs(self, chosen: Callable[[Device], bool]) -> list[LinkSpec]:
        registry = self._registry.now()
        here = self._locality.here()
        states = self._states()
        specs = []
        with self._lock:
            for device in filter(chosen, registry.devices.values()):
                gateway = registry.devices.get(device.parent or "")
                at = gateway.ip if gateway is not None else device.ip
                spec = self._spec(device, gateway, states.get(device.tuya_id))
                site_here = here.has(device.site, at)
                specs.append(spec if site_here else replace(spec, site_here=False))
        return specs

    def _states(self) -> Mapping[str, LinkState]:
        link = self._link()
        return link.states() if link is not None else {}

    def routes(self) -> dict[str, Route]:
        """Where each bound device's readings belong."""
        registry = self._registry.now()
        with self._lock:
            return {
                tuya_id: self._route(registry, registry.devices[tuya_id])
                for tuya_id in registry.bound
                if tuya_id in registry.devices
            }

    def route(self, device: Device) -> Route:
        """Where one device's readings belong, bound or not."""
        with self._lock:
            return self._route(self._registry.now(), device)

    def forget_observed(self) -> None:
        """Read what was observed afresh at the next question."""
        with self._lock:
            self._observed = None
            self._rows.clear()

    def _route(self, registry: Registry, device: Device) -> Route:
        points = {dp: point_label(spec) for dp, spec in self._facts.points(device).items()}
        binding = registry.bound.get(device.tuya_id)
        if binding is None:
            return Route(f"device:{device.tuya_id}", points)
        named = {dp: str(name) for dp, name in binding.points.items() if name}
        return Route(binding.asset, points | named)

    def _spec(self, device: Device, gateway: Device | None, state: LinkState | None) -> LinkSpec:
        seen = self._observed_of(device.tuya_id)
        learned = state.learned_interval_s if state is not None else None
        last = state.last_report_ms if state is not None else None
        return LinkSpec(
            device=device.tuya_id,
            site=device.site,
            key=self._facts.key(device)
            or (self._facts.key(gateway) if gateway is not None else b""),
            ip=device.ip,
            last_ip=_text(seen.get("ip")),
            port=device.port or DEFAULT_PORT,
            version=device.version or _text(seen.get("version")),
            parent=device.parent,
            cid=device.node_id if device.parent else None,
            category=device.category,
            product_id=device.product_id,
            interval_s=device.interval_s,
            learned_interval_s=learned or _number(seen.get("learned_interval_s")),
            last_report_ms=last or _whole(seen.get("last_report_ms")),
            paused=device.paused,
            points=self._facts.points(device),
        )

    def _row(self, registry: Registry, device: Device, state: LinkState | None) -> DeviceRow:
        latest = self._live.latest(device.tuya_id)
        kept = self._rows.get(device.tuya_id)
        if (
            kept is not None
            and kept.version == registry.version
            and kept.state == state
            and kept.latest == latest
        ):
            return kept.row
        row = self._made(registry, device, state, latest)
        self._rows[device.tuya_id] = _Kept(registry.version, state, latest, row)
        return row

    def _made(
        self,
        registry: Registry,
        device: Device,
        state: LinkState | None,
        latest: Mapping[str, Reading],
    ) -> DeviceRow:
        seen = self._observed_of(device.tuya_id)
        asset = registry.asset_of(device.tuya_id)
        site = registry.sites.get(device.site)
        state = state or _remembered(device, seen)
        sentence = state.sentence or sentence_of(state.connection)
        health = health_of(state.connection)
        return DeviceRow(
            id=device.tuya_id,
            record=device.id,
            asset=asset.id if asset else None,
            name=(asset.name if asset else device.name) or device.tuya_id,
            site=site.name if site else "",
            site_id=device.site,
            place=tuple(registry.place_names(asset.place)) if asset else (),
            tags=tuple(asset.tags) if asset else (),
            category=device.category,
            profile=asset.profile if asset else "",
            connection=state.connection,
            since_ms=state.since_ms or None,
            sentence=sentence,
            path=state.path,
            health=health,
            reasons=() if health == "normal" else (sentence,),
            ip=state.ip or device.ip,
            port=state.port,
            version=state.version or device.version,
            parent=device.parent,
            last_report_ms=state.last_report_ms,
            next_expected_ms=state.next_expected_ms,
            interval_s=device.interval_s,
            paused=device.paused,
            points=self._views(device, latest, seen, state.connection),
        )

    def _views(
        self,
        device: Device,
        latest: Mapping[str, Reading],
        seen: Observed,
        connection: Connection,
    ) -> tuple[PointView, ...]:
        mapped = self._facts.points(device)
        specs = [*mapped.values()]
        others = {dp for dp in (*latest, *seen) if dp.isdigit() and dp not in mapped}
        specs += [unmapped(dp) for dp in others]
        specs.sort(key=headline_order)
        gone = connection not in _TALKING
        views = []
        for spec in specs:
            reading = latest.get(spec.dp)
            stale = gone
            if reading is None and spec.dp in seen:
                value, at_ms = seen[spec.dp]
                reading = Reading(device.tuya_id, spec.dp, value, at_ms, Quality.GOOD)
                stale = stale or connection is not Connection.ASLEEP
            views.append(point_view(spec, reading, stale=stale))
        return tuple(views)

    def _observed_of(self, device: str) -> Observed:
        if self._observed is None:
            self._observed = self._observations.observed_all()
        return self._observed.get(device, {})

    def _forget(self, registry: Registry) -> None:
        for gone in self._rows.keys() - registry.devices.keys():
            del self._rows[gone]
        if registry.version != self._kept_for:
            self._facts.keep_only(registry.devices.values())
            self._kept_for = registry.version


def _remembered(device: Device, seen: Observed) -> LinkState:
    """The connection as an earlier run left it, for when nobody holds the device now."""
    word, since_ms = seen.get(CONNECTION_POINT, (Connection.NEVER_SEEN.value, 0))
    connection = Connection(word) if word in set(Connection) else Connection.NEVER_SEEN
    if device.paused:
        connection = Connection.PAUSED
    ip, version = seen.get("ip"), seen.get("version")
    return LinkState(
        device=device.tuya_id,
        connection=connection,
        since_ms=since_ms,
        path=Path.NONE,
        ip=str(ip[0]) if ip else None,
        port=device.port or DEFAULT_PORT,
        version=str(version[0]) if version else None,
        last_report_ms=_whole(seen.get("last_report_ms")),
    )


def _text(seen: tuple[Value, int] | None) -> str | None:
    return str(seen[0]) if seen is not None else None


def _number(seen: tuple[Value, int] | None) -> float | None:
    if seen is None or isinstance(seen[0], bool) or not isinstance(seen[0], int | float):
        return None
    return float(seen[0])


def _whole(seen: tuple[Value, int] | None) -> int | None:
    number = _number(seen)
    return round(number) if number is not None else None
