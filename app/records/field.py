"""How a kind of record is declared: one dataclass, one call per field, checked at import.

A field's merge rule says what happens when two people change it without having seen each other:

* `auto`: the later one is shown, the other kept beside it.
* `ask`: both are kept and a person decides.
* `tags`: a set; an addition survives a removal that had not seen it.
* `transition`: `ask`, and the door checks the move against the declared table.
* `given`: only in entry kinds; said once at creation and never edited.
"""

from __future__ import annotations

import re
import types
from collections import abc
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from enum import StrEnum
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints


class Merge(StrEnum):
    """What folding does with changes that had not seen each other."""

    AUTO = "auto"
    ASK = "ask"
    TAGS = "tags"
    TRANSITION = "transition"
    GIVEN = "given"
    DELETE = "delete"


class Cell(StrEnum):
    """What a field's column holds."""

    TEXT = "text"
    INTEGER = "integer"
    REAL = "real"
    FLAG = "flag"
    JSON = "json"


_PYTHON: Mapping[Cell, tuple[type, ...]] = {
    Cell.TEXT: (str,),
    Cell.INTEGER: (int,),
    Cell.REAL: (int, float),
    Cell.FLAG: (bool,),
}
_CELLS: Mapping[Any, Cell] = {
    str: Cell.TEXT,
    int: Cell.INTEGER,
    float: Cell.REAL,
    bool: Cell.FLAG,
    Any: Cell.JSON,
}
_LARGEST = (1 << 63) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """Everything known about one field, said once: fold, table, form and list read it."""

    merge: Merge
    name: str = ""
    cell: Cell = Cell.TEXT
    initial: Any = None
    optional: bool = False
    label: str = ""
    unit: str = ""
    required: bool = False
    search: bool = False
    index: bool = False
    sealed: bool = False
    choices: tuple[str, ...] = ()
    moves: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def asks(self) -> bool:
        """True where two unseen changes wait for a person."""
        return self.merge in (Merge.ASK, Merge.TRANSITION, Merge.DELETE)

    def fits(self, value: Any) -> bool:
        """Whether `value` is of the declared type. Says nothing about choices or moves."""
        if value is None:
            return self.optional
        if self.merge is Merge.TAGS:
            return isinstance(value, tuple | list) and all(isinstance(v, str) for v in value)
        if self.cell is Cell.JSON:
            return True
        if isinstance(value, bool) and self.cell is not Cell.FLAG:
            return False
        if isinstance(value, int) and abs(value) > _LARGEST:
            return False
        return isinstance(value, _PYTHON[self.cell])


DELETED = Spec(merge=Merge.DELETE, name="deleted", cell=Cell.FLAG, initial=False, label="Deleted")
"""Every record can be deleted and restored; deletion is a field like any other."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """What was read, and what a form is opened on. `heads` makes an edit say what it had seen.

    Attributes:
        heads: per field, the operations whose value is shown or kept beside.
        also: per field, the (operation, value) pairs kept beside the shown value.
        seen: the newest operation of each console that this value includes.
    """

    id: str
    site: str
    deleted: bool = False
    heads: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    also: Mapping[str, tuple[tuple[str, Any], ...]] = field(default_factory=dict)
    seen: tuple[str, ...] = field(default=(), repr=False)

    @property
    def undecided(self) -> tuple[str, ...]:
        """Fields on which a person must decide."""
        specs = kind_of(type(self)).specs
        return tuple(name for name in self.also if specs[name].asks)


K = TypeVar("K", bound=Record)
Upcast = Callable[[int, dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A declared kind. `was` maps earlier field names to the present ones."""

    name: str
    cls: type[Record]
    schema: int
    specs: Mapping[str, Spec]
    was: Mapping[str, str]
    upcast: Upcast | None
    entry_of: tuple[str, ...] = ()

    @property
    def is_entry(self) -> bool:
        """Entries are created once and withdrawn at most."""
        return bool(self.entry_of)


KINDS: dict[str, Kind] = {}
"""Every declared kind by name; filled by the decorators when `app.records.kinds` is imported."""

_BY_CLASS: dict[type, Kind] = {}


def kind_of(kind: type[Record] | str | Record) -> Kind:
    """The declaration behind a class, a name or a value. KeyError for what was never declared."""
    if isinstance(kind, str):
        return KINDS[kind]
    return _BY_CLASS[kind if isinstance(kind, type) else type(kind)]


def _declare(merge: Merge, default: Any, **said: Any) -> Any:
    spec = Spec(merge=merge, initial=default, **said)
    shown = not spec.sealed
    metadata = {"spec": spec}
    if isinstance(default, dict | list):
        return field(default_factory=lambda: type(default)(default), metadata=metadata, repr=shown)
    return field(default=default, metadata=metadata, repr=shown)


def auto(default: Any = None, **said: Any) -> Any:
    """A field where the later of two unseen changes is shown and the other kept beside."""
    return _declare(Merge.AUTO, default, **said)


def ask(default: Any = None, **said: Any) -> Any:
    """A field where a person decides between two unseen changes."""
    return _declare(Merge.ASK, default, **said)


def tags(**said: Any) -> Any:
    """A set of words; additions and removals merge without a conflict."""
    return _declare(Merge.TAGS, (), **said)


def transition(moves: Mapping[str, tuple[str, ...]], initial: str, **said: Any) -> Any:
    """A state: `ask`, guarded at the door by the table of allowed moves."""
    return _declare(Merge.TRANSITION, initial, moves=moves, **said)


