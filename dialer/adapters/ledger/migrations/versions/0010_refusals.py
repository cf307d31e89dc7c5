"""What a refusal was about, and logins that are renewed while calls are placed."""

from dialer.adapters.ledger.migrations.frozen import add_missing_columns, run

revision = "0010"
down_revision = "0009"

OF_SENDS = {"about": "TEXT DEFAULT '' NOT NULL"}

SCHEMA = """
CREATE TABLE IF NOT EXISTS logins (
    name TEXT NOT NULL PRIMARY KEY,
    tokens TEXT DEFAULT '' NOT NULL,
    renewals INTEGER DEFAULT '0' NOT NULL,
    holder TEXT DEFAULT '' NOT NULL,
    lease_until $real
);
"""


def upgrade() -> None:
    add_missing_columns("sends", OF_SENDS)
    run(SCHEMA)
