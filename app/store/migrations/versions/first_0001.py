"""The tables of the first version, as text: a revision must not change when declarations do."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None

STATEMENTS = (
    """
    CREATE TABLE asset (
        id TEXT NOT NULL,
        site TEXT NOT NULL,
        name TEXT,
        label TEXT,
        place TEXT,
        category TEXT,
        profile TEXT,
        tags TEXT,
        note TEXT,
        deleted INTEGER,
        heads TEXT NOT NULL,
        seen TEXT NOT NULL,
        also TEXT,
        waits INTEGER,
        find INTEGER,
        PRIMARY KEY (id)
    )
     WITHOUT ROWID
    """,
    "CREATE INDEX asset_label ON asset (label, deleted)",
    "CREATE INDEX asset_place ON asset (place, deleted)",
    "CREATE INDEX asset_waits ON asset (waits) WHERE waits = 1",
    """
    CREATE TABLE binding (
        id TEXT NOT NULL,
        site TEXT NOT NULL,
        asset TEXT,
        device TEXT,
        from_ms BIGINT,
        until_ms BIGINT,
        points TEXT,
        deleted INTEGER,
        heads TEXT NOT NULL,
        seen TEXT NOT NULL,
        also TEXT,
        waits INTEGER,
        find INTEGER,
        PRIMARY KEY (id)
    )
     WITHOUT ROWID
    """,
    "CREATE INDEX binding_asset ON binding (asset, deleted)",
    "CREATE INDEX binding_device ON binding (device, deleted)",
    "CREATE INDEX binding_waits ON binding (waits) WHERE waits = 1",
    """
    CREATE TABLE cursor (
        site TEXT NOT NULL,
        seq BIGINT NOT NULL,
        PRIMARY KEY (site)
    )
    """,
    """
    CREATE TABLE device (
        id TEXT NOT NULL,
        site TEXT NOT NULL,
        tuya_id TEXT,
        name TEXT,
        category TEXT,
        product_id TEXT,
        mac TEXT,
        version TEXT,
        ip TEXT,
        port BIGINT,
        node_id TEXT,
        parent TEXT,
        local_key TEXT,
        mapping TEXT,
        interval_s FLOAT,
        paused INTEGER,
        retired INTEGER,
        deleted INTEGER,
        heads TEXT NOT NULL,
        seen TEXT NOT NULL,
        also TEXT,
        waits INTEGER,
        find INTEGER,
        PRIMARY KEY (id)
    )
     WITHOUT ROWID
    """,
    "CREATE INDEX device_parent ON device (parent, deleted)",
    "CREATE INDEX device_tuya_id ON device (tuya_id, deleted)",
    "CREATE INDEX device_waits ON device (waits) WHERE waits = 1",
    """
    CREATE TABLE job (
        id TEXT NOT NULL,
        kind TEXT NOT NULL,
        state TEXT NOT NULL,
        PRIMARY KEY (id)
    )
    """,
    """
    CREATE TABLE journal (
        pos INTEGER NOT NULL,
        op TEXT NOT NULL,
        tx TEXT NOT NULL,
        act TEXT NOT NULL,
        kind TEXT NOT NULL,
        record TEXT NOT NULL,
        site TEXT NOT NULL,
        at_us BIGINT NOT NULL,
        known_us BIGINT NOT NULL,
        author TEXT NOT NULL,
        schema INTEGER NOT NULL,
        body TEXT,
        body_hash BLOB NOT NULL,
        hash BLOB NOT NULL,
        seq BIGINT,
        verdict TEXT,
        verdict_reason TEXT,
        waiting INTEGER NOT NULL,
        PRIMARY KEY (pos),
        UNIQUE (op)
    )
    """,
    "CREATE INDEX journal_record ON journal (record, pos)",
    "CREATE INDEX journal_refused ON journal (pos) WHERE verdict = 'refused'",
    "CREATE INDEX journal_tx ON journal (tx)",
    "CREATE INDEX journal_unsent ON journal (pos) WHERE waiting = 1",
    """
    CREATE TABLE local (
        name TEXT NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (name)
    )
    """,
    """
    CREATE TABLE person (
        id TEXT NOT NULL,
        site TEXT NOT NULL,
        name TEXT,
        role TEXT,
        deleted INTEGER,
        heads TEXT NOT NULL,
        seen TEXT NOT NULL,
        also TEXT,
        waits INTEGER,
        find INTEGER,
        PRIMARY KEY (id)
    )
     WITHOUT ROWID
    """,
    "CREATE INDEX person_waits ON person (waits) WHERE waits = 1",
    """
    CREATE TABLE place (
        id TEXT NOT NULL,
        site TEXT NOT NULL,
        name TEXT,
        parent TEXT,
        kind TEXT,
        position BIGINT,
        deleted INTEGER,
        heads TEXT NOT NULL,
        seen TEXT NOT NULL,
        also TEXT,
        waits INTEGER,
        find INTEGER,
        PRIMARY KEY (id)
    )
     WITHOUT ROWID
    """,
    "CREATE INDEX place_parent ON place (parent, deleted)",
    "CREATE INDEX place_waits ON place (waits) WHERE waits = 1",
    """
    CREATE TABLE remark (
        id TEXT NOT NULL,
        site TEXT NOT NULL,
        about TEXT,
        text TEXT,
        deleted INTEGER,
        heads TEXT NOT NULL,
        seen TEXT NOT NULL,
        also TEXT,
        waits INTEGER,
        find INTEGER,
        PRIMARY KEY (id)
    )
     WITHOUT ROWID
    """,
    "CREATE INDEX remark_about ON remark (about, deleted)",
    "CREATE INDEX remark_waits ON remark (waits) WHERE waits = 1",
    """
    CREATE TABLE site (
        id TEXT NOT NULL,
        site TEXT NOT NULL,
        name TEXT,
        zone TEXT,
        network TEXT,
        deleted INTEGER,
        heads TEXT NOT NULL,
        seen TEXT NOT NULL,
        also TEXT,
        waits INTEGER,
        find INTEGER,
        PRIMARY KEY (id)
    )
     WITHOUT ROWID
    """,
    "CREATE INDEX site_waits ON site (waits) WHERE waits = 1",
    """
    CREATE TABLE site_key (
        site TEXT NOT NULL,
        wrapped BLOB NOT NULL,
        PRIMARY KEY (site)
    )
    """,
    """
    CREATE TABLE tag (
        id TEXT NOT NULL,
        site TEXT NOT NULL,
        name TEXT,
        colour TEXT,
        deleted INTEGER,
        heads TEXT NOT NULL,
        seen TEXT NOT NULL,
        also TEXT,
        waits INTEGER,
        find INTEGER,
        PRIMARY KEY (id)
    )
     WITHOUT ROWID
    """,
    "CREATE INDEX tag_name ON tag (name, deleted)",
    "CREATE INDEX tag_waits ON tag (waits) WHERE waits = 1",
    """
    CREATE VIRTUAL TABLE find USING fts5(record UNINDEXED, kind UNINDEXED, site UNINDEXED, words,
    tokenize='unicode61')
    """,
)


def upgrade() -> None:
    """Create everything."""
    for statement in STATEMENTS:
        op.execute(statement)
