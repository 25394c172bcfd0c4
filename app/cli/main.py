"""The command line: finds the command, runs it here or in the process that holds the profile."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

from app import __version__
from app.cli import arguments
from app.cli.arguments import Globals, HelpWanted
from app.cli.output import OutputLost, exit_code, print_error, print_result
from app.domain.errors import Cancelled, ConsoleError
from app.runtime.clock import SystemClock

LoadWindow = Callable[[], ModuleType]
"""Imports the window's part of the program; raises EnvironmentLacks where it cannot be."""


def run_command_line(argv: Sequence[str], load_window: LoadWindow) -> int:
    """Run one command line to its end; returns the exit code and never raises."""
    if sys.stdout is None:
        # Started with its output closed, as by a service manager.
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    try:
        code = _answer(argv, load_window)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output left, as `head` does; the rest goes nowhere, quietly.
        _say_no_more()
        return 0
    except OutputLost as lost:
        _say_no_more()
        return print_error(lost, as_json=False)
    return code


def _say_no_more() -> None:
    """What is still buffered goes nowhere, instead of failing when the interpreter ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _answer(argv: Sequence[str], load_window: LoadWindow) -> int:
    as_json = arguments.wants_json(argv)
    try:
        return _run(argv, load_window)
    except HelpWanted as wanted:
        print_result({"help": wanted.text}, wanted.text.rstrip(), as_json=as_json)
        return 0
    except OutputLost:
        raise
    except ConsoleError as error:
        return print_error(error, as_json=as_json)
    except KeyboardInterrupt:
        return print_error(Cancelled(), as_json=as_json)
    except BrokenPipeError:
        raise
    except Exception as bug:  # noqa: BLE001  anything else is a bug and is reported as one
        return _report(bug, argv, as_json=as_json)


def _run(argv: Sequence[str], load_window: LoadWindow) -> int:
    options, words = arguments.split_globals(argv)
    if options.version:
        print_result({"version": __version__}, f"plantroom {__version__}", as_json=options.json)
        return 0
    from app.diagnostics import logs  # noqa: PLC0415  --version starts without it

    logs.set_up(os.environ.get("PLANTROOM_LOG", "info"))
    if not words:
        from app.cli import window  # noqa: PLC0415

        return window.open_window(options, load_window)
    if words[0] in arguments.STREAMS:
        return _stream(words, options, load_window)
    return _command(words, options)


def _stream(words: Sequence[str], options: Globals, load_window: LoadWindow) -> int:
    import importlib  # noqa: PLC0415

    module, wishes = arguments.parse_stream(words)
    code: int = importlib.import_module(module).stream(wishes, options, load_window)
    return code


def _command(words: Sequence[str], options: Globals) -> int:
    command, wishes = arguments.parse_command(words)
    from app.cli import calling  # noqa: PLC0415  the core is heavy, and wrong use needs none of it

    reply = calling.call(command, wishes, words, options)
    print_result(reply.document, reply.text, as_json=options.json)
    return reply.exit_code


def _report(bug: Exception, argv: Sequence[str], *, as_json: bool) -> int:
    from app.cli.calling import bug_error  # noqa: PLC0415  only when something broke

    error = bug_error(bug, argv, crash_folder(argv), SystemClock().now_ms())
    print_error(error, as_json=as_json)
    return exit_code(error)


def crash_folder(argv: Sequence[str]) -> Path:
    """Where a crash report goes: into the profile where that can be told, else a temporary one."""
    from app.settings.profile import locate  # noqa: PLC0415

    try:
        options, words = arguments.split_globals(argv)
        return locate(options.data, os.environ, demo=words[:1] == ["demo"]).crash
    except (ConsoleError, OSError, ValueError):
        import tempfile  # noqa: PLC0415

        return Path(tempfile.gettempdir()) / "plantroom-crash"
