"""`audit verify`."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from app.cli.command import Command, Reply, no_arguments
from app.cli.tables import counted

if TYPE_CHECKING:
    from app.store.audit import Broken
    from app.wiring import Core


def _verify(core: Core, _arguments: Namespace) -> Reply:
    report = core.store.audit.verify()
    document: dict[str, Any] = {
        "ok": report.ok,
        "links": report.links,
        "broken": report.broken and _document(report.broken),
    }
    if report.repaired:
        document["repaired"] = [_document(cut) for cut in report.repaired]
    if (broken := report.broken) is not None:
        if report.untold:
            core.store.keep_as_told(broken, core.owner.actor()).result()
        return Reply(document, f"{broken.operation}: {broken.sentence}", exit_code=4)
    words = [f"The journal is whole: {counted(report.links, 'link')}."]
    words += [f"Repaired, {cut.operation}: {cut.sentence}" for cut in report.repaired]
    return Reply(document, "\n".join(words))


def _document(broken: Broken) -> dict[str, str]:
    return {"operation": broken.operation, "sentence": broken.sentence}


COMMANDS = (Command(("audit", "verify"), "prove that nothing was altered", no_arguments, _verify),)
