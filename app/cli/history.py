"""`history query`, `history stats`."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from app.cli.command import Command, Reply
from app.cli.tables import counted, shown, table
from app.domain.instants import iso, parse_instant

if TYPE_CHECKING:
    from app.services.history import Series
    from app.wiring import Core

SHOWN_ROWS = 1_000


def _span_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("device", metavar="DEVICE", help="a device's id, its name or its label")
    parser.add_argument("point", metavar="POINT", help="a code, dp:N, or connection")
    parser.add_argument(
        "--from", dest="start", metavar="T", help="24 hours before --to if left out"
    )
    parser.add_argument("--to", dest="end", metavar="T", help="now if left out")


def _query_arguments(parser: ArgumentParser) -> None:
    _span_arguments(parser)
    parser.add_argument("--step", metavar="S", type=float, help="one row per step of this length")


def _instant(text: str | None, where: str) -> int | None:
    return None if text is None else parse_instant(text, where=where)


def _query(core: Core, arguments: Namespace) -> Reply:
    series = core.history_service.query(
        arguments.device,
        arguments.point,
        from_ms=_instant(arguments.start, "--from"),
        to_ms=_instant(arguments.end, "--to"),
        step_s=arguments.step,
    )
    return Reply(series.document(), _series_text(series))


def _series_text(series: Series) -> str:
    if not series.items:
        return "Nothing was reported in that time."
    if series.step_s is None:
        head: tuple[str, ...] = ("At", "Value", "Quality", "Path")
    else:
        head = ("At", "Min", "Max", "Mean", "Last", "Count")
    rows = [
        (iso(round(at_s * 1000)), *(shown(value) for value in rest))
        for at_s, *rest in series.items[:SHOWN_ROWS]
    ]
    left = len(series.items) - len(rows)
    more = f"; {left} more with --json" if left else ""
    unit = f" in {series.unit}" if series.unit else ""
    summary = f"{series.point}{unit}: {counted(len(series.items), 'row')}{more}"
    return f"{table(head, rows)}\n{summary}"


def _stats(core: Core, arguments: Namespace) -> Reply:
    found = core.history_service.stats(
        arguments.device,
        arguments.point,
        from_ms=_instant(arguments.start, "--from"),
        to_ms=_instant(arguments.end, "--to"),
    )
    rows = [(name, shown(value)) for name, value in found.items()]
    return Reply(found, table(("Of", "Value"), rows))


COMMANDS = (
    Command(("history", "query"), "what a point reported", _query_arguments, _query),
    Command(("history", "stats"), "count, smallest, largest, mean", _span_arguments, _stats),
)
