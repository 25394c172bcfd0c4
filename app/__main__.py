"""`python -m app` and `plantroom`: hands the command line its words and the way to the window."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import ModuleType

from app.cli.main import run_command_line
from app.domain.errors import EnvironmentLacks


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line; returns the exit code."""
    return run_command_line(sys.argv[1:] if argv is None else argv, load_window)


def load_window() -> ModuleType:
    """The window's composition root: the one place where the core looks up.

    Raises:
        EnvironmentLacks: Qt, or a system library Qt needs, is not installed.
    """
    try:
        import ui.bootstrap  # noqa: PLC0415  the command line works without Qt
    except ImportError as error:
        raise EnvironmentLacks(
            "qt.missing",
            f"The window's libraries cannot be loaded: {error}.",
            do="Run installer/bootstrap.py setup, which installs what is missing; "
            "every command works without them.",
        ) from error
    return ui.bootstrap


if __name__ == "__main__":
    sys.exit(main())
