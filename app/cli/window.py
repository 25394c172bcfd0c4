"""Opening the window, or bringing the one that has the profile to the front."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from app.cli.arguments import Globals
from app.cli.holding import held_core
from app.cli.opening import find_profile, take_or_ask
from app.cli.output import print_result
from app.control.wire import Answer, Request
from app.runtime.clock import SystemClock
from app.settings.lock import busy


def open_window(options: Globals, load_window: Callable[[], ModuleType]) -> int:
    """Open the window on the profile and stay until it is closed; returns the exit code.

    Raises:
        EnvironmentLacks: no Qt, no display.
        Refused: a process without a window has the profile.
    """
    bootstrap = load_window()
    profile = find_profile(options)
    held = take_or_ask(profile, Request("raise", (), os.fspath(Path.cwd())), SystemClock())
    if isinstance(held, Answer):
        if not held.document.get("raised"):
            raise busy(profile.data)
        print_result(held.document, "The window is open already.", as_json=options.json)
        return 0
    with held_core(profile, held, window=True) as core:
        core.engage()
        code: int = bootstrap.run_window(core, demo=False)
        return code
