"""The first schema."""

from alembic import op

from dialer.adapters.ledger.migrations.frozen import run

revision = "0001"
down_revision = None

SCHEMA = """
CREATE TABLE campaigns (
    id $id,
    name TEXT NOT NULL,
    account TEXT NOT NULL,
    spec TEXT NOT NULL,
    status TEXT NOT NULL,
    halt_reason TEXT DEFAULT '' NOT NULL,
    created_at $real NOT NULL,
    started_at $real,
    finished_at $real,
    CONSTRAINT known_status CHECK (status IN (
        'draft', 'scheduled', 'running', 'paused', 'finished', 'cancelled', 'halted')),
    UNIQUE (name)
);
CREATE TABLE events (
    id $id,
    attempt_id $ref NOT NULL,
    at $real NOT NULL,
    actor TEXT NOT NULL,
    "before" TEXT NOT NULL,
    "after" TEXT NOT NULL,
    reason TEXT DEFAULT '' NOT NULL
);
CREATE INDEX events_attempt ON events (attempt_id);
CREATE TABLE imports (
    campaign_id $ref NOT NULL,
    fingerprint TEXT NOT NULL,
    source TEXT NOT NULL,
    total INTEGER NOT NULL,
    queued INTEGER NOT NULL,
    duplicate INTEGER NOT NULL,
    suppressed INTEGER NOT NULL,
    invalid INTEGER NOT NULL,
    "deferred" INTEGER NOT NULL,
    rejects TEXT DEFAULT '' NOT NULL,
    imported_at $real NOT NULL,
    PRIMARY KEY (campaign_id, fingerprint)
);
CREATE TABLE ledger_facts (
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (name)
);
CREATE TABLE log_rows (
    account TEXT NOT NULL,
    call_id TEXT NOT NULL,
    attempt_id $ref,
    evidence TEXT DEFAULT '' NOT NULL,
    outbound INTEGER DEFAULT '1' NOT NULL,
    started_at $real,
    ended_at $real,
    duration_s $real,
    raw_status TEXT DEFAULT '' NOT NULL,
    disposition TEXT DEFAULT '' NOT NULL,
    unmapped INTEGER DEFAULT '0' NOT NULL,
    cost $real,
    summary TEXT DEFAULT '' NOT NULL,
    recording_url TEXT DEFAULT '' NOT NULL,
    first_seen_at $real NOT NULL,
    PRIMARY KEY (account, call_id)
);
CREATE INDEX log_rows_attempt ON log_rows (attempt_id);
CREATE TABLE suppressions (
    id $id,
    phone TEXT NOT NULL,
    campaign_id $ref DEFAULT '0' NOT NULL,
    reason TEXT NOT NULL,
    source TEXT DEFAULT '' NOT NULL,
    added_at $real NOT NULL,
    UNIQUE (phone, campaign_id)
);
CREATE TABLE contacts (
    id $id,
    campaign_id $ref NOT NULL,
    phone TEXT NOT NULL,
    name TEXT NOT NULL,
    person_key TEXT DEFAULT '' NOT NULL,
    region TEXT DEFAULT '' NOT NULL,
    zones TEXT DEFAULT '' NOT NULL,
    variables TEXT DEFAULT '{}' NOT NULL,
    list_row INTEGER NOT NULL,
    status TEXT NOT NULL,
    disposition TEXT DEFAULT '' NOT NULL,
    attempts INTEGER DEFAULT '0' NOT NULL,
    due_at $real,
    waits_for TEXT DEFAULT '' NOT NULL,
    last_attempt_at $real,
    duration_s $real,
    call_id TEXT,
    UNIQUE (phone, campaign_id),
    CONSTRAINT known_status CHECK (status IN (
        'pending', 'active', 'reached', 'exhausted', 'suppressed', 'invalid', 'expired', 'cancelled')),
    FOREIGN KEY(campaign_id) REFERENCES campaigns (id)
);
CREATE INDEX contacts_due ON contacts (campaign_id, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX contacts_status ON contacts (campaign_id, status);
CREATE TABLE attempts (
    id $id,
    campaign_id $ref NOT NULL,
    contact_id $ref NOT NULL,
    number_of INTEGER NOT NULL,
    phone TEXT NOT NULL,
    state TEXT NOT NULL,
    disposition TEXT DEFAULT '' NOT NULL,
    dispatch INTEGER DEFAULT '0' NOT NULL,
    due_at $real NOT NULL,
    lease_until $real,
    token TEXT,
    worker TEXT DEFAULT '' NOT NULL,
    answer_due_at $real,
    dialed_at $real,
    ended_at $real,
    duration_s $real,
    call_id TEXT,
    cost $real,
    reason TEXT DEFAULT '' NOT NULL,
    UNIQUE (contact_id, number_of),
    CONSTRAINT known_state CHECK (state IN (
        'planned', 'queued', 'dialing', 'placed', 'unknown', 'ended', 'refused', 'unconfirmed', 'cancelled', 'review')),
    FOREIGN KEY(campaign_id) REFERENCES campaigns (id),
    FOREIGN KEY(contact_id) REFERENCES contacts (id)
);
CREATE INDEX attempts_dialing ON attempts (campaign_id, dialed_at) WHERE state = 'dialing';
CREATE UNIQUE INDEX attempts_one_live_per_phone ON attempts (phone) WHERE state IN ('dialing', 'placed', 'unknown');
CREATE INDEX attempts_phone ON attempts (phone);
CREATE INDEX attempts_planned ON attempts (campaign_id, due_at) WHERE state = 'planned';
CREATE INDEX attempts_queued ON attempts (campaign_id, lease_until) WHERE state = 'queued';
CREATE INDEX attempts_state ON attempts (campaign_id, state, disposition);
CREATE TABLE sends (
    id $id,
    attempt_id $ref NOT NULL,
    token TEXT NOT NULL,
    class TEXT NOT NULL,
    started_at $real NOT NULL,
    answered_at $real,
    http_status INTEGER,
    requests INTEGER DEFAULT '0' NOT NULL,
    reason TEXT DEFAULT '' NOT NULL,
    FOREIGN KEY(attempt_id) REFERENCES attempts (id),
    UNIQUE (token)
);
CREATE UNIQUE INDEX sends_one_live_per_attempt ON sends (attempt_id) WHERE class IN (
        'inflight', 'placed', 'unknown');
"""

APPEND_ONLY_SQLITE = """
CREATE TRIGGER events_append_only_{verb} BEFORE {verb} ON events
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END
"""
APPEND_ONLY_POSTGRESQL = """
CREATE FUNCTION refuse_event_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'events are append-only'; END $$;
CREATE TRIGGER events_append_only BEFORE UPDATE OR DELETE ON events
FOR EACH ROW EXECUTE FUNCTION refuse_event_change();
"""


def upgrade() -> None:
    run(SCHEMA)
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            connection.exec_driver_sql(APPEND_ONLY_SQLITE.format(verb=verb))
    else:
        connection.exec_driver_sql(APPEND_ONLY_POSTGRESQL)
