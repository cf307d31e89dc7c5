"""When the provider's log was read, for the story of an attempt.

The first version makes the tables as ``tables.py`` has them now, so a fresh ledger needs nothing here.
"""

from alembic import op

from dialer.adapters.sql_ledger.tables import scans

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    scans.create(op.get_bind(), checkfirst=True)
