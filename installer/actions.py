"""What each word after `bootstrap.py` does, once everything is set up."""

from __future__ import annotations

import os
import subprocess
import sys

import environment
import system_packages
from trouble import SetUpError, say

USAGE = """usage: python3 installer/bootstrap.py demo|test|setup|run [ARGS...]

  demo    show a simulated building, in a window or, without a display, off-screen for a minute
  test    run the tests; ARGS go to pytest
  setup   bring .venv up to date and stop
  run     start plantroom with ARGS
"""
NEEDS_QT = ("demo", "test")
WRONG_USE = 2
LACKS_SOMETHING = 3
INTERRUPTED = 130


def run_action(arguments: list[str]) -> int:
    """Set up, then do what the first argument says; returns the exit code."""
    action, *rest = arguments or [""]
    if action in ("-h", "--help", "help"):
        print(USAGE)
        return 0
    if action not in ("demo", "test", "setup", "run"):
        print(USAGE, file=sys.stderr)
        return WRONG_USE
    try:
        _prepare(action)
    except SetUpError as error:
        say(str(error))
        return LACKS_SOMETHING
    except KeyboardInterrupt:
        say("Stopped. The same command goes on where this one was.")
        return INTERRUPTED
    if action == "setup":
        say("Everything is set up in .venv")
        return 0
    return _hand_over(_command(action, rest))


def _prepare(action: str) -> None:
    missing = system_packages.missing_for_qt(os.environ)
    if not environment.is_current():
        missing += environment.missing_packages()
    try:
        system_packages.bring(missing, "Plantroom needs system packages that are not here.")
    except SetUpError as error:
        if action in NEEDS_QT:
            raise
        say(str(error))  # the command line runs without Qt's libraries
    environment.bring_up_to_date()


def _command(action: str, rest: list[str]) -> list[str]:
    if action == "test":
        os.chdir(environment.ROOT)
        return [str(environment.tool("python")), "-m", "pytest", *rest]
    words = ["demo", *rest] if action == "demo" else rest
    return [str(environment.tool("plantroom")), *words]


def _hand_over(command: list[str]) -> int:
    """Become the program, so that Ctrl+C and a stop reach it and nothing waits in between."""
    if os.name != "nt":
        os.execv(command[0], command)
    return subprocess.run(command, check=False).returncode
