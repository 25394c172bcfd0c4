"""The console's own file, opened and closed: records, audit, jobs, blobs, local values."""

from __future__ import annotations

import errno
import json
import logging
import secrets
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import app.records.kinds  # noqa: F401 - declares the program's kinds
from app.domain.errors import StoreFault
from app.records.field import Record, kind_of
from app.records.operation import number
from app.records.port import Actor, FieldSealer, Tx
from app.runtime.clock import Clock
from app.runtime.events import EventBus
from app.store.audit import CUT, CUT_TOLD, REBUILT, Audit, Broken, declarations
from app.store.blobs import FileBlobs
from app.store.engines import Database, require_sound_sqlite
from app.store.jobs import StoredJobs
from app.store.migrate import bring_up_to_date
from app.store.outbox import Anchor, Contents, OutboxCopy
from app.store.projection import Projection
from app.store.recorder import MACHINE, Recorder
from app.store.records import StoredRecords, Writer
from app.store.sealing import context

log = logging.getLogger(__name__)

CONSOLE, DECLARATIONS = "console", "declarations"


class ConsoleStore:
    """`console.db` and its outbox copy. `start` before anything else, `stop` at the end.

    `records`, `audit`, `jobs` and `console_id` exist between the two; `blobs` always.
    """

    records: StoredRecords
    audit: Audit
    jobs: StoredJobs
    console_id: str

    def __init__(
        self,
        path: Path,
        *,
        key: bytes | None,
        clock: Clock,
        bus: EventBus,
        sealer: FieldSealer,
        outbox_copy: Path,
        blobs: Path | None = None,
    ) -> None:
        self._path = path
        self._key = key
        self._clock = clock
        self._bus = bus
        self._sealer = sealer
        self._outbox = OutboxCopy(outbox_copy, key, clock)
        self._writer = Writer(self._outbox, bus)
        self._database = Database(path, key)
        self._recorder: Recorder
        self._new_file = False
        self.blobs = FileBlobs(blobs or path.parent / "blobs", key)
        self.kept: Path | None = None

    def start(self) -> None:
        """Open the file, migrating a copy of it first if it is of an older version.

        Raises:
            EnvironmentLacks: the SQLite here is unsound, the file is of a newer program, or the
                disk has no room to migrate it.
            StoreFault: the file is no database, is damaged, or has another key. It is left as it
                is; moved away, a start rebuilds what the outbox copy holds.
        """
        require_sound_sqlite()
        self._database = Database(self._path, self._key)  # a closed one stays closed
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.kept = bring_up_to_date(self._path, self._key, self._clock.now_ms())
        try:
            with self._database.faults():
                copy = self._outbox.read()
                self._know_console(copy)
                self._recorder = Recorder(
                    self._database, self.console_id, self._clock, self._sealer
                )
                self._reconcile(copy)
                self._refold_if_declared_anew()
        except BaseException as error:
            self._outbox.close()
            self._database.close()
            if isinstance(error, OSError):
                raise self._outbox_fault("opened", error) from error
            raise
        self.records = StoredRecords(
            self._database, self._recorder, self._writer, self._outbox, self._bus
        )
        self.audit = Audit(self._database, self.console_id, self._anchor)
        self.jobs = StoredJobs(self._database)
        self._writer.make_up = self._rewrite_outbox
        self._writer.start()

    def stop(self) -> None:
        """Finish what was asked, put the outbox copy on disk, close every connection."""
        self._writer.stop()
        self._outbox.close()
        self._database.close()

    def open_field(self, record: Record, field: str) -> str | None:
        """The plaintext of a sealed field: the only way to it. None when it is empty.

        Raises:
            StoreFault: this console does not hold the key it was sealed with.
        """
        kind = kind_of(record)
        if not kind.specs[field].sealed:
            raise ValueError(f"{kind.name}.{field} is not sealed")
        sealed = getattr(record, field)
        if sealed is None:
            return None
        with self._database.reading() as connection:
            return self._recorder.keys.open(
                connection.connection.driver_connection,
                record.site,
                context(kind.name, record.id, field),
                sealed,
            )

    def get_local(self, name: str, default: Any = None) -> Any:
        """A value that is only this console's; it is never sent."""
        with self._database.reading() as connection:
            row = connection.exec_driver_sql(
                "SELECT value FROM local WHERE name=?", (name,)
            ).first()
        return default if row is None else json.loads(row[0])

    def set_local(self, name: str, value: Any) -> Future[None]:
        """Keep a value, of anything JSON can say, that is only this console's."""
        return self._writer.submit(lambda: self._set_local(name, value))

    def keep_as_told(self, cut: Broken, who: Actor) -> Future[None]:
        """A person was told of a cut: from now on the audit reports it as repaired.

        Said as a failure once and in every report after, it neither hides nor hides others.
        """

        def work(tx: Tx) -> None:
            tx.note(CUT_TOLD, cut.operation, {"sentence": cut.sentence})

        return self.records.transact(who, work)

    def _set_local(self, name: str, value: Any) -> None:
        with self._recorder.commit():
            _put_local(self._database.driver, name, value)

    def _know_console(self, copy: Contents) -> None:
        """This console's id: from the file, else from the outbox copy, else a new one."""
        with self._database.writing() as connection:
            row = connection.execute("SELECT value FROM local WHERE name=?", (CONSOLE,)).fetchone()
            self._new_file = row is None
            if row is None:
                made = copy.console or secrets.token_hex(8)
                _put_local(connection, CONSOLE, made)
                row = (json.dumps(made),)
        self.console_id = str(json.loads(row[0]))

    def _reconcile(self, copy: Contents) -> None:
        """Put back what only the outbox copy has, and into the copy what only the file has."""
        if copy.unreadable:
            aside = self._outbox.set_aside(self._clock.now_ms())
            log.warning(
                "%d lines of the outbox copy cannot be read; it was kept as %s",
                copy.unreadable,
                aside,
            )
        journal = self._recorder.journal
        before = journal.tip
        lost = [o for o in copy.operations.values() if journal.number_taken(o.id) is None]
        lost.sort(key=lambda o: number(o.id))
        anchored = copy.anchor is None or self._holds(copy.anchor)
        if lost or copy.site_keys.keys() - self._site_keys().keys():
            self._recorder.adopt(lost, copy.site_keys.items())
            log.warning("%d changes were put back from the outbox copy", len(lost))
        if not anchored and copy.anchor is not None:
            event = REBUILT if self._new_file else CUT
            said = {"reached": before.pos, "anchor": copy.anchor.pos, "put_back": len(lost)}
            self._recorder.transact(MACHINE, lambda tx: tx.note(event, self.console_id, said))
        unsent = journal.unsent_ids()
        grown = copy.lines > 1_000 and copy.lines > 4 * len(unsent)
        whole = unsent == copy.operations.keys()
        if copy.console is None or copy.unreadable or not (anchored and whole) or grown:
            self._rewrite_outbox()
        else:
            self._outbox.open()

    def _holds(self, anchor: Anchor) -> bool:
        """Whether the journal has the line the anchor remembers."""
        if anchor.pos == 0:
            return True
        row = self._database.driver.execute(
            "SELECT hash FROM journal WHERE pos=?", (anchor.pos,)
        ).fetchone()
        return row is not None and row[0] == anchor.hash

    def _anchor(self) -> Anchor:
        """Where the journal stands by what this process has written, not by what the file says."""
        return Anchor(self._recorder.committed.pos, self._recorder.committed.hash)

    def _rewrite_outbox(self) -> None:
        """A fresh outbox copy from the file."""
        journal = self._recorder.journal
        keys = self._site_keys().items()
        try:
            self._outbox.rewrite(self.console_id, list(journal.unsent()), keys, self._anchor())
        except OSError as error:
            self._outbox.behind = True
            raise self._outbox_fault("written", error) from error

    def _outbox_fault(self, done: str, error: OSError) -> StoreFault:
        code = "disk_full" if error.errno == errno.ENOSPC else f"outbox_not_{done}"
        return StoreFault(
            f"store.{code}",
            f"The second copy of unsent changes could not be {done}:"
            f" {error.strerror or 'the disk did not answer'}.",
            where=str(self._outbox.path),
            do="Check the disk, its free space and the rights of the file, then try again.",
            retry=True,
        )

    def _site_keys(self) -> dict[str, bytes]:
        rows = self._database.driver.execute("SELECT site,wrapped FROM site_key")
        return {site: bytes(wrapped) for site, wrapped in rows}

    def _refold_if_declared_anew(self) -> None:
        """Rows are the fold under today's declarations; a new program folds them anew, once."""
        said = declarations()
        if self.get_local(DECLARATIONS) == said:
            return
        with self._recorder.commit():
            Projection(self._database.driver).refold()
            _put_local(self._database.driver, DECLARATIONS, said)


def _put_local(connection: Any, name: str, value: Any) -> None:
    connection.execute(
        "INSERT INTO local VALUES(?,?) ON CONFLICT(name) DO UPDATE SET value=excluded.value",
        (name, json.dumps(value)),
    )
