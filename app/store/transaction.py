"""One transaction as services see it: what is read, said and undone inside it.

Every operation takes what was seen from the record the person looked at, never from the row.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.domain.errors import InvalidRequest, Refused
from app.domain.ids import new_id
from app.records.field import K, Kind, Merge, Record, Spec, kind_of
from app.records.fold import Folded, as_of, change, fold_record
from app.records.operation import ALLOWED, Edit, Operation, canonical
from app.records.port import Actor
from app.records.query import Page, Query
from app.records.undo import inverse, left_standing
from app.store import door
from app.store.engines import Database
from app.store.journal import Journal
from app.store.projection import Projection
from app.store.query import find
from app.store.sealing import SiteKeys, context
from app.store.tables import SETTLED, UNSENT, kind_table


@dataclass(slots=True)
class Said:
    """What a transaction wrote, for the events and the outbox copy after its commit."""

    operations: list[Operation] = field(default_factory=list)
    site_keys: list[tuple[str, bytes]] = field(default_factory=list)


class WriteTx:
    """The store's `Tx`. Lives for one call of `work` on the writer's thread."""

    def __init__(
        self,
        database: Database,
        journal: Journal,
        keys: SiteKeys,
        who: Actor,
        reason: str,
    ) -> None:
        self.id = str(uuid.uuid4())
        self.said = Said()
        self._database = database
        self._connection = database.driver
        self._journal = journal
        self._projection = Projection(self._connection)
        self._keys = keys
        self._who = who
        self._reason = reason

    def get(self, kind: type[K], id: str) -> K | None:  # noqa: A002 - the field is called id
        """The record as this transaction sees it."""
        table = kind_table(kind_of(kind).name)
        row = self._connection.execute(table.select_one, (id,)).fetchone()
        return None if row is None else table.value(row)  # type: ignore[return-value]

    def find(self, query: Query) -> Page:
        """Rows as this transaction sees them."""
        return find(self._database.writer, query)

    def create(
        self,
        kind: type[Record] | str,
        site: str,
        /,
        id: str | None = None,  # noqa: A002 - the field is called id
        **values: Any,
    ) -> str:
        """A new record; see the port."""
        declared = kind_of(kind)
        door.check_values(declared, values)
        door.check_complete(declared, values)
        record = id or new_id(self._journal.now_us() // 1000)
        site = site or record
        if id is not None and self._journal.of_record(declared.name, id):
            raise InvalidRequest(
                "records.exists",
                f"There is a {declared.name} of this id already.",
                where=f"{declared.name} {id}",
                do="Edit it; if it was deleted, restore it.",
            )
        edits = {
            name: self._edit_of(declared, declared.specs[name], site, record, None, value)
            for name, value in values.items()
        }
        self._say("create", declared, record, site, edits, [])
        return record

    def edit(self, seen: Record, /, **values: Any) -> str | None:
        """Change fields of the record the person saw; see the port."""
        kind = kind_of(seen)
        door.check_editable(kind, seen)
        door.check_values(kind, values)
        edits: dict[str, Edit] = {}
        for name, value in values.items():
            spec = kind.specs[name]
            if name not in seen.also and self._same(kind, spec, seen, value):
                continue
            if spec.merge is Merge.TRANSITION:
                door.check_move(kind, spec, getattr(seen, name), value)
            edits[name] = self._edit_of(kind, spec, seen.site, seen.id, seen, value)
        if not edits:
            return None
        return self._say("edit", kind, seen.id, seen.site, edits, self._past(kind, seen))

    def delete(self, seen: Record, /) -> str:
        """Delete or withdraw. What it has seen is the newest operation of every console."""
        kind = kind_of(seen)
        if seen.deleted:
            raise door.deleted(kind, seen.id)
        edit = Edit(True, (*seen.heads.get("deleted", ()), *seen.seen))
        past = self._past(kind, seen)
        return self._say("delete", kind, seen.id, seen.site, {"deleted": edit}, past)

    def restore(self, seen: Record, /) -> str:
        """Take a deletion back."""
        kind = kind_of(seen)
        edit = Edit(False, seen.heads.get("deleted", ()))
        past = self._past(kind, seen)
        return self._say("restore", kind, seen.id, seen.site, {"deleted": edit}, past)

    def undo(
        self,
        tx: str,
        /,
        *,
        records: Collection[str] | None = None,
        fields: Collection[str] | None = None,
    ) -> tuple[str, ...]:
        """Take back one transaction; see the port."""
        parts: dict[tuple[str, str], list[tuple[Operation, bool]]] = {}
        for operation, sent in self._journal.of_transaction(tx):
            if records is None or operation.record in records:
                parts.setdefault((operation.kind, operation.record), []).append((operation, sent))
        said = [
            self._undo_record(door.declared(kind), part, fields)
            for (kind, _), part in parts.items()
        ]
        written = tuple(operation for operation in said if operation is not None)
        if not written:
            raise InvalidRequest(
                "records.nothing_to_undo",
                "There is no such change to take back.",
                where=tx,
                do="Take the change's `tx` from the history.",
            )
        return written

    def restore_as_of(
        self, seen: Record, at_ms: int, /, *, fields: Collection[str] | None = None
    ) -> tuple[str, ...]:
        """Put the record back to what was true at a time; see the port."""
        kind = kind_of(seen)
        if kind.is_entry:
            door.check_editable(kind, seen)
        past = self._past(kind, seen)
        earlier = as_of(past, at_ms * 1000 + 999)
        if not earlier:
            raise InvalidRequest(
                "records.not_then",
                f"This {kind.name} did not exist at that time.",
                where=f"{kind.name} {seen.id}",
                do="Choose a later time.",
            )
        then = fold_record(kind, earlier)
        edits: dict[str, Edit] = {}
        for name, spec in kind.specs.items():
            now, wanted = getattr(seen, name), then.states[name].value
            if fields is not None and name not in fields:
                continue
            if now == wanted or not self._goes_back(spec, now, wanted):
                continue
            edits[name] = change(spec, now, wanted, seen.heads.get(name, ()))
        if edits:
            self._say("restore", kind, seen.id, seen.site, edits, past)
        return tuple(edits)

    def note(self, event: str, about: str, data: Mapping[str, Any], /) -> str:
        """A journal line without a row. It stays on this console."""
        operation = Operation(
            id=self._journal.next_id(local=True),
            tx=self.id,
            act="note",
            kind=event,
            record=about,
            site="",
            at_us=self._journal.now_us(),
            author=self._who.person,
            schema=1,
            fields={},
            reason=self._reason,
            data=data,
        )
        self._journal.append(operation, waiting=SETTLED)
        return operation.id

    def checkpoint(self, job: str, kind: str, state: Mapping[str, Any] | None, /) -> None:
        """Keep a job's state in this commit; None ends the job."""
        if state is None:
            self._connection.execute("DELETE FROM job WHERE id=?", (job,))
            return
        self._connection.execute(
            "INSERT INTO job VALUES(?,?,?)"
            " ON CONFLICT(id) DO UPDATE SET kind=excluded.kind, state=excluded.state",
            (job, kind, canonical(state)),
        )

    def _past(self, kind: Kind, seen: Record) -> list[Operation]:
        past = self._journal.of_record(kind.name, seen.id)
        if not past:
            raise InvalidRequest(
                "records.unknown",
                f"There is no such {kind.name} here.",
                where=f"{kind.name} {seen.id}",
                do="Create it first.",
            )
        return past

    def _same(self, kind: Kind, spec: Spec, seen: Record, value: Any) -> bool:
        now = getattr(seen, spec.name)
        if spec.merge is Merge.TAGS:
            return set(now) == set(value)
        if spec.sealed and now is not None and value is not None:
            where = context(kind.name, seen.id, spec.name)
            return bool(self._keys.open(self._connection, seen.site, where, now) == value)
        return bool(now == value)

    def _edit_of(
        self, kind: Kind, spec: Spec, site: str, record: str, seen: Record | None, value: Any
    ) -> Edit:
        """The edit of a field; a sealed value is ciphertext from here on."""
        heads = () if seen is None else seen.heads.get(spec.name, ())
        now = spec.initial if seen is None else getattr(seen, spec.name)
        if spec.sealed and value is not None:
            where = context(kind.name, record, spec.name)
            value, made = self._keys.seal(self._connection, site, where, value)
            if made is not None:
                self.said.site_keys.append((site, made))
        return change(spec, now, value, heads)

    def _undo_record(
        self, kind: Kind, part: list[tuple[Operation, bool]], fields: Collection[str] | None
    ) -> str | None:
        """Take back this transaction's operations on one record; newest first in `part`.

        None when nothing of them is left to take back.
        """
        last = part[0][0]
        undone = frozenset(operation.id for operation, _ in part)
        past = self._journal.of_record(kind.name, last.record)
        now = fold_record(kind, past)
        standing = left_standing(kind, past)
        made = any(o.act == "create" for o in standing if o.id in undone)
        if made and fields is not None:
            return None  # a field was never anything before the record was made
        taken = inverse(kind, past, undone, fields)
        edits, stale = dict(taken.fields), taken.stale
        if made:
            stale = () if {o.id for o in standing} <= undone else ("record",)
            edits = {"deleted": Edit(True, (*now.states["deleted"].heads, *now.seen))}
        if not edits and not stale:
            return None
        if now.states["deleted"].value and "deleted" not in edits:
            raise door.deleted(kind, last.record)
        if stale:
            raise Refused(
                "records.changed_since",
                f"{', '.join(stale).capitalize()} of this {kind.name} was changed since.",
                where=f"{kind.name} {last.record}",
                do="Look at it as it is now and change that.",
            )
        if any(sent for _, sent in part):
            self._check_way_back(kind, now, edits)
        return self._say("undo", kind, last.record, last.site, edits, past, undoes=last.id)

    @staticmethod
    def _check_way_back(kind: Kind, now: Folded, edits: Mapping[str, Edit]) -> None:
        """What others may have seen goes back only where the state table has the move."""
        for name, edit in edits.items():
            spec = kind.specs[name]
            if spec.merge is Merge.TRANSITION:
                door.check_move(kind, spec, now.states[name].value, edit.value)

    @staticmethod
    def _goes_back(spec: Spec, now: Any, wanted: Any) -> bool:
        if spec.merge is Merge.DELETE:
            return bool(now)  # a restored record comes back; restoring never deletes
        return spec.merge is not Merge.TRANSITION or door.may_move(spec, now, wanted)

    def _say(
        self,
        act: str,
        kind: Kind,
        record: str,
        site: str,
        edits: Mapping[str, Edit],
        past: list[Operation],
        undoes: str | None = None,
    ) -> str:
        """Write one operation and set the row."""
        guarded = any(kind.specs[n].merge in (Merge.TRANSITION, Merge.DELETE) for n in edits)
        operation = Operation(
            id=self._journal.next_id(),
            tx=self.id,
            act=act,
            kind=kind.name,
            record=record,
            site=site,
            at_us=self._journal.now_us(),
            author=self._who.person,
            schema=kind.schema,
            fields=edits,
            undoes=undoes,
            reason=self._reason,
            verdict=ALLOWED if guarded else None,
        )
        self._journal.append(operation, waiting=UNSENT)
        self._projection.set(kind, record, [*past, operation], [operation], first=not past)
        self.said.operations.append(operation)
        return operation.id
