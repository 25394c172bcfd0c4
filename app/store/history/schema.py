"""The tables of history.db, and the one place that makes or refuses a file."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from app.domain.errors import EnvironmentLacks, StoreFault
from app.store.engines import Database, DriverError
from app.store.history.log import MAX_SPAN_MS

PAGE_BYTES = 8_192
"""Chunks of about a kilobyte fill an 8 KiB page best (2.66 against 2.85 bytes a point at 4 KiB)."""
APPLICATION_ID = 0x504C5248  # "PLRH"
VERSION = 1
"""What this program writes; raised by any change an older program need not understand."""
MIN_READER = 1
"""The oldest program that can still read what this one writes."""

_TABLES = (
    "CREATE TABLE meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID",
    """CREATE TABLE series(
        id INTEGER PRIMARY KEY,
        asset TEXT NOT NULL,
        point TEXT NOT NULL,
        kind TEXT NOT NULL,
        resolution_ms INTEGER NOT NULL DEFAULT 1000)""",
    """CREATE TABLE route(
        device TEXT NOT NULL, dp TEXT NOT NULL, series INTEGER NOT NULL,
        PRIMARY KEY(device, dp)) WITHOUT ROWID""",
    # AUTOINCREMENT: a number must not come back after sealing has emptied the log.
    """CREATE TABLE log(
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        t0 INTEGER NOT NULL, t1 INTEGER NOT NULL, n INTEGER NOT NULL,
        series BLOB NOT NULL, data BLOB NOT NULL)""",
    "CREATE INDEX log_by_time ON log(t0)",
    # Rowid tables on purpose: a blob of a kilobyte spills out of an index b-tree's pages.
    """CREATE TABLE chunk(
        k INTEGER PRIMARY KEY, t1 INTEGER NOT NULL, n INTEGER NOT NULL,
        low, high, total, data BLOB NOT NULL)""",
    *(
        f"""CREATE TABLE rollup_{step}(
        k INTEGER PRIMARY KEY, t1 INTEGER NOT NULL, n INTEGER NOT NULL, data BLOB NOT NULL)"""
        for step in ("1m", "15m", "1h", "1d")
    ),
    """CREATE TABLE observed(
        device TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, at_ms INTEGER NOT NULL,
        PRIMARY KEY(device, name)) WITHOUT ROWID""",
)


def prepare(database: Database, path: Path) -> bool:
    """Make the tables in a new file; check that an old one is ours and can be written by us.

    Returns:
        True when the program that wrote the file last did not close it.

    Raises:
        EnvironmentLacks: a newer program wrote the file and says this one cannot read it.
        StoreFault: the file cannot be written, or is another program's database.
    """
    with database.writing() as connection:
        if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            _make(connection)
            return False
        if _pragma(connection, "application_id") != APPLICATION_ID:
            raise StoreFault(
                "history.foreign", "The file of readings is something else.", where=path.name
            )
        _refuse_newer(connection, path)
        return connection.execute("SELECT 1 FROM meta WHERE name='open'").fetchone() is not None


def check(database: Database, path: Path) -> None:
    """Look through the whole file, after a crash.

    Raises:
        StoreFault: SQLite finds it damaged.
    """
    (found,) = database.driver.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise StoreFault("store.damaged", "The file of readings is damaged.", where=path.name)


def position(database: Database) -> tuple[int, int]:
    """The newest time in the log (UTC ms, -1 when it is empty) and the number of its next row.

    A row may end up to its span after a later row began, so the newest few are looked at.
    """
    (newest,) = database.driver.execute(
        "SELECT max(t1) FROM log WHERE t0 >= (SELECT max(t0) FROM log) - ?", (MAX_SPAN_MS,)
    ).fetchone()
    (row,) = database.driver.execute("SELECT max(seq) FROM sqlite_sequence").fetchone()
    return (-1 if newest is None else newest), (row or 0) + 1


def mark_open(database: Database, *, open_now: bool) -> None:
    """Leave word in the file whether it is in use, so that a crash is noticed at the next start.

    A disk that is full does not keep the program from starting or ending; the word is then missing.
    """
    statement = (
        "INSERT OR REPLACE INTO meta VALUES('open', 1)"
        if open_now
        else "DELETE FROM meta WHERE name='open'"
    )
    with contextlib.suppress(StoreFault, DriverError), database.writing() as connection:
        connection.execute(statement)


def _make(connection: Any) -> None:
    for statement in _TABLES:
        connection.execute(statement)
    connection.execute("INSERT INTO meta VALUES('min_reader_version', ?)", (MIN_READER,))
    connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version={VERSION}")


def _refuse_newer(connection: Any, path: Path) -> None:
    row = connection.execute("SELECT value FROM meta WHERE name='min_reader_version'").fetchone()
    if row is not None and int(row[0]) > VERSION:
        raise EnvironmentLacks(
            "history.newer",
            "The readings on this computer were written by a newer Plantroom.",
            where=path.name,
            do="Start that version, or install it again.",
        )


def _pragma(connection: Any, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
