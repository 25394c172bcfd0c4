"""The past of a record as a person asks for it: what was said, how it was, and taking it back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.domain.errors import InvalidRequest
from app.domain.ids import natural_id
from app.domain.instants import iso
from app.records.field import KINDS, Record, kind_of
from app.records.kinds.asset import Asset
from app.records.kinds.binding import Binding
from app.records.kinds.device import Device
from app.records.kinds.person import Person
from app.records.port import Actor, Change, Note, Records, Tx
from app.services.directory import Directory
from app.services.registry import RegistryCache
from app.services.undoing import not_yet, plan_restore, plan_undo

SEALED = "(sealed)"
_SHOWN_NOTES = 1_000


@dataclass(frozen=True, slots=True)
class HistoryItem:
    """One field of one operation, or a journal line without a row (`field` is its event)."""

    operation: str
    tx: str
    act: str
    at_ms: int
    author: str
    author_name: str
    kind: str
    record: str
    field: str
    value: Any
    seen: tuple[str, ...] = ()
    undoes: str | None = None
    verdict: str | None = None
    reason: str = ""
    taken_back: bool = False

    def document(self) -> dict[str, Any]:
        """The item as JSON shows it."""
        return {
            "operation": self.operation,
            "act": self.act,
            "at": iso(self.at_ms),
            "author": self.author,
            "author_name": self.author_name,
            "kind": self.kind,
            "record": self.record,
            "field": self.field,
            "value": self.value,
            "seen": list(self.seen),
            "undoes": self.undoes,
            "verdict": self.verdict,
            "reason": self.reason,
            "taken_back": self.taken_back,
        }


@dataclass(frozen=True, slots=True)
class RecordHistory:
    """What was said about a record, oldest first, and how it was at a time if one was asked."""

    kind: str
    id: str
    items: tuple[HistoryItem, ...]
    as_of: Mapping[str, Any] | None = field(default=None)

    def document(self) -> dict[str, Any]:
        """The history as JSON shows it."""
        document: dict[str, Any] = {
            "items": [item.document() for item in self.items],
            "total": len(self.items),
            "next": None,
        }
        if self.as_of is not None:
            document["as_of"] = dict(self.as_of)
        return document


@dataclass(frozen=True, slots=True)
class Undone:
    """What an undo wrote, and the record after it."""

    operations: tuple[str, ...]
    record: Mapping[str, Any]

    def document(self) -> dict[str, Any]:
        """The result as JSON shows it."""
        return {"undone": list(self.operations), "record": dict(self.record)}


class RecordBook:
    """A device's history tells of its asset and binding too: to a person they are one thing."""

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

    def history(
        self, kind: str, text: str, field: str | None = None, as_of_ms: int | None = None
    ) -> RecordHistory:
        """What was said about a record; with `as_of_ms` up to then, and how it was then.

        Raises:
            InvalidRequest: no such kind, record or field, or it did not exist then.
        """
        record = self.resolve(kind, text)
        family = self._family(record)
        _check_field(family, field)
        names = self._names()
        items: list[HistoryItem] = []
        for member in family:
            items += self._items(member, field, names)
        items.sort(key=lambda item: item.at_ms)
        if as_of_ms is None:
            return RecordHistory(kind, record.id, tuple(items))
        if self._records.as_of(type(record), record.id, as_of_ms) is None:
            raise not_yet()
        past = tuple(item for item in items if item.at_ms <= as_of_ms)
        return RecordHistory(kind, record.id, past, self._as_of(family, field, as_of_ms))

    def undo(
        self, kind: str, text: str, field: str | None = None, as_of_ms: int | None = None
    ) -> Undone:
        """Take back the last transaction about a record or its field; or restore a time's state.

        Undoing again goes one step further back. With a field only that field goes back. For a
        device its asset and binding go back with it and nothing else: an import writes many
        devices at once, and a place made for one may be another's by now.

        Raises:
            InvalidRequest: no such record or field, or nothing to take back.
            Refused: a field was changed since, or others use what would go away.
        """
        record = self.resolve(kind, text)
        family = self._family(record)
        _check_field(family, field)
        if as_of_ms is not None:
            plan = plan_restore(self._records, family, field, as_of_ms)
        else:
            plan = plan_undo(self._records, family, field, self._scope(record))

        def work(tx: Tx) -> tuple[str, tuple[str, ...]]:
            return tx.id, tuple(plan.work(tx))

        transaction, operations = self._records.transact(
            self._actor(), work, reason=plan.reason
        ).result()
        written = dict.fromkeys(operations)
        for member in family:
            changes = self._records.history(kind_of(member).name, member.id)
            written |= {c.operation: None for c in changes if c.tx == transaction}
        after = self._records.get(type(record), record.id) or record
        return Undone(tuple(written), record_document(after))

    def resolve(self, kind: str, text: str) -> Record:
        """The record of this kind that a person means by an id, or a name.

        Raises:
            InvalidRequest: no such kind, nothing called that, or several things.
        """
        if kind not in KINDS:
            known = ", ".join(sorted(KINDS))
            raise InvalidRequest(
                "record.kind",
                f"There is no kind '{kind[:40]}'.",
                where="KIND",
                do=f"One of {known}.",
            )
        cls = KINDS[kind].cls
        direct = self._records.get(cls, text)
        if direct is not None:
            return direct
        if cls in (Device, Asset, Binding):
            return self._of_device(cls, text)
        named = [
            record
            for record in self._records.all(cls)
            if str(getattr(record, "name", "")).casefold() == text.strip().casefold()
        ]
        if len(named) == 1:
            return named[0]
        problem = "Several are" if named else "Nothing is"
        raise InvalidRequest(
            "record.unknown", f"{problem} called '{text[:80]}'.", where="ID", do="Give its id."
        )

    def _of_device(self, cls: type[Record], text: str) -> Record:
        deleted = self._deleted(cls, text)
        if deleted is not None:
            return deleted
        device = self._directory.find(text)
        registry = self._registry.now()
        found: Record | None = device
        if cls is Asset:
            found = registry.asset_of(device.tuya_id)
        elif cls is Binding:
            found = registry.bound.get(device.tuya_id)
        if found is None:
            raise InvalidRequest(
                "record.unknown", "The device is not bound.", where="ID", do="Give its id."
            )
        return found

    def _deleted(self, cls: type[Record], text: str) -> Record | None:
        """What was imported for a Tuya id and deleted since: the directory does not know it."""
        registry = self._registry.now()
        if text in registry.devices:
            return None
        kind = kind_of(cls).name
        for site in registry.sites:
            record = self._records.get(cls, natural_id(site, kind, text))
            if record is not None:
                return record
        return None

    def _family(self, record: Record) -> list[Record]:
        """The record, and for a device the asset and binding a person sees as one with it."""
        if not isinstance(record, Device):
            return [record]
        registry = self._registry.now()
        binding = registry.bound.get(record.tuya_id)
        asset = registry.assets.get(binding.asset) if binding is not None else None
        if record.deleted:
            known = record.site, record.tuya_id
            asset = self._records.get(Asset, natural_id(known[0], "asset", known[1]))
            binding = self._records.get(Binding, natural_id(known[0], "binding", known[1]))
        return [record, *(member for member in (asset, binding) if member is not None)]

    def _scope(self, record: Record) -> set[str]:
        """The records that go back together with this one."""
        registry = self._registry.now()
        device: Record | None = record
        if isinstance(record, Asset):
            device = registry.device_of(record.id)
        elif isinstance(record, Binding):
            device = registry.devices.get(record.device)
        return {record.id, *(member.id for member in self._family(device or record))}

    def _items(
        self, record: Record, field: str | None, names: Mapping[str, str]
    ) -> list[HistoryItem]:
        kind = kind_of(record)
        if field is not None and field not in (*kind.specs, "deleted"):
            return []
        items = [
            _item(change, kind.name, record.id, names)
            for change in self._records.history(kind.name, record.id, field)
        ]
        if field is None:
            notes = self._records.notes(record.id, _SHOWN_NOTES)
            items += [_note_item(note, kind.name, record.id, names) for note in notes]
        return items

    def _as_of(self, family: Sequence[Record], field: str | None, at_ms: int) -> Mapping[str, Any]:
        found: dict[str, Any] = {}
        for member in family:
            then = self._records.as_of(type(member), member.id, at_ms)
            if then is None:
                continue
            document = record_document(then)
            if member is family[0]:
                found = document
            else:
                found[kind_of(member).name] = document
        return _only(found, field) if field is not None else found

    def _names(self) -> dict[str, str]:
        """Names of authors by id; the program itself is one of them."""
        return {"": "Plantroom"} | {p.id: p.name for p in self._records.all(Person) if p.name}


