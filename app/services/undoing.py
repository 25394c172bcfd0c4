"""Decides what taking a change back means, for records a person sees as one thing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from app.domain.errors import InvalidRequest, Refused
from app.records.field import Record, kind_of
from app.records.kinds.asset import Asset
from app.records.kinds.device import Device
from app.records.kinds.person import Person
from app.records.kinds.place import Place
from app.records.kinds.site import Site
from app.records.operation import REFUSED, number
from app.records.port import Change, Records, Tx
from app.records.query import Query, Where

UNDO_REASON = "Undone: "
"""Begins the reason of every undo; the id of the transaction it takes back follows."""
RESTORE_REASON = "Restored to an earlier time"

_USED_AS: dict[type[Record], tuple[str, tuple[tuple[type[Record], str], ...]]] = {
    Device: ("tuya_id", ((Device, "parent"),)),
    Place: ("id", ((Asset, "place"), (Place, "parent"))),
    Site: ("id", ((Device, "site"), (Place, "site"))),
}
"""By which of its values others name a record, and in which fields: what is named stays."""

Work = Callable[[Tx], Sequence[str]]
"""Writes inside a transaction; returns the operations it knows of."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to write, and the reason that stands beside it in the journal."""

    reason: str
    work: Work


def plan_undo(
    records: Records, family: Sequence[Record], field: str | None, scope: Collection[str]
) -> Plan:
    """Take back the newest transaction that still stands about these records, or the field.

    Of the transaction goes back what it said about `scope`, ids of records, and with a field only
    that field: an import writes many devices at once. Undoing again goes one step further back.

    Raises:
        InvalidRequest: nothing stands.
    """
    standing = [
        change
        for member in family
        for change in records.history(kind_of(member).name, member.id, field)
        if not (change.taken_back or change.undoes or change.verdict == REFUSED)
        and (field is None or change.act != "create")
    ]
    if not standing:
        raise InvalidRequest(
            "record.nothing_to_undo", "There is nothing to take back.", do="Look at its history."
        )
    tx_id = max(standing, key=_newness).tx
    fields = None if field is None else {field}

    def work(tx: Tx) -> Sequence[str]:
        operations = tx.undo(tx_id, records=scope, fields=fields)
        _refuse_if_used(tx, family[0])
        return operations

    return Plan(UNDO_REASON + tx_id, work)


def plan_restore(records: Records, family: Sequence[Record], field: str | None, at_ms: int) -> Plan:
    """Put these records, or the field, back to what was true at `at_ms`.

    Raises:
        InvalidRequest: the record did not exist then.
    """
    there = [m for m in family if records.as_of(type(m), m.id, at_ms) is not None]
    if family[0] not in there:
        raise not_yet()

    def work(tx: Tx) -> Sequence[str]:
        for member in there:
            tx.restore_as_of(member, at_ms, fields=None if field is None else {field})
        return ()

    return Plan(RESTORE_REASON, work)


def not_yet() -> InvalidRequest:
    """The answer to a question about a time before the record."""
    return InvalidRequest(
        "record.not_yet", "It did not exist then.", where="--as-of", do="Give a later time."
    )


def _newness(change: Change) -> tuple[int, int]:
    return change.at_ms, number(change.operation)[1]


def _refuse_if_used(tx: Tx, record: Record) -> None:
    """A place with things in it does not go away; what is raised here undoes the undo."""
    now = tx.get(type(record), record.id)
    if now is None or not now.deleted:
        return
    kind = kind_of(record).name
    if isinstance(record, Person):
        raise Refused(
            "record.in_use",
            "A person whose changes stand in the journal does not go away.",
            where=f"{kind} {record.id}",
        )
    name, users = _USED_AS.get(type(record), ("id", ()))
    for user, field in users:
        there = Where(field, "=", getattr(record, name))
        query = Query(kind=kind_of(user).name, where=(there,), limit=1, count=True)
        if used := tx.find(query).total:
            noun = kind_of(user).name + ("s" if used > 1 else "")
            raise Refused(
                "record.in_use",
                f"Taking that back would remove the {kind}, which {used} {noun} still"
                f" need{'s' if used == 1 else ''}.",
                where=f"{kind} {record.id}",
                do=f"Take the {noun} away from it first.",
            )
