"""A second copy of what was not sent yet, in a file of its own beside the database.

It is the only thing on a laptop that exists nowhere else. Each commit adds one line after its
acknowledgement; the file is fsynced within a second. Every line also carries an anchor, the
journal's position and hash, so that a journal cut at its end is noticed. With a key each line is
sealed, because titles and names are in it; sealed fields are ciphertext already.
"""

from __future__ import annotations

import base64
import json
import logging
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.records.operation import Operation, canonical, number, read_operation
from app.runtime.clock import Clock
from app.store.box import Box
from app.store.folder import sync_folder

log = logging.getLogger(__name__)

SYNC_WITHIN_S = 1.0
_MAGIC = b'{"plantroom":"outbox","format":1}\n'


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where the journal stood after a commit."""

    pos: int
    hash: bytes


@dataclass(slots=True)
class Contents:
    """What the file holds. `unreadable` counts lines that were changed or have another key."""

    console: str | None = None
    operations: dict[str, Operation] = field(default_factory=dict)
    site_keys: dict[str, bytes] = field(default_factory=dict)
    anchor: Anchor | None = None
    lines: int = 0
    unreadable: int = 0


class OutboxCopy:
    """The file. Used by the writer's thread alone; a failing disk is logged and made up for."""

    def __init__(self, path: Path, key: bytes | None, clock: Clock) -> None:
        self.path = path
        self._box = Box(key, "outbox")
        self._sealed = key is not None
        self._clock = clock
        self._fd: int | None = None
        self._dirty_since_s: float | None = None
        self.behind = False

    def read(self) -> Contents:
        """Everything the file holds; a line torn by a crash is left out."""
        contents = Contents()
        try:
            lines = self.path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return contents
        for line in lines[1:-1]:  # the first is the magic, the last is empty or torn
            contents.lines += 1
            if not _take(contents, self._opened(line)):
                contents.unreadable += 1
        return contents

    def append(
        self,
        operations: Iterable[Operation],
        site_keys: Iterable[tuple[str, bytes]],
        anchor: Anchor,
    ) -> None:
        """Add one commit's line. A disk that fails leaves `behind` set; nothing is raised."""
        try:
            if self._fd is None:
                raise OSError("the file is not open")
            self._write(self._line(None, operations, site_keys, anchor))
        except OSError as error:
            if not self.behind:
                log.warning("The outbox copy could not be written: %s", error)
            self.behind = True
        if self._dirty_since_s is None:
            self._dirty_since_s = self._clock.monotonic_s()

    def due_in_s(self) -> float | None:
        """Seconds until `sync` is due; None when everything is on disk."""
        if self._dirty_since_s is None:
            return None
        return max(0.0, self._dirty_since_s + SYNC_WITHIN_S - self._clock.monotonic_s())

    def sync(self) -> None:
        """Put on disk what was appended."""
        if self._dirty_since_s is None:
            return
        self._dirty_since_s = None
        if self._fd is None or self.behind:
            return
        try:
            os.fsync(self._fd)
        except OSError as error:
            log.warning("The outbox copy could not be put on disk: %s", error)
            self.behind = True

    def try_again(self) -> None:
        """Let `sync` come due once more, a second from now."""
        self._dirty_since_s = self._clock.monotonic_s()

    def rewrite(
        self,
        console: str,
        operations: Sequence[Operation],
        site_keys: Iterable[tuple[str, bytes]],
        anchor: Anchor,
    ) -> None:
        """Replace the file by one that holds exactly this; the old one stays until it is whole.

        Raises:
            OSError: the disk did not take it; the old file is as it was.
        """
        part = self.path.with_suffix(".part")
        flags = os.O_CREAT | os.O_TRUNC | os.O_WRONLY
        target = os.open(part, flags, 0o600)
        try:
            with os.fdopen(target, "wb") as file:
                file.write(_MAGIC)
                file.write(self._line(console, operations, site_keys, anchor))
                file.flush()
                os.fsync(file.fileno())
            self.close()
            part.replace(self.path)
            sync_folder(self.path.parent)
        finally:
            part.unlink(missing_ok=True)
        self.behind = False
        self.open()

    def open(self) -> None:
        """Open the file for appending, cutting off a line a crash has torn."""
        self.close()
        descriptor = os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600)
        content = self.path.read_bytes()
        whole = content.rfind(b"\n") + 1
        os.ftruncate(descriptor, whole)
        os.lseek(descriptor, whole, os.SEEK_SET)
        if whole == 0:
            os.write(descriptor, _MAGIC)
        self._fd = descriptor

    def set_aside(self, now_ms: int) -> Path | None:
        """Move a file nobody can read out of the way; it is never deleted."""
        if not self.path.exists():
            return None
        aside = self.path.with_name(f"{self.path.name}.unreadable.{now_ms}")
        self.path.replace(aside)
        return aside

    def close(self) -> None:
        """Put everything on disk and let the file go."""
        if self._fd is not None:
            self.sync()
            os.close(self._fd)
            self._fd = None

    def _write(self, line: bytes) -> None:
        """Write a whole line or none: a torn one in the middle would spoil the next."""
        assert self._fd is not None
        start = os.lseek(self._fd, 0, os.SEEK_CUR)
        written = 0
        try:
            while written < len(line):
                written += os.write(self._fd, line[written:])
        except OSError:
            os.ftruncate(self._fd, start)
            os.lseek(self._fd, start, os.SEEK_SET)
            raise

    def _line(
        self,
        console: str | None,
        operations: Iterable[Operation],
        site_keys: Iterable[tuple[str, bytes]],
        anchor: Anchor,
    ) -> bytes:
        said: dict[str, Any] = {"at": [anchor.pos, anchor.hash.hex()]}
        if console is not None:
            said["console"] = console
        if lines := [_packed(operation) for operation in operations]:
            said["ops"] = lines
        if keys := [[site, base64.b64encode(key).decode()] for site, key in site_keys]:
            said["keys"] = keys
        content = self._box.seal(canonical(said).encode())
        return (base64.b64encode(content) if self._sealed else content) + b"\n"

    def _opened(self, line: bytes) -> dict[str, Any] | None:
        try:
            content = self._box.open(base64.b64decode(line) if self._sealed else line)
            said = None if content is None else json.loads(content)
        except ValueError:
            return None
        return said if isinstance(said, dict) else None


def _packed(o: Operation) -> list[Any]:
    return [o.id, o.tx, o.act, o.kind, o.record, o.site, o.at_us, o.author, o.schema, o.body()]


def _take(contents: Contents, said: dict[str, Any] | None) -> bool:
    """Take in one line; False when it is not one of ours."""
    if said is None:
        return False
    try:
        anchor = Anchor(int(said["at"][0]), bytes.fromhex(said["at"][1]))
        operations = [read_operation(header, body) for *header, body in said.get("ops", ())]
        keys = {site: base64.b64decode(key) for site, key in said.get("keys", ())}
        for operation in operations:
            if number(operation.id)[1] == 0:
                return False
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        return False
    contents.anchor = anchor
    contents.console = said.get("console", contents.console)
    contents.operations.update(zip((o.id for o in operations), operations, strict=True))
    contents.site_keys.update(keys)
    return True
