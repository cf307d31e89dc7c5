"""The first schema."""

import sqlalchemy as sa
from alembic import op

from dialer.adapters.sql_ledger.tables import metadata

revision = "0001"
down_revision = None

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
    connection = op.get_bind()
    metadata.create_all(connection)
    if connection.dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            connection.execute(sa.text(APPEND_ONLY_SQLITE.format(verb=verb)))
    else:
        connection.execute(sa.text(APPEND_ONLY_POSTGRESQL))
