"""A record is the fold of a SET of operations: order and repetition of arrival cannot matter.

Fold reads only the operations and the merge rule of each field. It never asks a state table, a
role or a clock: those may change later, and a refold would then rewrite what is long settled.
Legality is judged once, at the door, and its verdict travels with the operation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from app.records.field import Kind, Merge, Spec
from app.records.operation import REFUSED, Edit, Operation, newest, number, upcast

EDITED = "edited"
"""Stands beside `deleted` for each edit the deletion had not seen."""


class State(NamedTuple):
    """One field, folded.

    `heads` are the operations nobody has seen and replaced, the shown one first; `also` the
    (operation, value) pairs kept beside; `asks` whether a person must decide.
    """

    value: Any
    heads: tuple[str, ...] = ()
    also: tuple[tuple[str, Any], ...] = ()
    asks: bool = False


@dataclass(frozen=True, slots=True)
class Folded:
    """A record, folded. `seen` is the newest operation of each console among those folded."""

    states: Mapping[str, State]
    seen: tuple[str, ...]
    site: str

    @property
    def asks(self) -> bool:
        """Whether any field waits for a person."""
        return any(state.asks for state in self.states.values())


def fold_record(kind: Kind, operations: Iterable[Operation]) -> Folded:
    """Fold every field of a record from all its operations, refused ones left out."""
    everything = {o.id: o for o in operations}
    ordered = in_order(kind, everything.values())
    touching: dict[str, list[Operation]] = {}
    for operation in ordered:
        for name in operation.fields:
            touching.setdefault(name, []).append(operation)
    states = {
        name: fold(spec, touching[name]) if name in touching else State(spec.initial)
        for name, spec in kind.specs.items()
    }
    if not ordered:  # nobody was allowed to make it
        states["deleted"] = State(True)
    elif states["deleted"].value:
        states["deleted"] = _shown_if_edited_unseen(states["deleted"], ordered)
    seen = tuple(f"{console}:{n}" for console, n in sorted(newest(o.id for o in ordered).items()))
    site = min(everything.values(), key=Operation.order).site if everything else ""
    return Folded(states, seen, site)


def in_order(kind: Kind, operations: Iterable[Operation]) -> list[Operation]:
    """Each operation once, in today's words and in its order, refused ones left out."""
    unique = {o.id: o for o in operations if o.verdict != REFUSED}
    return sorted((upcast(kind, o) for o in unique.values()), key=Operation.order)


def fold(spec: Spec, operations: Sequence[Operation]) -> State:
    """Fold one field from the operations that touch it, given in their order, each once."""
    if spec.merge is Merge.TAGS:
        return _fold_set(spec.name, operations)
    if spec.merge is Merge.GIVEN:
        first = operations[0]
        return State(first.fields[spec.name].value, (first.id,))
    return _fold_register(spec, operations)


def _fold_register(spec: Spec, operations: Sequence[Operation]) -> State:
    """`auto`, `ask`, `transition`, deletion: what nobody has seen and replaced."""
    name = spec.name
    if len(operations) == 1:
        only = operations[0]
        return State(only.fields[name].value, (only.id,))
    replaced = {seen for o in operations for seen in o.fields[name].seen}
    heads = [o for o in operations if o.id not in replaced]
    if not heads:  # only a forged operation can claim to have seen one that had seen it
        return State(spec.initial)
    shown = heads[0]
    if spec.merge is Merge.AUTO:
        shown = max(heads, key=lambda o: (o.at_us, o.id))
    value = shown.fields[name].value
    also = tuple((o.id, o.fields[name].value) for o in heads if o.fields[name].value != value)
    ids = (shown.id, *(o.id for o in heads if o is not shown))
    return State(value, ids, also, asks=bool(also) and spec.asks)


def _fold_set(name: str, operations: Sequence[Operation]) -> State:
    """A removal takes away only the additions its author had seen; an addition survives."""
    alive: dict[str, set[str]] = {}
    for operation in operations:
        for word in _words(operation.fields[name].value, "+"):
            alive.setdefault(word, set()).add(operation.id)
    for operation in operations:
        value, seen = operation.fields[name]
        for word in _words(value, "-"):
            alive.get(word, set()).difference_update(seen)
    words = tuple(sorted(word for word, by in alive.items() if by))
    return State(words, tuple(sorted({by for adders in alive.values() for by in adders})))


def _words(value: Any, sign: str) -> list[str]:
    """Words of a set edit; what a foreign console may send that is no set edit adds nothing."""
    said = value.get(sign, ()) if isinstance(value, Mapping) else ()
    return [word for word in said if isinstance(word, str)] if isinstance(said, list) else []


def _shown_if_edited_unseen(deleted: State, ordered: Sequence[Operation]) -> State:
    """A record deleted while somebody edited it stays in sight until a person decides."""
    deletion = next(o for o in ordered if o.id == deleted.heads[0])
    knew = newest(deletion.fields["deleted"].seen)
    unseen = [o for o in ordered if "deleted" not in o.fields and _after(o.id, knew)]
    if not unseen:
        return deleted
    also = (*((o.id, EDITED) for o in unseen), (deletion.id, True), *deleted.also)
    return deleted._replace(value=False, also=also, asks=True)


def _after(operation: str, knew: Mapping[str, int]) -> bool:
    console, n = number(operation)
    return n > knew.get(console, 0)


def as_of(operations: Iterable[Operation], at_us: int) -> list[Operation]:
    """The operations made up to `at_us` by their authors' clocks: what was true then."""
    return [o for o in operations if o.at_us <= at_us]


def set_change(now: Iterable[str], wanted: Iterable[str]) -> dict[str, list[str]]:
    """The addition and removal that turn one set into another."""
    have, want = set(now), set(wanted)
    change = {"+": sorted(want - have), "-": sorted(have - want)}
    return {sign: words for sign, words in change.items() if words}


def change(spec: Spec, now: Any, wanted: Any, seen: tuple[str, ...]) -> Edit:
    """The edit of one field that turns the seen value `now` into `wanted`."""
    if spec.merge is Merge.TAGS:
        return Edit(set_change(now, wanted), seen)
    return Edit(wanted, seen)
