"""`record history`, `record undo`."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

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
        (iso(item.at_ms), item.author_name, item.act, _field(item), _words(item.value))
        for item in history.items
    ]
    text = table(("At", "By", "Act", "Field", "Value"), rows) if rows else "Nothing was said."
    if history.as_of is not None:
        then = [(name, _words(value)) for name, value in history.as_of.items()]
        text += f"\n\nAs of {iso(as_of_ms)}:\n" + table(("Field", "Value"), then)
    return Reply(history.document(), text)


def _undo(core: Core, arguments: Namespace) -> Reply:
    undone = core.record_book.undo(
        arguments.kind, arguments.id, arguments.field, _as_of_ms(arguments)
    )
    if not undone.operations:
        return Reply(undone.document(), "Nothing differed; nothing was changed.")
    return Reply(undone.document(), f"Undone with {counted(len(undone.operations), 'change')}.")


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
