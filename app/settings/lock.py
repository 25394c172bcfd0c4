"""One process per profile: the lock the window or the headless runner holds while it lives."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import filelock

from app.domain.errors import Refused
from app.settings.profile import folder_fault


class ProfileLock:
    """A file lock the system gives back when its holder dies, however it dies.

    The file itself stays empty: who holds the profile is told by its control socket.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = filelock.FileLock(path, mode=0o600, thread_local=False)

    def acquire(self) -> bool:
        """Take the lock now; False when another process has it.

        Raises:
            EnvironmentLacks: the file cannot be made.
        """
        try:
            self._lock.acquire(timeout=0)
        except filelock.Timeout:
            return False
        except OSError as error:
            raise folder_fault(self._path.parent, error) from error
        return True

    def release(self) -> None:
        """Give the lock back; harmless when it is not held."""
        self._lock.release()

    def __enter__(self) -> Self:
        if not self.acquire():
            raise busy(self._path.parent)
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def busy(data: Path) -> Refused:
    """The sentence for a profile another process has open."""
    return Refused(
        "profile.busy",
        "Another Plantroom has this profile open.",
        where=str(data),
        do="Use that one, close it first, or name another folder with --data.",
        retry=True,
    )
