"""Running one command: in the process that holds the profile, or here on a core made for it."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from app.cli.arguments import Globals, HelpWanted, parse_command
from app.cli.command import Command, Needs, Reply
from app.cli.opening import core_of, find_profile, take_or_ask
from app.cli.output import exit_code
from app.control.client import ask
from app.control.wire import Answer, Request
from app.diagnostics import crash
from app.domain.errors import ConsoleError, InvalidRequest
from app.runtime.clock import SystemClock
from app.runtime.events import RaiseWindow
from app.settings.profile import locate

if TYPE_CHECKING:
    from app.wiring import Core


def call(command: Command, wishes: Namespace, words: Sequence[str], options: Globals) -> Reply:
    """Run a command where it belongs and return what it says."""
    if command.needs is Needs.NOTHING:
        return command.handle(cast("Core", None), wishes)
    person = os.environ.get("PLANTROOM_PERSON", "")
    request = Request("command", tuple(words), os.fspath(Path.cwd()), person)
    # Whoever holds the profile can answer also while nothing more can be written to its folder.
    answer = ask(locate(options.data, os.environ).control_file, request)
    if answer is not None:
        return Reply(answer.document, answer.text, answer.exit_code)
    profile = find_profile(options)
    held = take_or_ask(profile, request, SystemClock())
    if isinstance(held, Answer):
        return Reply(held.document, held.text, held.exit_code)
    with held, core_of(profile, command.needs) as core:
        return command.handle(core, wishes)


def serve(core: Core) -> Callable[[Request], Answer]:
    """What the holder's control socket does with a request: the same command on the held core."""

    def handle(request: Request) -> Answer:
        if request.verb == "hello":
            return Answer({"pid": os.getpid(), "window": core.has_window})
        if request.verb == "raise":
            core.bus.publish(RaiseWindow())
            return Answer({"raised": core.has_window})
        try:
            return _serve_command(core, request)
        except ConsoleError as error:
            return Answer(error.document(), error.sentence(), exit_code(error))
        except Exception as bug:  # noqa: BLE001  a caller gets the report, the holder goes on
            at_ms = core.clock.now_ms()
            report = bug_error(bug, request.argv, core.profile.crash, at_ms)
            return Answer(report.document(), report.sentence(), report.exit_code)

    return handle


def _serve_command(core: Core, request: Request) -> Answer:
    if request.verb != "command" or not request.argv:
        raise InvalidRequest("control.verb", "The control socket does not know this request.")
    try:
        command, wishes = parse_command(request.argv, Path(request.cwd))
    except HelpWanted as wanted:
        return Answer({"help": wanted.text}, wanted.text)
    core.owner.check(request.person)
    reply = command.handle(core, wishes)
    return Answer(reply.document, reply.text, reply.exit_code)


class Bug(ConsoleError):
    """Something only a change of the program can mend."""


def bug_error(bug: Exception, argv: Sequence[str], folder: Path, at_ms: int) -> Bug:
    """Write the crash report and make the sentence that names it."""
    report = crash.write(folder, bug, argv, at_ms)
    return Bug(
        "bug",
        f"Plantroom made a mistake ({type(bug).__name__}).",
        where=str(report) if report else "",
        do="Nothing that was saved is lost. Please send the report; it holds no keys."
        if report
        else "Nothing that was saved is lost. The report could not be written.",
    )
