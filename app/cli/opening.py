"""Opening a profile for this process: the folder, the lock, the key, the log, then the core."""

from __future__ import annotations

import getpass
import logging
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from app.cli.arguments import Globals
from app.cli.command import Needs
from app.control.client import ask
from app.control.wire import Answer, Request
from app.diagnostics import logs
from app.diagnostics.masking import MASKER
from app.runtime.clock import Clock, SystemClock
from app.settings.lock import ProfileLock, busy
from app.settings.profile import Profile, locate

if TYPE_CHECKING:
    from app.secrets.master import MasterKey
    from app.wiring import Core

log = logging.getLogger(__name__)

WAIT_FOR_HOLDER_S = 30.0
"""A command that holds the profile for itself alone is soon done; a start is soon listening."""


def find_profile(options: Globals, *, demo: bool = False) -> Profile:
    """The profile the options and the environment name, its folder made and writable.

    Raises:
        InvalidRequest, EnvironmentLacks: it cannot be used.
    """
    # Whatever a library makes in the folder is nobody else's business either.
    os.umask(0o077)
    profile = locate(options.data, os.environ, demo=demo)
    profile.prepare()
    return profile


def take_or_ask(profile: Profile, request: Request, clock: Clock) -> ProfileLock | Answer:
    """The profile's lock, or the answer of the process that holds it.

    Raises:
        Refused: somebody holds it and neither answers nor lets go.
    """
    lock = ProfileLock(profile.lock)
    pause = threading.Event()
    deadline_s = clock.monotonic_s() + WAIT_FOR_HOLDER_S
    while True:
        if lock.acquire():
            return lock
        if (answer := ask(profile.control_file, request)) is not None:
            return answer
        if clock.monotonic_s() > deadline_s:
            raise busy(profile.data)
        pause.wait(0.05)


@contextmanager
def core_of(profile: Profile, needs: Needs, *, fast: bool = False) -> Iterator[Core]:
    """A started core on a profile whose lock this process has; stopped at the end.

    It holds no device yet: whoever opened it engages those it is about.

    Raises:
        InvalidRequest: the environment names a person nobody knows here.
        EnvironmentLacks, StoreFault: the profile cannot be opened.
    """
    # A command that is answered by another process never comes here and pays for none of it.
    from app.settings import file as settings_file  # noqa: PLC0415
    from app.wiring import build_core  # noqa: PLC0415

    logfile = logs.to_file(profile.logs)
    try:
        loaded = settings_file.load(profile.settings_toml)
        for problem in loaded.problems:
            log.warning("%s", problem)
        if "PLANTROOM_LOG" not in os.environ:
            logging.getLogger().setLevel(logs.LEVELS.get(loaded.settings.log.level, logging.INFO))
        core = build_core(
            profile,
            settings=loaded.settings,
            clock=SystemClock(),
            master=_master_key(profile),
            with_link=needs is Needs.LINK,
            fast=fast,
            on_secrets=MASKER.learn,
        )
        core.start()
        try:
            if not profile.demo:
                core.owner.check(os.environ.get("PLANTROOM_PERSON", ""))
            yield core
        finally:
            core.stop()
    finally:
        logs.close(logfile)


def _master_key(profile: Profile) -> MasterKey:
    from app.secrets.custody import Custody, unlock  # noqa: PLC0415
    from app.secrets.keystore import SystemKeyStore  # noqa: PLC0415

    return unlock(
        Custody(
            key_file=profile.key_file,
            in_use=profile.in_use,
            environ=os.environ,
            store=SystemKeyStore(),
            prompt=_ask_person,
            demo=profile.demo,
        )
    )


def is_demo_profile(profile: Profile) -> bool:
    """Whether the folder was made by the demo."""
    from app.secrets.custody import is_demo  # noqa: PLC0415

    return is_demo(profile.key_file)


def _ask_person(words: str) -> str | None:
    if not (sys.stdin and sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    try:
        return getpass.getpass(words, stream=sys.stderr) or None
    except EOFError:
        return None
