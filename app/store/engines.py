"""Connections to the program's SQLite files: one that writes, others that can only read.

Everything about the driver is here. `sqlcipher3` brings its own SQLite, free of the WAL-reset
bug; without a key the same library writes a plain file. Its errors are not `sqlite3.Error`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import sqlcipher3.dbapi2 as driver
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool, StaticPool

from app.domain.errors import EnvironmentLacks, StoreFault

DriverError = driver.Error
OLDEST_SQLITE = (3, 51, 3)
"""Before this, two connections that write and checkpoint at one moment can corrupt a WAL file."""

APPLICATION_ID = 0x504C5254  # "PLRT"
BUSY_MS = 5_000
PAGE_BYTES = 4_096
_PRAGMAS = (
    "synchronous=FULL",
    f"busy_timeout={BUSY_MS}",
    "foreign_keys=ON",
    "trusted_schema=OFF",
    "cell_size_check=ON",
    "mmap_size=0",
    "journal_size_limit=67108864",
    # F_FULLFSYNC; known to macOS alone and ignored elsewhere
    "fullfsync=ON",
    "checkpoint_fullfsync=ON",
)


def require_sound_sqlite(version: str = driver.sqlite_version) -> None:
    """Refuse an SQLite that can corrupt a file.

    Raises:
        EnvironmentLacks: the library is older than `OLDEST_SQLITE`.
    """
    if tuple(int(part) for part in version.split(".")) < OLDEST_SQLITE:
        raise EnvironmentLacks(
            "store.sqlite_too_old",
            f"SQLite {version} can damage a database that is written while it is read.",
            do="Install sqlcipher3 0.6.4 or newer.",
        )


def connect(
    path: Path | None,
    key: bytes | None,
    *,
    read_only: bool = False,
    page_bytes: int = PAGE_BYTES,
) -> Any:
    """A driver connection with every setting in place; None as path is a database in memory.

    The key is 32 raw bytes, which opens in a millisecond where a passphrase takes 200. It is in
    no exception: whatever fails while it is set is raised afresh.

    Raises:
        StoreFault: the file is damaged, is no database, or has another key.
    """
    where = ":memory:" if path is None else str(path)
    connection = None
    try:
        connection = driver.connect(where, check_same_thread=False, isolation_level=None)
        _prepare(connection, path, key, read_only, page_bytes)
    except driver.Error as error:
        if connection is not None:
            connection.close()
        raise translated(error, path) from None
    return connection


def _prepare(
    connection: Any, path: Path | None, key: bytes | None, read_only: bool, page_bytes: int
) -> None:
    if key is not None and path is not None:
        connection.execute("PRAGMA cipher_log_level=NONE")
        connection.execute(f"PRAGMA key=\"x'{key.hex()}'\"")
        # an encrypted file does not say its page size until it can be read
        connection.execute(f"PRAGMA cipher_page_size={page_bytes}")
    connection.execute(f"PRAGMA page_size={page_bytes}")
    # the first statement that reads the file tells whether it is a database and the key fits
    connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if path is not None and not read_only:
        connection.execute("PRAGMA journal_mode=WAL")
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    if read_only:
        connection.execute("PRAGMA query_only=1")


_KNOWN = (
    (
        "file is not a database",
        "store.not_a_database",
        "The file is not a database, or was written with another key.",
        "Check that the key is the one of this profile. ",
        False,
    ),
    (
        "malformed",
        "store.damaged",
        "The database file is damaged.",
        "",
        False,
    ),
    (
        "no such table",
        "store.damaged",
        "The database file lacks a part of itself.",
        "",
        False,
    ),
    (
        "disk is full",
        "store.disk_full",
        "There is no room left on the disk; this change was not saved, everything before it is.",
        "Free some space and save again.",
        True,
    ),
    (
        "locked",
        "store.locked",
        "Another program holds the database.",
        "Close it and try again.",
        True,
    ),
    (
        "disk I/O error",
        "store.io",
        "The disk did not read or write the database.",
        "Check the disk, then try again.",
        True,
    ),
    (
        "unable to open",
        "store.cannot_open",
        "The database file cannot be opened.",
        "Check that the folder exists and is yours.",
        False,
    ),
    (
        "readonly",
        "store.read_only",
        "The database file cannot be written.",
        "Check the rights of the file and its folder.",
        False,
    ),
)


_DAMAGED = ("store.not_a_database", "store.damaged")


def translated(error: BaseException, path: Path | None) -> BaseException:
    """A driver's error as a `StoreFault`; an error it has no sentence for comes back unchanged."""
    said = str(error)
    for needle, code, what, do, retry in _KNOWN:
        if needle in said:
            advice = do + _start_anew(path) if code in _DAMAGED else do
            return StoreFault(code, what, where=str(path or "memory"), do=advice, retry=retry)
    return error


