"""Attempts in review are looked for by the log's reader."""

from dialer.adapters.ledger.migrations.frozen import run

revision = "0012"
down_revision = "0011"

SCHEMA = """
CREATE INDEX IF NOT EXISTS attempts_review ON attempts (account, dialed_at) WHERE state = 'review';
"""


def upgrade() -> None:
    run(SCHEMA)
