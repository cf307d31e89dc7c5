"""Attempts that hold a line are walked through by id, an account at a time."""

from dialer.adapters.ledger.migrations.frozen import run

revision = "0014"
down_revision = "0013"

SCHEMA = """
CREATE INDEX IF NOT EXISTS attempts_live ON attempts (account, id) WHERE state IN ('dialing', 'placed', 'unknown');
"""


def upgrade() -> None:
    run(SCHEMA)
