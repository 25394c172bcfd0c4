"""`audit verify`."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from app.cli.command import Command, Reply
from app.cli.tables import counted

if TYPE_CHECKING:
    from app.wiring import Core


def _no_arguments(_parser: ArgumentParser) -> None:
    """The verb takes none."""


def _verify(core: Core, _arguments: Namespace) -> Reply:
    report = core.store.audit.verify()
    broken = report.broken
    document = {
        "ok": report.ok,
        "links": report.links,
        "broken": broken and {"operation": broken.operation, "sentence": broken.sentence},
    }
    if broken is not None:
        return Reply(document, f"{broken.operation}: {broken.sentence}", exit_code=4)
    return Reply(document, f"The journal is whole: {counted(report.links, 'link')}.")


COMMANDS = (Command(("audit", "verify"), "prove that nothing was altered", _no_arguments, _verify),)
