"""The audit: who did what. Nothing deletes attempts and sends any more."""

from alembic import op

from dialer.adapters.ledger.migrations.frozen import run

revision = "0011"
down_revision = "0010"

SCHEMA = """
CREATE TABLE acts (
    id $id,
    at $real NOT NULL,
    who TEXT NOT NULL,
    act TEXT NOT NULL,
    campaign TEXT DEFAULT '' NOT NULL,
    subject TEXT DEFAULT '' NOT NULL,
    before TEXT DEFAULT '' NOT NULL,
    after TEXT DEFAULT '' NOT NULL,
    why TEXT DEFAULT '' NOT NULL,
    chain TEXT NOT NULL
);
CREATE INDEX acts_campaign ON acts (campaign, id)
"""
KEPT = {"acts": ("UPDATE", "DELETE"), "attempts": ("DELETE",), "sends": ("DELETE",)}
"""Table -> what no statement may do to its rows."""
WORDS = {"acts": "acts are append-only", "attempts": "attempts are kept", "sends": "sends are kept"}
SQLITE = "CREATE TRIGGER {table}_kept_{verb} BEFORE {verb} ON {table} BEGIN SELECT RAISE(ABORT, '{words}'); END"
POSTGRESQL = (
    "CREATE FUNCTION refuse_{table}_change() RETURNS trigger LANGUAGE plpgsql AS"
    " $body$ BEGIN RAISE EXCEPTION '{words}'; END $body$",
    "CREATE TRIGGER {table}_kept BEFORE {verbs} ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_{table}_change()",
    "CREATE TRIGGER {table}_kept_whole BEFORE TRUNCATE ON {table} EXECUTE FUNCTION refuse_{table}_change()",
)
EVENTS_WHOLE = (
    "CREATE TRIGGER events_append_only_whole BEFORE TRUNCATE ON events EXECUTE FUNCTION refuse_event_change()"
)


def upgrade() -> None:
    run(SCHEMA)
    connection = op.get_bind()
    for table, verbs in KEPT.items():
        if connection.dialect.name == "sqlite":
            for verb in verbs:
                connection.exec_driver_sql(SQLITE.format(table=table, verb=verb, words=WORDS[table]))
            continue
        for statement in POSTGRESQL:
            connection.exec_driver_sql(statement.format(table=table, verbs=" OR ".join(verbs), words=WORDS[table]))
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql(EVENTS_WHOLE)
