"""Who of the fleet holds which loop."""

from dialer.adapters.ledger.migrations.frozen import run

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    run("CREATE TABLE leases (name TEXT NOT NULL PRIMARY KEY, holder TEXT NOT NULL, held_until $real NOT NULL);\n")
