"""The profile: one data folder, its files by name, and how it is found and prepared."""

from __future__ import annotations

import errno
import logging
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from app.domain.errors import ConsoleError, EnvironmentLacks, InvalidRequest

log = logging.getLogger(__name__)

NETWORK_FILE_SYSTEMS = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs"})
"""SQLite's write-ahead log needs shared memory, which these do not give."""

MAX_PATH_BYTES = 460
"""SQLite opens no path above 512 bytes, its own endings included."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One data folder. `demo` marks a folder that holds a simulated building and no secret."""

    data: Path
    demo: bool = False

    @property
    def console_db(self) -> Path:
        """What people decide and share."""
        return self.data / "console.db"

    @property
    def history_db(self) -> Path:
        """What was observed."""
        return self.data / "history.db"

    @property
    def outbox_log(self) -> Path:
        """Second copy of operations that were not sent yet."""
        return self.data / "outbox.log"

    @property
    def settings_toml(self) -> Path:
        """What a person set for this computer."""
        return self.data / "settings.toml"

    @property
    def key_file(self) -> Path:
        """How the master key is found; never the key itself."""
        return self.data / "key.json"

    @property
    def control_file(self) -> Path:
        """Address of the control socket of the process that holds the profile."""
        return self.data / "control"

    @property
    def lock(self) -> Path:
        """Held by the one process that has the profile open."""
        return self.data / "lock"

    @property
    def blobs(self) -> Path:
        """Photos, exports, bundles."""
        return self.data / "blobs"

    @property
    def logs(self) -> Path:
        """The rotating log."""
        return self.data / "logs"

    @property
    def screenshots(self) -> Path:
        """Pictures the off-screen demo makes."""
        return self.data / "screenshots"

    @property
    def crash(self) -> Path:
        """Crash reports."""
        return self.data / "crash"

    @property
    def in_use(self) -> bool:
        """True once a database was made here."""
        return self.console_db.exists() or self.history_db.exists()

    def prepare(self) -> None:
        """Make the folder, mode 0700, and see that it can be written.

        Raises:
            EnvironmentLacks: it cannot be made or written, or there is no space.
        """
        try:
            self.data.mkdir(parents=True, exist_ok=True, mode=0o700)
            if stat.S_IMODE(self.data.stat().st_mode) & 0o077:
                self.data.chmod(0o700)
            for folder in (self.blobs, self.logs, self.crash):
                folder.mkdir(exist_ok=True, mode=0o700)
            probe = self.data / f".writable-{os.getpid()}"
            probe.write_bytes(b"plantroom")
            probe.unlink()
        except OSError as error:
            raise folder_fault(self.data, error) from error
        kind = file_system(self.data)
        if kind in NETWORK_FILE_SYSTEMS:
            log.warning(
                "The data folder %s is on a network file system (%s); databases there can break. "
                "Choose a folder on this computer with --data.",
                self.data,
                kind,
            )


def locate(
    data: str | None, environ: Mapping[str, str], *, demo: bool = False, cwd: Path | None = None
) -> Profile:
    """The profile of `--data`, else of `PLANTROOM_DATA`, else the person's own data folder.

    Raises:
        InvalidRequest: the path names a file, or is too long.
    """
    named = data if data is not None else environ.get("PLANTROOM_DATA") or None
    if named is None:
        import platformdirs  # noqa: PLC0415  only needed when nobody named a folder

        folder = Path(platformdirs.user_data_dir("plantroom", appauthor=False))
        folder = folder.with_name(folder.name + "-demo") if demo else folder
    else:
        folder = (cwd or Path.cwd()) / Path(named).expanduser()
    if len(os.fsencode(folder)) > MAX_PATH_BYTES or _name_too_long(folder):
        raise InvalidRequest(
            "data.path_too_long",
            "The path of the data folder is too long for a database in it.",
            where=f"{str(folder)[:80]}...",
            do=f"Name a folder with --data whose path has at most {MAX_PATH_BYTES} bytes.",
        )
    if folder.exists() and not folder.is_dir():
        raise InvalidRequest(
            "data.not_a_folder",
            "The data folder is a file.",
            where=str(folder),
            do="Name a folder with --data, or a new name to have one made.",
        )
    return Profile(Path(os.path.realpath(folder)), demo)


def _name_too_long(folder: Path) -> bool:
    try:
        folder.stat()
    except OSError as error:
        return error.errno == errno.ENAMETOOLONG
    return False


def folder_fault(folder: Path, error: OSError) -> ConsoleError:
    """The sentence for a folder that could not be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return EnvironmentLacks(
            "disk.full",
            "There is no space left on the disk of the data folder.",
            where=str(folder),
            do="Free some space, then start again; nothing that was saved is lost.",
            retry=True,
        )
    reason = (error.strerror or type(error).__name__).lower()
    return EnvironmentLacks(
        "data.not_writable",
        f"The data folder cannot be written: {reason}.",
        where=str(folder),
        do="Give yourself the right to write there, or name another folder with --data.",
    )


def file_system(folder: Path, mounts: Path = Path("/proc/self/mounts")) -> str | None:
    """The kind of file system `folder` is on, where the system tells (Linux), else None."""
    try:
        lines = mounts.read_text(errors="replace").splitlines()
    except OSError:
        return None
    best, kind = "", None
    for line in lines:
        parts = line.split(" ")
        if len(parts) < 3:
            continue
        point = parts[1].replace("\\040", " ")
        inside = folder.is_relative_to(point)
        if inside and len(point) >= len(best):
            best, kind = point, parts[2]
    return kind
