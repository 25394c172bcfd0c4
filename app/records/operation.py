"""One change as its author said it: which fields, which values, and what had been seen.

Times are hybrid: UTC microseconds that never go back on one console, even when its clock does.
They order what is shown; nothing is ever lost or kept because of them. Microseconds, because a
thousand operations of one import would run a millisecond clock a second ahead.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from app.records.field import Kind

UNNUMBERED = 1 << 62
"""Sorts an operation the server has not numbered yet after those it has."""

ALLOWED = "allowed"
REFUSED = "refused"

GENESIS = bytes(32)
"""What the first line of a journal is chained to."""


class Edit(NamedTuple):
    """A field's new value, and the operations its author had seen on that field."""

    value: Any
    seen: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """One record, one transaction: the unit of history and of sync.

    Attributes:
        id: ``console:n``, n gapless per console; ``console:Ln`` for lines that stay here.
        tx: what was said together, and is undone together.
        act: create, edit, delete, restore, undo or note.
        at_us: hybrid time of its author, UTC microseconds.
        author: the person's id. A name never enters the chain, so it can be erased by law.
        seq: the server's number, None until it has given one.
        verdict: None, `ALLOWED` or `REFUSED`; a refused operation is kept and not folded.
    """

    id: str
    tx: str
    act: str
    kind: str
    record: str
    site: str
    at_us: int
    author: str
    schema: int
    fields: Mapping[str, Edit]
    undoes: str | None = None
    reason: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    seq: int | None = None
    verdict: str | None = None

    def order(self) -> tuple[int, int, str]:
        """The server's order where there is one, else the author's."""
        return (UNNUMBERED if self.seq is None else self.seq, self.at_us, self.id)

    def header(self, known_us: int) -> str:
        """What the chain covers besides the body. A JSON array: no two headers read the same.

        `known_us` is when this console learned of it, by its own hybrid time.
        """
        return canonical(
            [
                known_us,
                self.id,
                self.tx,
                self.act,
                self.kind,
                self.record,
                self.site,
                self.at_us,
                self.author,
                self.schema,
            ]
        )

    def body(self) -> str:
        """The part that can be erased by law while the chain still verifies."""
        said: dict[str, Any] = {}
        if self.fields:
            said["fields"] = self.fields
        if self.undoes:
            said["undoes"] = self.undoes
        if self.reason:
            said["reason"] = self.reason
        if self.data:
            said["data"] = self.data
        return canonical(said)


_encode = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
).encode


def canonical(value: Any) -> str:
    """JSON with one spelling for one value."""
    return _encode(value)


def _body_of(body: str | None) -> dict[str, Any]:
    try:
        said = json.loads(body or "{}")
    except (ValueError, TypeError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _edits_of(said: Any) -> dict[str, Edit]:
    pairs = said.items() if isinstance(said, dict) else ()
    return {
        name: Edit(edit[0], tuple(edit[1]))
        for name, edit in pairs
        if isinstance(edit, list) and len(edit) == 2 and isinstance(edit[1], list)
    }


def read_operation(
    header: Sequence[Any], body: str | None, seq: int | None = None, verdict: str | None = None
) -> Operation:
    """An operation from the nine parts of its header, in the order of its fields, and its body.

    None as body is one erased by law: the operation stays, without fields. So does one that was
    damaged in the file; the audit names it, and everything else still opens.
    """
    said = _body_of(body)
    identity, tx, act, kind, record, site, at_us, author, schema = header
    return Operation(
        identity if isinstance(identity, str) else repr(identity),
        tx,
        act,
        kind,
        record,
        site,
        at_us if isinstance(at_us, int) else 0,
        author,
        schema,
        _edits_of(said.get("fields")),
        said.get("undoes"),
        said.get("reason", ""),
        said.get("data", {}),
        seq,
        verdict,
    )


def body_hash(body: str) -> bytes:
    """SHA-256 of a body."""
    return hashlib.sha256(body.encode()).digest()


def link(previous: bytes, header: str, hashed_body: bytes) -> bytes:
    """The chain over header and hash of the body. Both hashes are 32 bytes: no ambiguity."""
    return hashlib.sha256(previous + hashed_body + header.encode()).digest()


def number(operation: str) -> tuple[str, int]:
    """Console and running number of an operation id; 0 for what is no such id."""
    console, _, n = operation.rpartition(":")
    digits = n.removeprefix("L")
    return console, int(digits) if digits.isdecimal() else 0


def newest(operations: Iterable[str]) -> dict[str, int]:
    """The highest number of each console among these operation ids."""
    found: dict[str, int] = {}
    for operation in operations:
        console, n = number(operation)
        if n > found.get(console, 0):
            found[console] = n
    return found


def upcast(kind: Kind, operation: Operation) -> Operation:
    """The operation with today's field names and meanings; what is stored is never rewritten."""
    if not kind.was and (kind.upcast is None or operation.schema >= kind.schema):
        return operation
    fields = {kind.was.get(name, name): edit for name, edit in operation.fields.items()}
    if kind.upcast is not None and operation.schema < kind.schema:
        values = kind.upcast(operation.schema, {name: e.value for name, e in fields.items()})
        everything = tuple(sorted({s for e in fields.values() for s in e.seen}))
        fields = {
            name: Edit(value, fields[name].seen if name in fields else everything)
            for name, value in values.items()
        }
    return replace(operation, fields=fields)
