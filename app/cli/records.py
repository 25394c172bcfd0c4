"""`record history`, `record undo`."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from app.cli.command import Command, Reply
from app.cli.tables import counted, shown, table
from app.domain.instants import iso, parse_instant

if TYPE_CHECKING:
    from app.services.record_book import HistoryItem
    from app.wiring import Core


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("kind", metavar="KIND", help="site, place, asset, device, binding, tag ...")
    parser.add_argument("id", metavar="ID", help="a record's id, a device's id, or a name")
    parser.add_argument("--field", metavar="F", help="only this field")
    parser.add_argument("--as-of", metavar="T", help="a time such as 2026-11-21T02:30:00Z")


def _as_of_ms(arguments: Namespace) -> int | None:
    if arguments.as_of is None:
        return None
    return parse_instant(arguments.as_of, where="--as-of")


def _history(core: Core, arguments: Namespace) -> Reply:
    as_of_ms = _as_of_ms(arguments)
    history = core.record_book.history(arguments.kind, arguments.id, arguments.field, as_of_ms)
    rows = [
        (iso(item.at_ms), item.author_name, _act(item), _field(item), _value(core, item))
        for item in history.items
    ]
    text = table(("At", "By", "Act", "Field", "Value"), rows) if rows else "Nothing was said."
    if history.as_of is not None:
        then = [(name, _words(value)) for name, value in _flat(history.as_of)]
        text += f"\n\nAs of {iso(as_of_ms)}:\n" + table(("Field", "Value"), then)
    return Reply(history.document(), text)


def _undo(core: Core, arguments: Namespace) -> Reply:
    undone = core.record_book.undo(
        arguments.kind, arguments.id, arguments.field, _as_of_ms(arguments)
    )
    if not undone.operations:
        return Reply(undone.document(), "Nothing differed; nothing was changed.")
    return Reply(undone.document(), f"Undone with {counted(len(undone.operations), 'change')}.")


def _act(item: HistoryItem) -> str:
    return f"{item.act}, taken back" if item.taken_back else item.act


def _flat(document: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """A device's fields, then those of its asset and binding under their names."""
    for name, value in document.items():
        if isinstance(value, dict) and name in ("asset", "binding"):
            yield from _flat(value, f"{name}.")
        else:
            yield f"{before}{name}", value


def _value(core: Core, item: HistoryItem) -> str:
    """A value in words; a place by its names, for an id tells a person nothing."""
    if (item.kind, item.field) in (("asset", "place"), ("place", "parent")):
        return ", ".join(core.registry.now().place_names(item.value)) or _words(item.value)
    return _words(item.value)


def _field(item: HistoryItem) -> str:
    return item.field if item.act == "note" else f"{item.kind}.{item.field}"


def _words(value: object) -> str:
    if isinstance(value, dict) and "asked" in value:
        ended = str(value.get("outcome", "sent")).replace("_", " ")
        return f"{value.get('point')} {shown(value['asked'])}: {ended}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


COMMANDS = (
    Command(("record", "history"), "what was said about a record", _arguments, _history),
    Command(("record", "undo"), "take the last change back", _arguments, _undo),
)
