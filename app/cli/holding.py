"""Holding a profile for a while: the lock, a whole core, and the control socket for the others."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from app.cli.calling import serve
from app.cli.command import Needs
from app.cli.opening import core_of
from app.control.server import ControlServer
from app.domain.errors import EnvironmentLacks
from app.settings.lock import ProfileLock
from app.settings.profile import Profile

if TYPE_CHECKING:
    from app.wiring import Core


SWITCH_INTERVAL_S = 0.0005
"""A tenth of Python's default. The thread `lan` gives the interpreter away with every read from a
socket and gets it back after one interval at the latest; while another thread computes, five
milliseconds a read add up to tenths of a second for a thousand devices."""


@contextmanager
def held_core(
    profile: Profile, lock: ProfileLock, *, fast: bool = False, window: bool = False
) -> Iterator[Core]:
    """A core that serves the commands of others until the block ends. The caller engages it."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    with lock, core_of(profile, Needs.LINK, fast=fast) as core:
        core.has_window = window
        control = ControlServer(profile.data, profile.control_file, serve(core), core.bus)
        try:
            control.start()
        except OSError as error:
            raise EnvironmentLacks(
                "control.no_socket",
                f"The control socket cannot be made: {error.strerror or error}.",
                where=str(profile.data),
                do="See that the system's temporary folder is yours to write.",
            ) from error
        try:
            yield core
        finally:
            control.stop()