def given(default: Any = None, **said: Any) -> Any:
    """A field of an entry: said at its creation, never edited."""
    return _declare(Merge.GIVEN, default, **said)


def record(
    name: str,
    *,
    schema: int = 1,
    was: Mapping[str, str] | None = None,
    upcast: Upcast | None = None,
) -> Callable[[type[K]], type[K]]:
    """Declare a kind of record.

    Args:
        name: the kind's name in the journal, in tables and in URLs; never reused.
        schema: raised when the meaning of a field changes; `upcast` then reads older operations.
        was: earlier field name to present one. Operations are read through it, never rewritten.
        upcast: given an operation's schema and its fields, the fields in today's meaning.

    Raises:
        TypeError: the declaration contradicts itself; the message names kind and field.
    """

    def declare(cls: type[K]) -> type[K]:
        _register(_kind(name, cls, schema, was or {}, upcast, ()))
        return cls

    return declare


def entry(
    name: str, *, of: tuple[type[Record], ...], schema: int = 1
) -> Callable[[type[K]], type[K]]:
    """Declare an entry kind: remarks, labour, photos. `about` is the id of the record it is of.

    Entries keep a record from growing hot: a thousand remarks are a thousand rows, and one more
    costs as much as the first.
    """

    def declare(cls: type[K]) -> type[K]:
        kinds = tuple(kind_of(parent).name for parent in of)
        kind = _kind(name, cls, schema, {}, None, kinds)
        if "about" not in kind.specs:
            raise TypeError(f"{name}: an entry says what it is about")
        _register(kind)
        return cls

    return declare


def _register(kind: Kind) -> None:
    if kind.name in KINDS:
        raise TypeError(f"{kind.name} is declared twice")
    KINDS[kind.name] = kind
    _BY_CLASS[kind.cls] = kind


_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
_RESERVED = {f.name for f in fields(Record)} | {"about_kind", "waits", "rowid"}


def _kind(
    name: str,
    cls: type[K],
    schema: int,
    was: Mapping[str, str],
    upcast: Upcast | None,
    entry_of: tuple[str, ...],
) -> Kind:
    if not _NAME.fullmatch(name):
        raise TypeError(f"'{name}' is not a name for a kind")
    if not (is_dataclass(cls) and issubclass(cls, Record)):
        raise TypeError(f"{name}: decorate a dataclass derived from Record")
    hints = get_type_hints(cls)
    specs: dict[str, Spec] = {}
    for declared in fields(cls):
        if (draft := declared.metadata.get("spec")) is not None:
            spec = _typed(draft, declared.name, hints[declared.name], name)
            _check(spec, name, bool(entry_of))
            specs[declared.name] = spec
        elif declared.name not in _RESERVED:
            raise TypeError(f"{name}.{declared.name} does not say how it merges")
    for old, new in was.items():
        if new not in specs or old in specs:
            raise TypeError(f"{name}: '{old}' cannot have become '{new}'")
    specs["deleted"] = DELETED
    return Kind(
        name=name,
        cls=cls,
        schema=schema,
        specs=types.MappingProxyType(specs),
        was=types.MappingProxyType(dict(was)),
        upcast=upcast,
        entry_of=entry_of,
    )


def _typed(draft: Spec, name: str, hint: Any, kind: str) -> Spec:
    """The spec with what the annotation says: name, cell, whether None is allowed."""
    optional = False
    if get_origin(hint) in (Union, types.UnionType):
        inner = [part for part in get_args(hint) if part is not type(None)]
        optional = len(inner) < len(get_args(hint))
        hint = inner[0] if len(inner) == 1 else hint
    if draft.merge is Merge.TAGS:
        if hint != tuple[str, ...]:
            raise TypeError(f"{kind}.{name}: tags are tuple[str, ...]")
        cell = Cell.JSON
    elif get_origin(hint) in (abc.Mapping, abc.Sequence):
        cell = Cell.JSON
    elif hint in _CELLS:
        cell = _CELLS[hint]
    else:
        raise TypeError(f"{kind}.{name}: {hint} is not a type a record can hold")
    said = {slot: getattr(draft, slot) for slot in Spec.__slots__}
    said |= {"name": name, "cell": cell, "optional": optional or hint is Any}
    said["label"] = draft.label or name.replace("_", " ").capitalize()
    return Spec(**said)


def _check(spec: Spec, kind: str, entry_kind: bool) -> None:
    where = f"{kind}.{spec.name}"
    if not _NAME.fullmatch(spec.name) or spec.name in _RESERVED:
        raise TypeError(f"{where}: the name is taken or not plain")
    if (spec.merge is Merge.GIVEN) is not entry_kind:
        raise TypeError(f"{where}: `given` belongs to entries, and entries hold nothing else")
    if not spec.fits(spec.initial):
        raise TypeError(f"{where}: its initial value {spec.initial!r} is not of its type")
    if spec.search and spec.cell is not Cell.TEXT:
        raise TypeError(f"{where}: only text can be searched")
    if spec.sealed and (spec.cell is not Cell.TEXT or spec.search or spec.index):
        raise TypeError(f"{where}: a sealed field is text, neither searched nor indexed")
    if spec.merge is Merge.TRANSITION:
        loose = {to for targets in spec.moves.values() for to in targets} - set(spec.moves)
        if loose or spec.initial not in spec.moves:
            raise TypeError(f"{where}: states without a row: {sorted(loose) or spec.initial}")
    if spec.choices and spec.initial not in (*spec.choices, None, ""):
        raise TypeError(f"{where}: its initial value is not one of its choices")
