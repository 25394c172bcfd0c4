"""Decides what taking a change back means, for records a person sees as one thing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.domain.errors import InvalidRequest
from app.records.field import Record, kind_of
from app.records.port import Change, Records, Tx
from app.services.importing import IMPORT_REASON

UNDO_REASON = "Undone: "
"""Begins the reason of every undo; the id of the transaction it takes back follows."""
RESTORE_REASON = "Restored to an earlier time"

Work = Callable[[Tx], Sequence[str]]
"""Writes inside a transaction; returns the operations it knows of."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to write, and the reason that stands beside it in the journal."""

    reason: str
    work: Work


@dataclass(frozen=True, slots=True)
class _Told:
    """One change and the record it is about."""

    record: Record
    change: Change

    @property
    def is_undo(self) -> bool:
        """An undo is not undone itself: asking again goes a step further back."""
        return bool(self.change.undoes) or self.change.reason.startswith(UNDO_REASON)


def plan_undo(records: Records, family: Sequence[Record], field: str | None) -> Plan:
    """Take back the newest transaction that still stands about these records, or the field.

    A transaction goes back as a whole, with two exceptions. An import writes many devices at
    once; only these records go back. And behind an undo the fields are not as that transaction
    left them, so these records are put back to the moment before it.

    Raises:
        InvalidRequest: nothing stands, or a sealed field alone is asked for.
    """
    told = [
        _Told(member, change)
        for member in family
        for change in records.history(kind_of(member).name, member.id)
        if change.verdict != "refused"
    ]
    last = _last_standing(told, field)
    change = last.change
    behind_an_undo = any(t.is_undo and t.change.at_ms >= change.at_ms for t in told)
    if change.reason == IMPORT_REASON or behind_an_undo:
        work = _backwards(records, told, change, field)
    else:
        work = _whole(change.tx)
    return Plan(UNDO_REASON + change.tx, work)


def plan_restore(records: Records, family: Sequence[Record], field: str | None, at_ms: int) -> Plan:
    """Put these records, or the field, back to what was true at `at_ms`.

    Raises:
        InvalidRequest: the record did not exist then, or a sealed field alone is asked for.
    """
    there = [m for m in family if records.as_of(type(m), m.id, at_ms) is not None]
    if family[0] not in there:
        raise InvalidRequest(
            "record.not_yet", "It did not exist then.", where="--as-of", do="Give a later time."
        )
    return Plan(RESTORE_REASON, _restored(records, there, field, at_ms))


def _last_standing(told: Sequence[_Told], field: str | None) -> _Told:
    tx_of = {t.change.operation: t.change.tx for t in told}
    undone = {tx_of.get(t.change.undoes or "") for t in told}
    undone |= {
        t.change.reason.removeprefix(UNDO_REASON)
        for t in told
        if t.change.reason.startswith(UNDO_REASON)
    }
    standing = [
        t
        for t in told
        if not t.is_undo and t.change.tx not in undone and field in (None, t.change.field)
    ]
    if not standing:
        raise InvalidRequest(
            "record.nothing_to_undo", "There is nothing to take back.", do="Look at its history."
        )
    return max(standing, key=lambda t: t.change.at_ms)


def _whole(transaction: str) -> Work:
    return lambda tx: tx.undo(transaction)


def _backwards(records: Records, told: Sequence[_Told], last: Change, field: str | None) -> Work:
    """These records as they were before `last`; those it created are deleted."""
    mine = {t.record.id: t.record for t in told if t.change.tx == last.tx}
    created = {t.record.id for t in told if t.change.tx == last.tx and t.change.act == "create"}
    if created:
        doomed = [mine[record] for record in mine if record in created]
        return lambda tx: [tx.delete(record) for record in reversed(doomed) if not record.deleted]
    return _restored(records, list(mine.values()), field, last.at_ms - 1)


def _restored(records: Records, members: Sequence[Record], field: str | None, at_ms: int) -> Work:
    if field is None:

        def restore(tx: Tx) -> Sequence[str]:
            for member in members:
                tx.restore_as_of(member, at_ms)
            return ()

        return restore
    edits = []
    for member in members:
        spec = kind_of(member).specs.get(field)
        then = records.as_of(type(member), member.id, at_ms)
        if spec is None or then is None:
            continue
        if spec.sealed:
            raise InvalidRequest(
                "record.sealed",
                "A sealed field cannot be put back alone.",
                where="--field",
                do="Leave --field out to put the whole record back.",
            )
        edits.append((member, {field: getattr(then, field)}))

    def edit(tx: Tx) -> Sequence[str]:
        said = [tx.edit(member, **values) for member, values in edits]
        return [operation for operation in said if operation]

    return edit
