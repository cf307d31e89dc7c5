"""Webhooks of providers: what came, so that nothing counts twice, and a person's story can show it."""

from dialer.adapters.ledger.migrations.frozen import run

revision = "0016"
down_revision = "0015"

SCHEMA = """
CREATE TABLE webhooks (
    id $id,
    digest TEXT NOT NULL UNIQUE,
    account TEXT NOT NULL,
    call_id TEXT NOT NULL,
    event TEXT NOT NULL,
    signed_by TEXT NOT NULL,
    received_at $real NOT NULL
);
CREATE INDEX webhooks_account ON webhooks (account, id);
CREATE INDEX webhooks_call ON webhooks (call_id);
CREATE INDEX webhooks_received ON webhooks (received_at);
"""


def upgrade() -> None:
    run(SCHEMA)
