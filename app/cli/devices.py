"""`devices import`, `devices list`, `devices scan`."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from app.cli.command import Command, Needs, Reply, no_arguments
from app.cli.tables import counted, shown, table
from app.services.scanning import Scanning, check_range

if TYPE_CHECKING:
    from app.services.importing import ImportResult
    from app.services.views import DeviceRow
    from app.wiring import Core

SHOWN_SKIPPED = 20


def _import_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="tinytuya's devices.json or snapshot.json")


def _import(core: Core, arguments: Namespace) -> Reply:
    result = core.importing.run(Path(arguments.file))
    return Reply(result.document(), _import_text(result), result.exit_code)


def _import_text(result: ImportResult) -> str:
    counts = result.counts()
    lines = [f"{result.file}: " + ", ".join(f"{n} {name}" for name, n in counts.items()) + "."]
    skipped = [item for item in result.items if item.result == "skipped"]
    lines += [
        f"Row {item.row}{f' ({item.id})' if item.id else ''}: {item.sentence}"
        for item in skipped[:SHOWN_SKIPPED]
    ]
    if len(skipped) > SHOWN_SKIPPED:
        lines.append(f"and {counted(len(skipped) - SHOWN_SKIPPED, 'more skipped row')}.")
    return "\n".join(lines)


def _list(core: Core, _arguments: Namespace) -> Reply:
    rows = core.directory.rows()
    document = {
        "items": [row.document() for row in rows],
        "total": len(rows),
        "next": None,
        "configured": bool(rows),
    }
    return Reply(document, _list_text(rows))


def _list_text(rows: list[DeviceRow]) -> str:
    if not rows:
        return "No devices yet. Import an inventory: plantroom devices import devices.json"
    head = ("Name", "Place", "Connection", "Reports", "Address", "Id")
    cells = []
    for row in rows:
        first = row.points[0] if row.points else None
        says = f"{first.label} {shown(first.value, first.unit)}" if first else "-"
        address = row.ip or (f"via {row.parent}" if row.parent else "-")
        where = ", ".join(row.place) or "-"
        cells.append(
            (row.name, where, row.connection.value.replace("_", " "), says, address, row.id)
        )
    return f"{table(head, cells)}\n{counted(len(rows), 'device')}"


def _scan_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--range",
        metavar="CIDR",
        help="also ask every address of this IPv4 range, such as 192.168.4.0/24",
    )


def _scan(core: Core, arguments: Namespace) -> Reply:
    if arguments.range is not None:
        check_range(arguments.range)
    # A range is tried with the keys of the devices that are not reached, so they have to be held.
    core.engage(None if arguments.range is not None else [])
    found = Scanning(directory=core.directory, link=lambda: core.link).scan(arguments.range)
    document = {
        "items": [f.document() for f in found],
        "total": len(found),
        "next": None,
        "configured": bool(core.directory.names()),
    }
    if not found:
        return Reply(document, "Nothing announced itself.")
    cells = [
        (
            f.sighting.device or "-",
            f.sighting.ip,
            f.sighting.version or "-",
            f.name if f.known else "not known here",
        )
        for f in found
    ]
    text = table(("Id", "Address", "Version", "Name"), cells)
    return Reply(document, f"{text}\n{counted(len(found), 'device')}")


COMMANDS = (
    Command(
        ("devices", "import"),
        "bring an inventory file's devices in, or up to date",
        _import_arguments,
        _import,
        Needs.STORE,
        files=("file",),
    ),
    Command(("devices", "list"), "every device and what it says", no_arguments, _list),
    Command(
        ("devices", "scan"),
        "listen for devices on the network",
        _scan_arguments,
        _scan,
        Needs.LINK,
    ),
)
