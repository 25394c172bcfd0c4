"""Jobs that must survive a crash: their last state, kept in the commit of what they did."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from app.store.engines import Database


class StoredJobs:
    """The port `JobStore`. Written by `Tx.checkpoint` alone."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def unfinished(self) -> Sequence[tuple[str, str, Mapping[str, Any]]]:
        """(job id, kind, state) of every job without an end, in order of id."""
        with self._database.reading() as connection:
            rows = connection.exec_driver_sql("SELECT id,kind,state FROM job ORDER BY id").all()
        return [(job, kind, json.loads(state)) for job, kind, state in rows]
