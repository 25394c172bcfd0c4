"""What services may ask of whatever keeps the records. The store fills it; wiring joins them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from app.records.field import K, Record
from app.records.operation import Operation
from app.records.query import Page, Query

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who says it: the id of a person record, and a name for logs."""

    person: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One field of one operation, for history. A sealed value shows only that there is one.

    `taken_back`: an undo has taken it back, so it no longer counts.
    """

    operation: str
    tx: str
    act: str
    at_ms: int
    author: str
    field: str
    value: Any
    seen: tuple[str, ...]
    undoes: str | None
    verdict: str | None
    reason: str
    taken_back: bool


@dataclass(frozen=True, slots=True)
class Note:
    """A journal line without a row: a device command, a sign-in, an export."""

    operation: str
    at_ms: int
    author: str
    event: str
    about: str
    data: Mapping[str, Any]
    reason: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A record that matches a search."""

    kind: str
    id: str
    site: str
    words: str


@dataclass(frozen=True, slots=True)
class Attention:
    """Something a person must look at: fields to decide on, or an operation that was refused."""

    kind: str
    id: str
    fields: tuple[str, ...] = ()
    operation: str | None = None
    reason: str = ""


class FieldSealer(Protocol):
    """Seals field values with a site's key, so that rows, journal and outbox hold ciphertext.

    `wrapped` is the site's key, wrapped by the profile's master key. `context` names kind, record
    and field; a sealed value moved elsewhere does not open.
    """

    def new_key(self) -> bytes:
        """A new site key, wrapped."""

    def seal(self, wrapped: bytes, context: str, text: str) -> str:
        """Ciphertext as text."""

    def open(self, wrapped: bytes, context: str, sealed: str) -> str:
        """The plaintext. Raises StoreFault when it was sealed with another key or elsewhere."""


class Tx(Protocol):
    """What may be done inside one transaction. It runs on the writer's thread: no I/O, no waiting.

    An edit takes the record the person looked at. Its heads say what was seen; there is no other
    way to edit, because heads taken from the row at saving lose edits silently.
    """

    id: str

    def get(self, kind: type[K], id: str) -> K | None:  # noqa: A002 - the field is called id
        """The record as this transaction sees it."""

    def find(self, query: Query) -> Page:
        """Rows as this transaction sees them."""

    def create(
        self,
        kind: type[Record] | str,
        site: str,
        /,
        id: str | None = None,  # noqa: A002 - the field is called id
        **values: Any,
    ) -> str:
        """A new record; returns its id. A site's own `site` is its id: pass an empty text.

        Raises:
            InvalidRequest: a value does not fit its field, a required one is missing, or there
                is a record of this id already (deleted ones included: restore those).
        """

    def edit(self, seen: Record, /, **values: Any) -> str | None:
        """Change these fields of the record the person saw; returns the operation's id.

        Fields whose value is what was seen are left out, unless the edit decides a conflict on
        them. None when nothing is left. Set fields take the whole wanted set.

        Raises:
            InvalidRequest: a value does not fit, the record was deleted, it is an entry.
            Refused: the state table has no such move.
        """

    def delete(self, seen: Record, /) -> str:
        """Delete, or withdraw an entry. Edits that `seen` lacks keep the record in sight."""

    def restore(self, seen: Record, /) -> str:
        """Take a deletion back."""

    def undo(
        self,
        tx: str,
        /,
        *,
        records: Collection[str] | None = None,
        fields: Collection[str] | None = None,
    ) -> tuple[str, ...]:
        """Take back what one transaction said; returns the new operations.

        With `records` only what it said about these, with `fields` only of these fields. What an
        undo took back before stays as it is, so undoing goes one step further back each time.

        Raises:
            InvalidRequest: no such transaction here, or nothing of it is left to take back.
            Refused: a field was changed since, or the state table forbids the way back.
        """

    def restore_as_of(
        self, seen: Record, at_ms: int, /, *, fields: Collection[str] | None = None
    ) -> tuple[str, ...]:
        """Put the record back to what was true at `at_ms`; returns the fields that changed.

        With `fields` only these. States the table does not allow to go back to stay as they are.
        """

    def note(self, event: str, about: str, data: Mapping[str, Any], /) -> str:
        """A journal line without a row; `about` is the id of what it concerns."""

    def checkpoint(self, job: str, kind: str, state: Mapping[str, Any] | None, /) -> None:
        """Keep a job's state in this commit; None ends the job."""


class Records(Protocol):
    """Every record and its past. Reads see the last commit; writes run one after another."""

    def transact(self, who: Actor, work: Callable[[Tx], R], *, reason: str = "") -> Future[R]:
        """Run `work` in one transaction on the writer's thread.

        What `work` raises is raised by the future and nothing is written. When the future has a
        result, it is on disk and `Changed` has been published.
        """

    def apply(self, site: str, page: Sequence[Operation], upto: int) -> Future[None]:
        """Take in a page of the server's feed and its cursor, in one commit. Idempotent."""

    def get(self, kind: type[K], id: str) -> K | None:  # noqa: A002 - the field is called id
        """The record, deleted or not; None when there never was one."""

    def find(self, query: Query) -> Page:
        """Rows as tuples: lists and boards read columns, only an opened record is typed."""

    def all(self, kind: type[K], site: str | None = None) -> Sequence[K]:
        """Every record of a small kind that is not deleted, in order of id."""

    def history(
        self,
        kind: str,
        id: str,  # noqa: A002 - the field is called id
        field: str | None = None,
    ) -> Sequence[Change]:
        """What was said about a record or one of its fields, oldest first, refused included."""

    def notes(self, about: str, limit: int = 100) -> Sequence[Note]:
        """Journal lines without a row about this id, newest first."""

    def as_of(
        self,
        kind: type[K],
        id: str,  # noqa: A002 - the field is called id
        at_ms: int,
        *,
        known: bool = False,
    ) -> K | None:
        """The record at a time; None when it did not exist.

        What was true then by its authors' clocks, or with `known` what this console knew then.
        """

    def search(self, words: str, *, kinds: Sequence[str] = (), limit: int = 50) -> Sequence[Hit]:
        """Records whose searched fields hold all these words, each as a beginning; best first."""

    def waiting(self) -> int:
        """Operations not sent yet."""

    def needs_attention(self, limit: int = 100) -> Sequence[Attention]:
        """Records on which a person must decide, and operations that were refused."""