def record_document(record: Record) -> dict[str, Any]:
    """A record's fields for people: sealed values show only that there is one."""
    document: dict[str, Any] = {"kind": kind_of(record).name, "id": record.id, "site": record.site}
    for name, spec in kind_of(record).specs.items():
        value = getattr(record, name)
        if spec.sealed and value is not None:
            value = SEALED
        document[name] = list(value) if isinstance(value, tuple) else value
    document["deleted"] = record.deleted
    return document


def _item(change: Change, kind: str, record: str, names: Mapping[str, str]) -> HistoryItem:
    spec = KINDS[kind].specs.get(change.field)
    sealed = spec is not None and spec.sealed and change.value is not None
    return HistoryItem(
        operation=change.operation,
        tx=change.tx,
        act=change.act,
        at_ms=change.at_ms,
        author=change.author,
        author_name=names.get(change.author, change.author),
        kind=kind,
        record=record,
        field=change.field,
        value=SEALED if sealed else change.value,
        seen=change.seen,
        undoes=change.undoes,
        verdict=change.verdict,
        reason=change.reason,
        taken_back=change.taken_back,
    )


def _note_item(note: Note, kind: str, record: str, names: Mapping[str, str]) -> HistoryItem:
    return HistoryItem(
        operation=note.operation,
        tx="",
        act="note",
        at_ms=note.at_ms,
        author=note.author,
        author_name=names.get(note.author, note.author),
        kind=kind,
        record=record,
        field=note.event,
        value=dict(note.data),
        reason=note.reason,
    )


def _check_field(family: Sequence[Record], field: str | None) -> None:
    if field is None or any(field in kind_of(member).specs for member in family):
        return
    known = sorted({name for member in family for name in kind_of(member).specs})
    raise InvalidRequest(
        "record.field",
        f"It has no field '{field[:40]}'.",
        where="--field",
        do=f"One of {', '.join(known)}.",
    )


def _only(document: Mapping[str, Any], field: str) -> dict[str, Any]:
    found = {field: document[field]} if field in document else {}
    for kind, nested in document.items():
        if isinstance(nested, dict) and kind in KINDS and field in nested:
            found[kind] = {field: nested[field]}
    return found
