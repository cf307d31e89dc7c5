"""What the console keeps: who may enter, answers that are given again, lists that are being looked at."""

from dialer.adapters.ledger.migrations.frozen import run

revision = "0015"
down_revision = "0014"

SCHEMA = """
CREATE TABLE tokens (
    id $id,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    secret TEXT NOT NULL UNIQUE,
    shown TEXT NOT NULL,
    once INTEGER DEFAULT 0 NOT NULL,
    made_by TEXT NOT NULL,
    made_at $real NOT NULL,
    ends_at $real,
    used_at $real,
    revoked_at $real
);
CREATE TABLE sessions (
    secret TEXT NOT NULL PRIMARY KEY,
    token_id $ref NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    began_at $real NOT NULL,
    used_at $real NOT NULL,
    ends_at $real NOT NULL
);
CREATE INDEX sessions_token ON sessions (token_id);
CREATE INDEX sessions_ends ON sessions (ends_at);
CREATE TABLE replies (
    key TEXT NOT NULL PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    began_at $real NOT NULL,
    status INTEGER,
    headers TEXT DEFAULT '' NOT NULL,
    body TEXT DEFAULT '' NOT NULL
);
CREATE INDEX replies_began ON replies (began_at);
CREATE TABLE uploads (
    id $id,
    name TEXT NOT NULL,
    size $ref NOT NULL,
    fingerprint TEXT NOT NULL,
    settings TEXT DEFAULT '{}' NOT NULL,
    campaign TEXT DEFAULT '' NOT NULL,
    made_by TEXT NOT NULL,
    made_at $real NOT NULL,
    report TEXT DEFAULT '' NOT NULL
);
CREATE INDEX uploads_made ON uploads (made_at);
CREATE TABLE upload_parts (
    upload_id $ref NOT NULL,
    part INTEGER NOT NULL,
    content $bytes NOT NULL,
    PRIMARY KEY (upload_id, part)
);
CREATE INDEX attempts_dialed ON attempts (campaign_id, dialed_at) WHERE dialed_at > 0;
CREATE INDEX contacts_disposition ON contacts (campaign_id, disposition, id) WHERE disposition <> '';
"""


def upgrade() -> None:
    run(SCHEMA)
