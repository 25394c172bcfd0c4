"""Brings an inventory file's devices into the records, and later versions of it up to date."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.domain.errors import Cancelled, StoreFault
from app.domain.ids import natural_id
from app.records.field import Record
from app.records.kinds.asset import Asset
from app.records.kinds.binding import Binding
from app.records.kinds.device import Device
from app.records.kinds.site import Site
from app.records.port import Actor, Records, Tx
from app.runtime.clock import Clock
from app.runtime.jobs import Job, JobRunner
from app.services.facts import OpenField
from app.services.inventory import Inventory, InventoryDevice, read_inventory
from app.services.places import PlaceMaker
from app.services.registry import Registry, RegistryCache
from app.services.zone import known_zone, local_zone

BATCH_ROWS = 200
IMPORT_REASON = "Imported from an inventory"

ADDED, CHANGED, UNCHANGED, SKIPPED = "added", "changed", "unchanged", "skipped"
_SPOKEN = {"local_key": "key", "product_id": "product", "node_id": "node id"}
_FACTS = ("category", "product_id", "mac", "version", "ip", "port", "node_id", "parent", "mapping")


@dataclass(frozen=True, slots=True)
class ImportItem:
    """What became of one row; `result` is added, changed, unchanged or skipped."""

    row: int
    id: str
    result: str
    sentence: str


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What became of a whole file."""

    file: str
    items: tuple[ImportItem, ...] = field(repr=False)

    def count(self, result: str) -> int:
        """How many rows ended as `result`."""
        return sum(1 for item in self.items if item.result == result)

    @property
    def exit_code(self) -> int:
        """4 when rows were skipped; the others are in all the same."""
        return 4 if self.count(SKIPPED) else 0

    def counts(self) -> dict[str, int]:
        """How many rows ended how."""
        return {name: self.count(name) for name in (ADDED, CHANGED, UNCHANGED, SKIPPED)}

    def document(self) -> dict[str, Any]:
        """The result as JSON shows it."""
        items = [
            {"row": i.row, "id": i.id, "result": i.result, "sentence": i.sentence}
            for i in self.items
        ]
        return {**self.counts(), "items": items}


@dataclass(frozen=True, slots=True)
class NewSite:
    """The first site an import makes; `zone` is an IANA name, empty for this computer's."""

    name: str
    zone: str = ""


FIRST_SITE = NewSite("My building")


@dataclass(frozen=True, slots=True)
class _Step:
    """What is to be done for one row: the item to report, and the writing, if any."""

    item: ImportItem
    write: Callable[[Tx, PlaceMaker], None] | None = None


