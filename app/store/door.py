"""What the door checks before an operation is written: types, required fields, choices, moves.

Judged here once. The fold never looks at any of it again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from app.domain.errors import InvalidRequest, Refused
from app.records.field import KINDS, Cell, Kind, Merge, Record, Spec
from app.records.operation import canonical


def declared(kind: str) -> Kind:
    """The kind of this name.

    Raises:
        InvalidRequest: there is none.
    """
    if kind not in KINDS:
        raise InvalidRequest(
            "records.no_such_kind",
            f"There is no kind '{kind}'.",
            do=f"There are {', '.join(sorted(KINDS))}.",
        )
    return KINDS[kind]


def check_values(kind: Kind, values: Mapping[str, Any]) -> None:
    """Raises InvalidRequest for the first value that does not fit its field."""
    for name, value in values.items():
        check_value(kind, spec_of(kind, name), value)


def spec_of(kind: Kind, name: str) -> Spec:
    """The field's declaration."""
    spec = kind.specs.get(name)
    if spec is None or spec.merge is Merge.DELETE:
        raise InvalidRequest(
            "records.no_such_field",
            f"A {kind.name} has no field '{name}'.",
            where=f"{kind.name}.{name}",
            do=f"It has {', '.join(n for n in kind.specs if n != 'deleted')}.",
        )
    return spec


def check_value(kind: Kind, spec: Spec, value: Any) -> None:
    """Raises InvalidRequest when the value does not fit the field."""
    where = f"{kind.name}.{spec.name}"
    if not spec.fits(value) or not _writable(value):
        raise InvalidRequest(
            "records.wrong_type",
            f"{spec.label} cannot be {_shown(spec, value)}.",
            where=where,
            do=f"Give it a {spec.cell} value{' or none' if spec.optional else ''}.",
        )
    if spec.required and value in (None, "", ()):
        raise _missing(kind, spec)
    if spec.choices and value not in (*spec.choices, None):
        raise InvalidRequest(
            "records.not_a_choice",
            f"{spec.label} cannot be {_shown(spec, value)}.",
            where=where,
            do=f"Choose one of {', '.join(spec.choices)}.",
        )
    if spec.moves and value not in spec.moves:
        raise InvalidRequest(
            "records.not_a_state",
            f"{spec.label} cannot be {_shown(spec, value)}.",
            where=where,
            do=f"Choose one of {', '.join(spec.moves)}.",
        )


def check_complete(kind: Kind, values: Mapping[str, Any]) -> None:
    """Raises InvalidRequest for the first required field that is not given."""
    for spec in kind.specs.values():
        if spec.required and spec.name not in values:
            raise _missing(kind, spec)


def check_move(kind: Kind, spec: Spec, now: Any, wanted: Any) -> None:
    """Raises Refused when the state table has no such move."""
    if not may_move(spec, now, wanted):
        allowed = ", ".join(spec.moves.get(now, ())) or "nothing"
        raise Refused(
            "records.no_such_move",
            f"{spec.label} cannot go from {now} to {wanted}.",
            where=f"{kind.name}.{spec.name}",
            do=f"From {now} it can become {allowed}.",
        )


def may_move(spec: Spec, now: Any, wanted: Any) -> bool:
    """Whether the table allows the move; staying is always allowed."""
    return bool(now == wanted) or wanted in spec.moves.get(now, ())


def check_editable(kind: Kind, seen: Record) -> None:
    """Raises InvalidRequest for an entry or a deleted record."""
    if kind.is_entry:
        raise InvalidRequest(
            "records.entry",
            f"A {kind.name} is not edited once it is said.",
            where=f"{kind.name} {seen.id}",
            do="Withdraw it and say it anew.",
        )
    if seen.deleted:
        raise deleted(kind, seen.id)


def deleted(kind: Kind, record: str) -> InvalidRequest:
    """The error for changing what was deleted."""
    return InvalidRequest(
        "records.deleted",
        f"This {kind.name} was deleted.",
        where=f"{kind.name} {record}",
        do="Restore it first.",
    )


def _missing(kind: Kind, spec: Spec) -> InvalidRequest:
    return InvalidRequest(
        "records.required",
        f"A {kind.name} needs its {spec.label.lower()}.",
        where=f"{kind.name}.{spec.name}",
        do="Fill it in.",
    )


def _writable(value: Any) -> bool:
    """Whether the value has a spelling in JSON: no NaN, no lone surrogates, no foreign objects."""
    if value is None or isinstance(value, bool | int):
        return True
    if isinstance(value, float):
        return math.isfinite(value)
    try:
        canonical(value).encode()
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def _shown(spec: Spec, value: Any) -> str:
    """The value as an error may show it: never one that is sealed, never a long one."""
    if spec.sealed:
        return "what was given"
    if value is None:
        return "empty"
    text = repr(value)
    if spec.cell is Cell.JSON or len(text) > 60:
        return f"this {type(value).__name__}"
    return text
