"""Turns a path of names into places, making those that are not there yet."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.ids import natural_id
from app.records.kinds.place import Place
from app.records.port import Tx
from app.services.registry import Registry

_LEVELS = {1: ("room",), 2: ("floor", "room"), 3: ("building", "floor", "room")}
_DEEP = ("building", "floor", "room")


class PlaceMaker:
    """Finds places by name under their parent, without regard to case, and makes missing ones.

    Ids come from the names, so two consoles that import the same file offline make one place.
    What a transaction made counts only after `keep_new`.
    """

    def __init__(self, registry: Registry, site: str) -> None:
        self._site = site
        self._known: dict[tuple[str | None, str], str] = {
            (place.parent, place.name.casefold()): place.id
            for place in registry.places.values()
            if place.site == site
        }
        self._new: dict[tuple[str | None, str], str] = {}

    def place(self, tx: Tx, names: Sequence[str]) -> str | None:
        """The id of the innermost place of `names`; None for no names."""
        parent: str | None = None
        for depth, name in enumerate(names):
            key = (parent, name.casefold())
            found = self._known.get(key) or self._new.get(key)
            if found is None:
                found = self._make(tx, names[: depth + 1], parent, _kind(depth, len(names)))
                self._new[key] = found
            parent = found
        return parent

    def keep_new(self) -> None:
        """The transaction is on disk."""
        self._known |= self._new
        self._new.clear()

    def forget_new(self) -> None:
        """The transaction did not happen."""
        self._new.clear()

    def _make(self, tx: Tx, path: Sequence[str], parent: str | None, kind: str) -> str:
        place = natural_id(self._site, "place", *(name.casefold() for name in path))
        there = tx.get(Place, place)
        position = len(self._known) + len(self._new)
        if there is None:
            tx.create(
                Place,
                self._site,
                id=place,
                name=path[-1],
                parent=parent,
                kind=kind,
                position=position,
            )
            return place
        if there.deleted:
            tx.restore(there)
            return place
        # A place made from this path that was renamed or moved since is another place now.
        return tx.create(
            Place, self._site, name=path[-1], parent=parent, kind=kind, position=position
        )


def _kind(depth: int, depths: int) -> str:
    kinds = _LEVELS.get(depths, _DEEP)
    return kinds[min(depth, len(kinds) - 1)]