class Importing:
    """Plans against the records as they are, then writes in batches, one transaction each.

    A person's decisions are never overwritten: of a device that is here already only what a
    machine knows is taken from the file, and its name only while no person has changed it.
    """

    def __init__(
        self,
        *,
        records: Records,
        registry: RegistryCache,
        open_field: OpenField,
        jobs: JobRunner,
        clock: Clock,
        actor: Callable[[], Actor],
        site: NewSite = FIRST_SITE,
    ) -> None:
        self._records = records
        self._registry = registry
        self._open_field = open_field
        self._jobs = jobs
        self._new_site = site
        self._clock = clock
        self._actor = actor

    def start(self, path: Path) -> Job[ImportResult]:
        """Import the file as a job; its progress counts rows."""
        return self._jobs.submit(f"Import {path.name}", lambda job: self.run(path, job))

    def run(self, path: Path, job: Job[ImportResult] | None = None) -> ImportResult:
        """Import the file on the calling thread; a cancelled `job` keeps the batches written.

        Raises:
            InvalidRequest: the file as a whole cannot be used.
            StoreFault: a batch could not be written; the ones before it are in.
        """
        return self.apply(read_inventory(path), job)

    def apply(self, inventory: Inventory, job: Job[ImportResult] | None = None) -> ImportResult:
        """Bring parsed rows into the records."""
        items = [ImportItem(r.row, r.id, SKIPPED, r.sentence) for r in inventory.skipped]
        site = self._site() if inventory.devices else ""
        known = self._registry.now()
        places = PlaceMaker(known, site)
        in_file = {device.id: device for device in inventory.devices}
        try:
            for batch in _batches(inventory.devices):
                if job is not None:
                    done = len(items) / inventory.rows
                    job.step(done, f"{len(items)} of {inventory.rows} rows")
                steps = [self._plan(row, site, known, in_file) for row in batch]
                self._write(steps, places)
                items += [step.item for step in steps]
        except Cancelled:
            self._note(ImportResult(inventory.name, tuple(items)), site)
            raise
        items.sort(key=lambda item: item.row)
        result = ImportResult(inventory.name, tuple(items))
        self._note(result, site)
        return result

    def _plan(
        self,
        row: InventoryDevice,
        site: str,
        known: Registry,
        in_file: Mapping[str, InventoryDevice],
    ) -> _Step:
        device = known.devices.get(row.id)
        if device is not None:
            return self._plan_known(row, device, known)
        fault = _unusable(row, known, in_file)
        if fault:
            return _Step(ImportItem(row.row, row.id, SKIPPED, fault))
        where = f" in {', '.join(row.place)}" if row.place else ""
        sentence = _with_notes(f"Added{where}.", row)
        now_ms = self._clock.now_ms()
        return _Step(
            ImportItem(row.row, row.id, ADDED, sentence),
            lambda tx, places: _create(tx, places, row, site, now_ms),
        )

    def _plan_known(self, row: InventoryDevice, device: Device, known: Registry) -> _Step:
        if device.retired:
            sentence = "It is retired here; the file does not bring it back."
            return _Step(ImportItem(row.row, row.id, UNCHANGED, sentence))
        values = {
            fact: getattr(row, fact)
            for fact in _FACTS
            if getattr(row, fact) and getattr(row, fact) != getattr(device, fact)
        }
        if row.key and row.key != self._key(device):
            values["local_key"] = row.key
        renamed = bool(row.name) and row.name != device.name and not self._named_by_person(device)
        if renamed:
            values["name"] = row.name
        if not values:
            sentence = _with_notes("Nothing new.", row)
            return _Step(ImportItem(row.row, row.id, UNCHANGED, sentence))
        said = ", ".join(sorted(_SPOKEN.get(name, name) for name in values))
        asset = known.asset_of(row.id) if renamed else None

        def write(tx: Tx, _places: PlaceMaker) -> None:
            tx.edit(device, **values)
            if asset is not None and asset.name in (device.name, device.tuya_id):
                tx.edit(asset, name=row.name)

        sentence = _with_notes(f"Changed: {said}.", row)
        return _Step(ImportItem(row.row, row.id, CHANGED, sentence), write)

    def _key(self, device: Device) -> str | None:
        """The recorded key; None for one that cannot be opened here, which the file's replaces."""
        try:
            return self._open_field(device, "local_key")
        except StoreFault:
            return None

    def _named_by_person(self, device: Device) -> bool:
        changes = self._records.history("device", device.id, "name")
        return any(change.reason != IMPORT_REASON for change in changes)

    def _write(self, steps: Sequence[_Step], places: PlaceMaker) -> None:
        writes = [step.write for step in steps if step.write is not None]
        if not writes:
            return

        def work(tx: Tx) -> None:
            for write in writes:
                write(tx, places)

        try:
            self._records.transact(self._actor(), work, reason=IMPORT_REASON).result()
        except BaseException:
            places.forget_new()
            raise
        places.keep_new()

    def _site(self) -> str:
        """The site new devices go to: the first one, made now if there is none."""
        sites = self._registry.now().sites
        if sites:
            return min(sites)
        wanted = self._new_site
        zone = known_zone(wanted.zone) or local_zone()

        def work(tx: Tx) -> str:
            return tx.create(Site, "", name=wanted.name.strip() or FIRST_SITE.name, zone=zone)

        return self._records.transact(self._actor(), work, reason=IMPORT_REASON).result()

    def _note(self, result: ImportResult, site: str) -> None:
        data = {"file": result.file, **result.counts()}
        work = _noting(data, site or "inventory")
        self._records.transact(self._actor(), work, reason=IMPORT_REASON).result()


def _noting(data: Mapping[str, Any], about: str) -> Callable[[Tx], None]:
    def work(tx: Tx) -> None:
        tx.note("inventory.import", about, data)

    return work


def _create(tx: Tx, places: PlaceMaker, row: InventoryDevice, site: str, now_ms: int) -> None:
    """Device, asset and binding of one new row; ids from nature, so two consoles make one."""
    name = row.name or row.id
    values: dict[str, Any] = {fact: getattr(row, fact) for fact in _FACTS}
    values |= {"tuya_id": row.id, "name": name, "local_key": row.key or None}
    _make(tx, Device, natural_id(site, "device", row.id), site, values)
    asset = natural_id(site, "asset", row.id)
    place = places.place(tx, row.place)
    _make(tx, Asset, asset, site, {"name": name, "place": place, "category": row.category})
    bound = {"asset": asset, "device": row.id, "from_ms": now_ms}
    _make(tx, Binding, natural_id(site, "binding", row.id), site, bound)


def _make(tx: Tx, kind: type[Record], record: str, site: str, values: Mapping[str, Any]) -> None:
    """Create the record; one that was deleted comes back, one that is there already stays."""
    there = tx.get(kind, record)
    if there is None:
        tx.create(kind, site, id=record, **values)
    elif there.deleted:
        tx.restore(there)
        back = tx.get(kind, record)
        if back is not None:
            tx.edit(back, **values)


def _unusable(
    row: InventoryDevice, known: Registry, in_file: Mapping[str, InventoryDevice]
) -> str | None:
    if row.parent is None:
        if row.key:
            return None
        return "It has no local key, so it cannot be held on the local network."
    gateway = known.devices.get(row.parent)
    if gateway is not None and gateway.parent:
        return "Its gateway is itself a sub-device."
    if gateway is None and row.parent not in in_file:
        return "Its gateway is neither in the file nor here; import the gateway with it."
    if gateway is None and not in_file[row.parent].key:
        return "Its gateway has no local key, so it cannot be held on the local network."
    return None


def _with_notes(sentence: str, row: InventoryDevice) -> str:
    return " ".join((sentence, *row.notes))


def _batches(devices: Sequence[InventoryDevice]) -> Iterator[Sequence[InventoryDevice]]:
    """Gateways before their sub-devices, some rows at a time."""
    ordered = sorted(devices, key=lambda device: (device.parent is not None, device.row))
    for start in range(0, len(ordered), BATCH_ROWS):
        yield ordered[start : start + BATCH_ROWS]
