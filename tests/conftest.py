"""What holds for every test: a profile of its own, no display, no key store, and nothing left over.

A test that leaves a thread running, a socket or a loop open, or an exception in a thread of the
program behind fails, and says so itself; otherwise the next one would pay for it.
"""

from __future__ import annotations

import atexit
import gc
import importlib.util
import logging
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent
HAS_QT = importlib.util.find_spec("PySide6") is not None
HAS_PYTEST_QT = importlib.util.find_spec("pytestqt") is not None
THREAD_GRACE_S = 3.0
"""How long a thread that was told to stop may take before it counts as left behind."""

# Before anything imports Qt or a key store. A developer's own profile, author and passphrase
# must reach neither a test nor a program that a test starts.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
for name in [name for name in os.environ if name.startswith("PLANTROOM_")]:
    del os.environ[name]
os.environ["PLANTROOM_KEYSTORE"] = "passphrase"
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
SCRATCH = Path(tempfile.mkdtemp(prefix="plantroom-tests-"))
atexit.register(shutil.rmtree, SCRATCH, ignore_errors=True)
for variable in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
    os.environ[variable] = str(SCRATCH / variable.lower())
os.environ["PLANTROOM_DATA"] = str(SCRATCH / "profile")

settings.register_profile(
    "local", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.register_profile("ci", parent=settings.get_profile("local"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")

collect_ignore: list[str] = [] if HAS_QT and HAS_PYTEST_QT else ["gui", "shots"]
_profile_number = count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Without Qt pytest-qt is away too; its settings in pyproject.toml are still known then."""
    if not HAS_PYTEST_QT:
        for option in ("qt_api", "qt_log_level_fail"):
            parser.addini(option, "a setting of pytest-qt, which is not installed here")


def pytest_configure(config: pytest.Config) -> None:
    """Name the marks this file understands."""
    config.addinivalue_line(
        "markers", "logs_errors: the test makes a part of the program fail and log it on purpose"
    )
    config.addinivalue_line("markers", "real_keyring: the test asks for a real key store")


@pytest.fixture(autouse=True)
def own_profile(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Path:
    """A data folder that no other test has seen; it is made by whoever first needs it."""
    folder = SCRATCH / f"profile-{next(_profile_number)}"
    monkeypatch.setenv("PLANTROOM_DATA", str(folder))
    if request.node.get_closest_marker("real_keyring"):
        monkeypatch.delenv("PLANTROOM_KEYSTORE")
        monkeypatch.delenv("PYTHON_KEYRING_BACKEND")
    return folder


@pytest.fixture(autouse=True)
def no_thread_left_behind() -> Iterator[None]:
    """Every thread a test starts has ended when the test has."""
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + THREAD_GRACE_S
    left = _threads_since(before)
    for thread in left:
        thread.join(max(0.0, deadline - time.monotonic()))
    if left := _threads_since(before):
        names = ", ".join(sorted(thread.name for thread in left))
        pytest.fail(f"still running after the test: {names}", pytrace=False)


def _threads_since(before: set[threading.Thread]) -> list[threading.Thread]:
    # A dummy thread stands for one that Python did not start (Qt's own); it never ends.
    return [
        thread
        for thread in threading.enumerate()
        if thread not in before and not isinstance(thread, threading._DummyThread)
    ]


class _FailureLog(logging.Handler):
    """Keeps what the program logged together with an exception."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.sentences: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record that has an exception with it: in this program that means a bug."""
        if record.exc_info and record.exc_info[0] is not None:
            error = f"{record.exc_info[0].__name__}: {record.exc_info[1]}"
            self.sentences.append(f"{record.name}: {record.getMessage()} ({error})")


@pytest.fixture(autouse=True)
def no_failure_in_the_log(request: pytest.FixtureRequest) -> Iterator[None]:
    """A thread, job or subscriber that fails is logged by the program; here that fails the test."""
    handler = _FailureLog()
    loggers = [logging.getLogger(name) for name in ("app", "ui", "plugins")]
    for logger in loggers:
        logger.addHandler(handler)
    yield
    for logger in loggers:
        logger.removeHandler(handler)
    if handler.sentences and not request.node.get_closest_marker("logs_errors"):
        told = "\n  ".join(handler.sentences)
        pytest.fail(
            f"the program logged a failure (mark the test logs_errors if it is meant):\n  {told}",
            pytrace=False,
        )


@pytest.fixture(autouse=True, scope="module")
def nothing_left_open() -> Iterator[None]:
    """A socket, file or loop that nobody closed is found in the file of tests that left it."""
    yield
    gc.collect()
