"""What more is waited for of a call that is over, and whether its person was called back."""

from dialer.adapters.ledger.migrations.frozen import add_missing_columns, run

revision = "0009"
down_revision = "0008"

OF_LOG_ROWS = {"owed_until": "$real", "called_back": "INTEGER DEFAULT '0' NOT NULL"}

SCHEMA = """
CREATE INDEX IF NOT EXISTS log_rows_owed ON log_rows (account, owed_until) WHERE owed_until IS NOT NULL;
"""


def upgrade() -> None:
    add_missing_columns("log_rows", OF_LOG_ROWS)
    run(SCHEMA)
