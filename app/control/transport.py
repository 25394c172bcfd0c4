"""The socket itself: a Unix socket for the same user only, a named pipe on Windows."""

from __future__ import annotations

import contextlib
import getpass
import hashlib
import os
import socket
import stat
import struct
import sys
import tempfile
from multiprocessing import connection
from pathlib import Path
from typing import Protocol

from app.control.wire import WireError

FIRST_WORD_S = 2.0
"""A caller sends its request as it connects; one that says nothing gives its place up soon."""
TAKE_ANSWER_S = 30.0
_WAITING_AT_THE_DOOR = 512
_CHUNK = 65_536
_MAX_PATH_BYTES = 103
"""What a Unix socket's address holds on the system that allows least."""


class Channel(Protocol):
    """One caller's connection."""

    def receive(self, limit: int) -> bytes:
        """The next line, at most `limit` bytes. Raises OSError, WireError."""

    def heard(self) -> None:
        """The request is here: the caller now has time to take its answer."""

    def send(self, line: bytes) -> None:
        """Write one line. Raises OSError."""

    def close(self) -> None:
        """End it."""


class Doorway(Protocol):
    """Where callers come in."""

    address: str

    def accept(self) -> Channel:
        """Wait for the next caller of the same user. Raises OSError once closed."""

    def close(self) -> None:
        """Let nobody in any more; wakes `accept`."""


def open_doorway(data: Path) -> Doorway:
    """Listen for the profile in `data`. The caller holds its lock, so what is left over is stale.

    Raises:
        OSError: the socket cannot be made.
    """
    name = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    if sys.platform == "win32":
        return _PipeDoorway(rf"\\.\pipe\plantroom-{getpass.getuser()}-{name}")
    return _UnixDoorway(_runtime_folder() / f"{name}.sock")


def dial(address: str, timeout_s: float | None) -> Channel:
    """Connect to a doorway of this user.

    Raises:
        OSError: nobody listens there, or somebody else does.
    """
    if sys.platform == "win32":
        return _PipeChannel(connection.Client(address, family="AF_PIPE"))
    caller = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        caller.settimeout(5.0)
        caller.connect(address)
        if not _same_user(caller):
            raise PermissionError("The control socket belongs to somebody else.")
        caller.settimeout(timeout_s)
    except BaseException:
        caller.close()
        raise
    return _UnixChannel(caller)


class _UnixChannel:
    def __init__(self, peer: socket.socket) -> None:
        self._socket = peer
        self._rest = bytearray()

    def receive(self, limit: int) -> bytes:
        searched = 0
        while (end := self._rest.find(b"\n", searched)) < 0:
            searched = len(self._rest)
            if searched > limit:
                raise WireError("too long")
            chunk = self._socket.recv(_CHUNK)
            if not chunk:
                raise ConnectionResetError("The other side closed the control socket.")
            self._rest += chunk
        line = bytes(self._rest[:end])
        del self._rest[: end + 1]
        return line

    def heard(self) -> None:
        self._socket.settimeout(TAKE_ANSWER_S)

    def send(self, line: bytes) -> None:
        self._socket.sendall(line)

    def close(self) -> None:
        self._socket.close()


class _UnixDoorway:
    def __init__(self, path: Path) -> None:
        self.address = str(path)
        path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.bind(self.address)
            path.chmod(0o600)
            self._socket.listen(_WAITING_AT_THE_DOOR)
        except BaseException:
            self._socket.close()
            raise

    def accept(self) -> Channel:
        while True:
            caller, _ = self._socket.accept()
            if _same_user(caller):
                caller.settimeout(FIRST_WORD_S)
                return _UnixChannel(caller)
            caller.close()

    def close(self) -> None:
        # Closing alone does not wake a thread that waits in accept, and not every system lets a
        # listening socket be shut down; a last caller always wakes it.
        last = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with contextlib.suppress(OSError):
            last.settimeout(1.0)
            last.connect(self.address)
        last.close()
        Path(self.address).unlink(missing_ok=True)
        self._socket.close()


class _PipeChannel:
    """multiprocessing's connection frames messages itself, so the line end is only carried."""

    def __init__(self, pipe: connection.Connection) -> None:
        self._pipe = pipe

    def receive(self, limit: int) -> bytes:
        try:
            return self._pipe.recv_bytes(limit).rstrip(b"\n")
        except EOFError:
            raise ConnectionResetError("The other side closed the pipe.") from None

    def heard(self) -> None:
        """A pipe has no time-outs."""

    def send(self, line: bytes) -> None:
        self._pipe.send_bytes(line)

    def close(self) -> None:
        self._pipe.close()


class _PipeDoorway:
    """A pipe made with the default rights: its maker may write to it, and administrators."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._listener = connection.Listener(address, family="AF_PIPE")
        self._closed = False

    def accept(self) -> Channel:
        pipe = self._listener.accept()
        if self._closed:
            pipe.close()
            raise ConnectionAbortedError("The doorway is closed.")
        return _PipeChannel(pipe)

    def close(self) -> None:
        # A pipe's accept is only woken by somebody who connects.
        self._closed = True
        with contextlib.suppress(OSError):
            connection.Client(self.address, family="AF_PIPE").close()
        self._listener.close()


def _runtime_folder() -> Path:
    """A short path, private to the user; the address is told through the data folder."""
    if sys.platform == "win32":
        raise OSError("Windows has pipes.")
    user = os.getuid()
    system = Path(f"/run/user/{user}")
    own = [system / "plantroom"] if system.is_dir() and os.access(system, os.W_OK) else []
    shared = [Path(base) / f"plantroom-{user}" for base in (tempfile.gettempdir(), "/tmp")]  # noqa: S108  looked at below
    folder = next(f for f in (*own, *shared) if len(os.fsencode(f)) + 22 <= _MAX_PATH_BYTES)
    folder.mkdir(mode=0o700, exist_ok=True)
    facts = folder.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != user:
        raise PermissionError(f"{folder} belongs to somebody else.")
    folder.chmod(0o700)
    return folder


def _same_user(peer: socket.socket) -> bool:
    """Whether the other end runs as this user, where the system tells; 0700 guards elsewhere."""
    if sys.platform != "linux":
        return True
    size = struct.calcsize("3i")
    _, user, _ = struct.unpack("3i", peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
    return bool(user == os.getuid())
