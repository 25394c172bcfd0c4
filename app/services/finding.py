"""Names a device the way people do: by id, by name, or by the label on the thing."""

from __future__ import annotations

from collections import defaultdict

from app.domain.errors import InvalidRequest
from app.records.kinds.device import Device
from app.services.registry import Registry

MAX_NAMED = 5


class Finder:
    """An index over one view of the records; made anew for every view."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._ids: dict[str, str] = {}
        self._names: defaultdict[str, set[str]] = defaultdict(set)
        for tuya_id, device in registry.devices.items():
            self._ids[device.id] = tuya_id
            self._name(device.name, tuya_id)
            asset = registry.asset_of(tuya_id)
            if asset is not None:
                self._ids[asset.id] = tuya_id
                self._name(asset.name, tuya_id)
                self._name(asset.label, tuya_id)
        for tuya_id in registry.devices:
            self._ids[tuya_id] = tuya_id

    def device(self, text: str) -> Device:
        """The one device that `text` names.

        Raises:
            InvalidRequest: nothing is called that, or more than one thing is.
        """
        wanted = text.strip()
        if wanted in self._ids:
            return self._registry.devices[self._ids[wanted]]
        found = sorted(self._names.get(wanted.casefold(), ()))
        if len(found) == 1:
            return self._registry.devices[found[0]]
        if not found:
            raise InvalidRequest(
                "device.unknown",
                f"No device is called '{wanted[:80]}'.",
                where="DEVICE",
                do="Give an id, a name or a label from `devices list`.",
            )
        named = "; ".join(self._described(device) for device in found[:MAX_NAMED])
        more = f"; and {len(found) - MAX_NAMED} more" if len(found) > MAX_NAMED else ""
        raise InvalidRequest(
            "device.ambiguous",
            f"{len(found)} devices are called '{wanted[:80]}': {named}{more}.",
            where="DEVICE",
            do="Give the id of the one you mean.",
        )

    def _name(self, name: str, tuya_id: str) -> None:
        if name:
            self._names[name.strip().casefold()].add(tuya_id)

    def _described(self, tuya_id: str) -> str:
        asset = self._registry.asset_of(tuya_id)
        places = self._registry.place_names(asset.place) if asset else []
        return f"{tuya_id} ({', '.join(places)})" if places else tuya_id
