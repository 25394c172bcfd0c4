"""Content-addressed files: photos, exports, bundles."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from app.domain.errors import StoreFault
from app.store.box import Box
from app.store.folder import sync_folder

_NAME = re.compile(r"[0-9a-f]{64}")


class FileBlobs:
    """The port `Blobs` in a folder. A file appears whole or not at all."""

    def __init__(self, folder: Path, key: bytes | None) -> None:
        self._folder = folder
        self._box = Box(key, "blobs")

    def put(self, content: bytes) -> str:
        """Keep `content`; its SHA-256 in hexadecimal is its name.

        Raises:
            StoreFault: the disk did not take it.
        """
        name = hashlib.sha256(content).hexdigest()
        path = self._path(name)
        if path.exists():
            return name
        part = path.with_suffix(".part")
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with part.open("wb") as file:
                file.write(self._box.seal(content))
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
            sync_folder(path.parent)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise StoreFault(
                "store.blob_not_written",
                f"The file could not be kept: {error.strerror or 'the disk did not answer'}.",
                where=str(path),
                do="Check the disk and its free space, then try again.",
                retry=True,
            ) from error
        return name

    def get(self, sha256: str) -> bytes:
        """The content.

        Raises:
            StoreFault: it is not here, or was changed.
        """
        if not _NAME.fullmatch(sha256):
            raise StoreFault("store.no_such_blob", "That is not the name of a file.")
        path = self._path(sha256)
        try:
            content = self._box.open(path.read_bytes())
        except OSError:
            raise StoreFault(
                "store.no_such_blob", "This file is not on this console.", where=str(path)
            ) from None
        if content is None or hashlib.sha256(content).hexdigest() != sha256:
            raise StoreFault(
                "store.blob_changed",
                "This file was changed or damaged since it was kept.",
                where=str(path),
                do="Bring it back from a backup.",
            )
        return content

    def _path(self, name: str) -> Path:
        return self._folder / name[:2] / name