def _start_anew(path: Path | None) -> str:
    """What a person does about a damaged file, and what comes back by it."""
    if path is not None and path.name == "history.db":
        returns = "what people recorded is not in this file, and recording begins a new one."
    else:
        returns = "what is in outbox.log is put back."
    return f"Nothing was deleted. Move the file elsewhere and start again: {returns}"


class Database:
    """One file: a private writing connection and a pool of connections that can only read.

    A reader's transaction is deferred and lasts as long as one `reading` block; keep it under
    250 ms, page what is longer. In memory (path None) there is one connection for both.
    """

    def __init__(
        self, path: Path | None, key: bytes | None, *, page_bytes: int = PAGE_BYTES
    ) -> None:
        self.path = path
        pool: dict[str, Any] = {"poolclass": StaticPool}
        if path is not None:
            pool = {"poolclass": QueuePool, "pool_size": 4, "max_overflow": 16}
        self._writers = _engine(
            lambda: connect(path, key, page_bytes=page_bytes), {"poolclass": StaticPool}
        )
        self._readers = _engine(
            lambda: connect(path, key, read_only=True, page_bytes=page_bytes), pool
        )
        self._writer: Connection | None = None
        self._closed = False

    @property
    def writer(self) -> Connection:
        """The only connection that can write. Its transactions are begun by hand, IMMEDIATE."""
        if self._writer is None:
            options = {"isolation_level": "AUTOCOMMIT"}
            self._writer = self._writers.connect().execution_options(**options)
        return self._writer

    @property
    def driver(self) -> Any:
        """The writer's driver connection, for statements that run many times a second."""
        return self.writer.connection.driver_connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[Any]:
        """One BEGIN IMMEDIATE transaction; whatever is raised inside rolls it back.

        Raises:
            StoreFault: the disk is full or did not answer.
        """
        connection = self.driver
        with self.faults():
            try:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                # SQLite may have rolled back by itself, on a full disk for one
                if connection.in_transaction:
                    with contextlib.suppress(driver.Error):
                        connection.execute("ROLLBACK")
                raise

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """One consistent view of the file, closed at the end of the block.

        Raises:
            StoreFault: the file was closed, is damaged, or the disk did not answer.
        """
        if self._closed:
            raise StoreFault(
                "store.closed", "The database is closed.", do="Start the program again."
            )
        with self.faults():
            if self.path is None:
                yield self.writer
                return
            with self._readers.connect() as connection:
                connection.exec_driver_sql("BEGIN")
                yield connection

    @contextlib.contextmanager
    def executing(self) -> Iterator[Callable[..., Any]]:
        """`reading` for statements that run many times a second: the driver's `execute`."""
        with self.reading() as connection:
            held: Any = connection.connection.driver_connection
            yield held.execute

    @contextlib.contextmanager
    def faults(self) -> Iterator[None]:
        """Errors of the driver in this block are raised as a `StoreFault`."""
        try:
            yield
        except DBAPIError as error:
            raise translated(error.orig or error, self.path) from error
        except driver.Error as error:
            raise translated(error, self.path) from error

    def close(self) -> None:
        """Close every connection; the write-ahead log goes into the file with the last one."""
        self._closed = True
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        self._readers.dispose()
        self._writers.dispose()


def _engine(creator: Any, pool: dict[str, Any]) -> Engine:
    return create_engine("sqlite://", creator=creator, module=driver, **pool)
