"""How Alembic runs here: on the driver connection it is given, BEGIN IMMEDIATE around all of it.

The driver's own transactions would commit before each CREATE or ALTER, and a kill in the middle
would leave a file no re-run can finish.
"""

from __future__ import annotations

from typing import Any

import sqlcipher3.dbapi2 as driver
from alembic import context
from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

import app.records.kinds  # noqa: F401 - declares the kinds whose tables are compared
from app.store.tables import declare_tables


class _Held:
    """The caller's connection, in the caller's transaction: neither ends in here."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def close(self) -> None:
        """Left to the caller."""

    def commit(self) -> None:
        """Left to the caller."""

    def rollback(self) -> None:
        """Left to the caller."""


def run() -> None:
    """Upgrade in one transaction."""
    connection = context.config.attributes["connection"]
    engine = create_engine(
        "sqlite://",
        creator=lambda: _Held(connection),
        module=driver,
        poolclass=StaticPool,
        isolation_level="AUTOCOMMIT",
    )
    with engine.connect() as held:
        context.configure(
            connection=held, target_metadata=declare_tables(), transactional_ddl=False
        )
        connection.execute("BEGIN IMMEDIATE")
        try:
            context.run_migrations()
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
    engine.dispose()


run()
