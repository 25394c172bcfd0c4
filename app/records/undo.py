"""Taking back what was said: what an undo says, and what it leaves standing.

An undo is an operation like any other; it gives a field the value it would have if the operation
had never been made. What it took back, and the undo itself, then no longer count: undoing again
goes one step further back, and an undo that was undone counts for nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from app.records.field import DELETED, Kind, Merge
from app.records.fold import Folded, change, fold, fold_record, in_order
from app.records.operation import Edit, Operation


@dataclass(frozen=True, slots=True)
class Inverse:
    """What undoing operations would say. `stale` names fields somebody has changed since."""

    fields: Mapping[str, Edit]
    stale: tuple[str, ...]


def inverse(
    kind: Kind,
    operations: Sequence[Operation],
    undone: frozenset[str],
    only: Collection[str] | None = None,
) -> Inverse:
    """The edits that take back the operations `undone`, given all operations of their record.

    A register goes back only while an undone operation is shown or kept beside: afterwards
    somebody has decided anew, and that decision is theirs. `only` names the fields asked for.
    """
    ordered = in_order(kind, operations)
    now = fold_record(kind, operations)
    gone = taken_back(kind, operations, but_for=undone)
    touched = {
        name
        for o in ordered
        if o.id in undone
        for name in o.fields
        if name not in gone.get(o.id, ()) and (only is None or name in only)
    }
    edits: dict[str, Edit] = {}
    stale: list[str] = []
    for name in sorted(touched & kind.specs.keys()):
        edit = _edit(kind, name, ordered, undone, now)
        if edit is None:
            stale.append(name)
        else:
            edits[name] = edit
    return Inverse(edits, tuple(stale))


def taken_back(
    kind: Kind, operations: Iterable[Operation], *, but_for: frozenset[str] = frozenset()
) -> Mapping[str, frozenset[str]]:
    """Per operation of one record, those of its fields that an undo took back.

    Undos in `but_for` are looked at as any other operation.
    """
    ordered = in_order(kind, operations)
    if not any(o.undoes for o in ordered):
        return {}
    gone: dict[str, set[str]] = {}
    for name in {name for o in ordered for name in o.fields}:
        for cancelled in _cancelled(name, ordered, but_for):
            gone.setdefault(cancelled, set()).add(name)
    transactions = {o.id: o.tx for o in ordered}
    unmade = {transactions.get(o.undoes or "") for o in ordered if DELETED.name in o.fields}
    for operation in ordered:
        if operation.act == "create" and operation.tx in unmade:
            gone.setdefault(operation.id, set()).update(operation.fields)
    return {identity: frozenset(names) for identity, names in gone.items()}


def left_standing(kind: Kind, operations: Sequence[Operation]) -> list[Operation]:
    """The operations that say something no undo has taken back, the undos left out."""
    gone = taken_back(kind, operations)
    return [
        o
        for o in in_order(kind, operations)
        if o.undoes is None and not o.fields.keys() <= gone.get(o.id, frozenset())
    ]


def _edit(
    kind: Kind, name: str, ordered: Sequence[Operation], undone: frozenset[str], now: Folded
) -> Edit | None:
    """What takes one field back; None when somebody has changed it since."""
    spec, current = kind.specs[name], now.states[name]
    said = fold(spec, _counting(name, ordered, undone))
    earlier = fold(spec, _counting(name, [o for o in ordered if o.id not in undone]))
    if spec.merge is Merge.TAGS:
        wanted = {*earlier.value, *(set(current.value) - set(said.value))}
        return change(spec, current.value, wanted, current.heads)
    if not undone & set(said.heads):
        return None
    kept = {operation for operation, _ in earlier.also}  # what others said stays beside
    seen = tuple(head for head in current.heads if head not in kept)
    if spec.merge is Merge.DELETE and earlier.value:
        seen += now.seen  # a deletion says which edits its author knew
    return Edit(earlier.value, seen)


def _cancelled(name: str, ordered: Sequence[Operation], but_for: frozenset[str]) -> set[str]:
    """Operations whose say on one field was taken back, and the undos that did it."""
    transactions = {o.id: o.tx for o in ordered}
    gone: set[str] = set()
    for undo in reversed(ordered):
        if undo.id in gone or undo.id in but_for or name not in undo.fields:
            continue
        tx = transactions.get(undo.undoes or "")
        if targets := {o.id for o in ordered if o.tx == tx and name in o.fields}:
            gone |= {undo.id, *targets}
    return gone


def _counting(
    name: str, ordered: Sequence[Operation], but_for: frozenset[str] = frozenset()
) -> list[Operation]:
    """The operations on one field that still count, as if the others had never been said.

    Whoever had seen one that no longer counts had seen what that one had seen.
    """
    gone = _cancelled(name, ordered, but_for)
    had_seen = {o.id: o.fields[name].seen for o in ordered if o.id in gone}
    counting: list[Operation] = []
    for operation in ordered:
        if name not in operation.fields or operation.id in gone:
            continue
        edit = operation.fields[name]
        seen = _seen_through(edit.seen, had_seen)
        counting.append(replace(operation, fields={name: edit._replace(seen=seen)}))
    return counting


def _seen_through(seen: Iterable[str], had_seen: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """`seen`, with each operation in `had_seen` replaced by what that one had seen."""
    waiting, found, passed = list(seen), set[str](), set[str]()
    while waiting:
        operation = waiting.pop()
        if operation not in had_seen:
            found.add(operation)
        elif operation not in passed:  # a forged one may claim to have seen itself
            passed.add(operation)
            waiting.extend(had_seen[operation])
    return tuple(sorted(found))
