"""Edits what people record of a device and the asset it is bound to."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from app.domain.errors import InvalidRequest
from app.records.kinds.asset import Asset
from app.records.kinds.device import Device
from app.records.port import Actor, Records, Tx
from app.services.directory import Directory
from app.services.inventory import MAX_NAME, clean_text, place_path
from app.services.places import PlaceMaker
from app.services.registry import RegistryCache

LONGEST_INTERVAL_S = 366 * 86_400.0
MAX_TAGS = 64


@dataclass(frozen=True, slots=True)
class Seen:
    """The records a person looked at; an edit says with them what its author had seen."""

    device: Device
    asset: Asset | None


@dataclass(frozen=True, slots=True)
class EditRequest:
    """What is to change; None leaves a field alone.

    `place` is a path of names, empty for no place. `tags` is the whole wanted set. `interval_s`
    is the expected report interval in seconds, 0 for learned. `paused` True means: leave it alone.
    """

    name: str | None = None
    place: Sequence[str] | None = None
    tags: Sequence[str] | None = None
    interval_s: float | None = None
    paused: bool | None = None


class Editing:
    """One transaction per edit, over the device and its asset together."""

    def __init__(
        self,
        *,
        records: Records,
        registry: RegistryCache,
        directory: Directory,
        actor: Callable[[], Actor],
    ) -> None:
        self._records = records
        self._registry = registry
        self._directory = directory
        self._actor = actor

    def seen(self, device: str) -> Seen:
        """The records of a device as they are now, to be edited later.

        Raises:
            InvalidRequest: no such device.
        """
        record = self._directory.find(device)
        return Seen(record, self._directory.asset(record))

    def edit(self, seen: Seen, request: EditRequest) -> Future[None]:
        """Write what `request` says; the future has a result when it is on disk.

        Raises:
            InvalidRequest: a value that cannot be, or a place or tag for an unbound device.
        """
        device, asset = _device_values(request), _asset_values(request)
        beyond_name = bool(asset.keys() - {"name"}) or request.place is not None
        if seen.asset is None and beyond_name:
            raise InvalidRequest(
                "device.not_bound",
                "The device feeds no asset, and places and tags belong to assets.",
                where=seen.device.tuya_id,
                do="Import it again to give it an asset.",
            )
        work = self._work(seen, device, asset, request.place)
        return self._records.transact(self._actor(), work, reason="Edited")

    def _work(
        self,
        seen: Seen,
        device: Mapping[str, Any],
        asset: Mapping[str, Any],
        place: Sequence[str] | None,
    ) -> Callable[[Tx], None]:
        places = PlaceMaker(self._registry.now(), seen.device.site)
        path = place_path(place or ())

        def work(tx: Tx) -> None:
            said = dict(asset)
            if place is not None:
                said["place"] = places.place(tx, path)
            if device:
                tx.edit(seen.device, **device)
            if said and seen.asset is not None:
                tx.edit(seen.asset, **said)

        return work


def changed_tags(text: str, before: Sequence[str]) -> tuple[str, ...]:
    """The set of tags that `text` asks for: a comma list; with `+` or `-` a change of `before`.

    Raises:
        InvalidRequest: too many.
    """
    words = [word for word in (clean_text(part, 64) for part in text.split(",")) if word]
    if words and all(word[0] in "+-" and len(word) > 1 for word in words):
        tags = {*before, *(w[1:].strip() for w in words if w[0] == "+")}
        tags -= {w[1:].strip() for w in words if w[0] == "-"}
    else:
        tags = set(words)
    if len(tags) > MAX_TAGS:
        raise InvalidRequest(
            "asset.too_many_tags", f"{MAX_TAGS} tags at most.", where="--tags", do="Drop some."
        )
    return tuple(sorted(tags))


def _device_values(request: EditRequest) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if request.name is not None:
        values["name"] = _name(request.name)
    if request.interval_s is not None:
        values["interval_s"] = _interval(request.interval_s)
    if request.paused is not None:
        values["paused"] = request.paused
    return values


def _asset_values(request: EditRequest) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if request.name is not None:
        values["name"] = _name(request.name)
    if request.tags is not None:
        values["tags"] = tuple(sorted(set(request.tags)))
    return values


def _name(text: str) -> str:
    name = clean_text(text, MAX_NAME)
    if not name:
        raise InvalidRequest("device.name", "The name is empty.", where="--name", do="Give one.")
    return name


def _interval(interval_s: float) -> float | None:
    if interval_s == 0:
        return None
    if not math.isfinite(interval_s) or not 1 <= interval_s <= LONGEST_INTERVAL_S:
        raise InvalidRequest(
            "device.interval",
            "The expected report interval is 1 second to 366 days.",
            where="--interval",
            do="Give seconds, or 0 to let the program learn it.",
        )
    return float(interval_s)
