"""Who acts: the local owner, the one person there is until others are enrolled."""

from __future__ import annotations

import threading

from app.domain.errors import InvalidRequest
from app.domain.ids import natural_id
from app.records.kinds.person import Person
from app.records.port import Actor, Records, Tx

OWNER_REASON = "The first to use this console"


class LocalOwner:
    """The person signed in to this computer; their record is made with the first thing they say.

    `console` is the console's own id: the owners of two consoles are two people. Safe from any
    thread, and never waits: the writer takes the record before whatever is said next.
    """

    def __init__(self, records: Records, console: str, name: str) -> None:
        self._records = records
        self._owner = Actor(natural_id("person", "local-owner", console), name)
        self._lock = threading.Lock()
        self._recorded = False

    def actor(self) -> Actor:
        """The author of what is said now."""
        with self._lock:
            if not self._recorded:
                self._recorded = True
                self._records.transact(self._owner, self._record, reason=OWNER_REASON)
        return self._owner

    def check(self, person: str) -> None:
        """See that `person`, an id or a name, is the one who acts here; empty says nothing.

        Raises:
            InvalidRequest: nobody of that id or name is known here.
        """
        wanted = person.strip()
        if not wanted or wanted == self._owner.person:
            return
        known = self._records.get(Person, self._owner.person)
        name = known.name if known is not None else self._owner.name
        if wanted.casefold() != name.casefold():
            raise InvalidRequest(
                "person.unknown",
                f"Nobody called '{wanted[:80]}' is known here.",
                where="PLANTROOM_PERSON",
                do=f"Leave it out, or name {name}, the local owner.",
            )

    def _record(self, tx: Tx) -> None:
        if tx.get(Person, self._owner.person) is None:
            # A person belongs to no site.
            tx.create(Person, "", id=self._owner.person, name=self._owner.name, role="admin")
