"""Brings a file to this program's schema: on a copy, then one swap. The old file is kept."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from typing import Any

from app.domain.errors import EnvironmentLacks, StoreFault
from app.store.engines import APPLICATION_ID, DriverError, connect, translated
from app.store.folder import sync_folder

FORMAT = 1
"""`user_version` of the file. A program that knows only a lower one leaves the file alone."""

HEAD = "0001"
"""The newest revision below `migrations/versions`, four digits; a test compares them."""

_ROOM = 2.2


def bring_up_to_date(path: Path, key: bytes | None, now_ms: int) -> Path | None:
    """Create the file or migrate it; returns where the file as it was is kept, if it was.

    Raises:
        EnvironmentLacks: the file is of a newer program, or the disk has no room for the copy.
        StoreFault: it is no database, is damaged, or has another key.
    """
    new = path.with_name(f"{path.name}.new")
    _remove(new)
    if not path.exists() or path.stat().st_size == 0:
        # a write-ahead log without its file belongs to a file somebody moved away
        for leftover in _with_logs(path)[1:]:
            if leftover.exists():
                leftover.replace(leftover.with_name(f"{leftover.name}.orphan.{now_ms}"))
        _upgrade(new, key, path)
        new.replace(path)
        sync_folder(path.parent)
        return None
    revision = _revision(path, key)
    if revision == HEAD:
        return None
    _require_room(path)
    _copy(path, new, key)
    _upgrade(new, key, path)
    kept = path.with_name(f"{path.name}.{revision or 'empty'}.{now_ms}")
    os.link(path, kept)  # the old file has a name at every moment
    new.replace(path)
    sync_folder(path.parent)
    for leftover in _with_logs(path)[1:]:
        leftover.unlink(missing_ok=True)  # folded into the file by `_copy`
    return kept


def _revision(path: Path, key: bytes | None) -> str | None:
    connection = connect(path, key, read_only=True)
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > FORMAT:
            raise _newer(path)
        known = connection.execute(
            "SELECT count(*) FROM sqlite_master WHERE name='alembic_version'"
        ).fetchone()[0]
        if not known:
            return None
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        if row is not None and str(row[0]) > HEAD:
            raise _newer(path)
        return None if row is None else str(row[0])
    except DriverError as error:
        raise translated(error, path) from None
    finally:
        connection.close()


def _newer(path: Path) -> EnvironmentLacks:
    return EnvironmentLacks(
        "store.newer",
        "This file was written by a newer Plantroom.",
        where=str(path),
        do="Update the program; the file was not touched.",
    )


def _copy(path: Path, new: Path, key: bytes | None) -> None:
    """A consistent copy by SQLite's backup, both sides under the same key."""
    source = connect(path, key)
    try:
        source.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        target = connect(new, key)
        try:
            source.backup(target)
        finally:
            target.close()
    except DriverError as error:
        raise translated(error, path) from None
    finally:
        source.close()


def _upgrade(new: Path, key: bytes | None, path: Path) -> None:
    """Run every revision that is missing, each in a BEGIN IMMEDIATE transaction, and check."""
    # Alembic takes a tenth of a second to import and is needed once a version
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    connection = connect(new, key)
    try:
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version={FORMAT}")
        _require_sound(connection, path)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        # a file in WAL mode keeps it; without its log it can be renamed as one piece
        connection.execute("PRAGMA journal_mode=DELETE")
    except DriverError as error:
        raise translated(error, path) from None
    finally:
        connection.close()
    new.chmod(0o600)
    with new.open("rb+") as file:
        os.fsync(file.fileno())


def _require_sound(connection: Any, path: Path) -> None:
    verdict = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if verdict != "ok":
        raise StoreFault(
            "store.migration_unsound",
            "The migrated copy of the database is not sound; the file itself was not touched.",
            where=str(path),
            do="Start the program again; if it stays so, restore a backup.",
        )


def _require_room(path: Path) -> None:
    needed = int(path.stat().st_size * _ROOM)
    free = shutil.disk_usage(path.parent).free
    if free < needed:
        raise EnvironmentLacks(
            "store.no_room_to_migrate",
            f"Updating the database needs {needed // 1_000_000 + 1} MB free,"
            f" there are {free // 1_000_000}.",
            where=str(path.parent),
            do="Free some space and start again; the file was not touched.",
        )


def _with_logs(path: Path) -> tuple[Path, ...]:
    return (path, *(path.with_name(f"{path.name}-{log}") for log in ("wal", "shm", "journal")))


def _remove(path: Path) -> None:
    for part in _with_logs(path):
        with contextlib.suppress(FileNotFoundError):
            part.unlink()
