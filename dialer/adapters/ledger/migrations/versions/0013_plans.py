"""Every statement finds its rows: pages by id, queues in their order, sends by attempt and by account.

What the calls of a campaign cost is summed as it is learned.
"""

from alembic import op

from dialer.adapters.ledger.migrations.frozen import run

revision = "0013"
down_revision = "0012"

SCHEMA = """
CREATE INDEX campaigns_status ON campaigns (status, id);
DROP INDEX contacts_due;
CREATE INDEX contacts_due ON contacts (campaign_id, due_at, id) WHERE due_at IS NOT NULL;
DROP INDEX contacts_status;
CREATE INDEX contacts_status ON contacts (campaign_id, status, id);
CREATE INDEX contacts_campaign ON contacts (campaign_id, id);
DROP INDEX attempts_planned;
CREATE INDEX attempts_planned ON attempts (campaign_id, due_at, id) WHERE state = 'planned';
CREATE INDEX attempts_campaign ON attempts (campaign_id, id);
CREATE INDEX sends_attempt ON sends (attempt_id);
CREATE INDEX sends_account ON sends (account, id);
DROP INDEX sends_denied;
CREATE INDEX sends_denied ON sends (account, started_at) WHERE class IN ('not_placed', 'refused');
CREATE INDEX suppressions_campaign ON suppressions (campaign_id) WHERE campaign_id > 0;
CREATE INDEX log_rows_unmapped ON log_rows (attempt_id) WHERE unmapped = 1;
CREATE TABLE campaign_costs (
    campaign_id $ref NOT NULL PRIMARY KEY,
    cost $real NOT NULL,
    known INTEGER NOT NULL
);
INSERT INTO campaign_costs (campaign_id, cost, known)
SELECT campaign_id, sum(cost), count(cost) FROM attempts WHERE cost IS NOT NULL GROUP BY campaign_id
"""
ADD = """
INSERT INTO campaign_costs (campaign_id, cost, known)
VALUES (NEW.campaign_id, coalesce(NEW.cost, 0) - coalesce(OLD.cost, 0),
    CASE WHEN NEW.cost IS NULL THEN 0 ELSE 1 END - CASE WHEN OLD.cost IS NULL THEN 0 ELSE 1 END)
ON CONFLICT (campaign_id) DO UPDATE SET cost = campaign_costs.cost + excluded.cost,
    known = campaign_costs.known + excluded.known;
"""
SQLITE = f"""
CREATE TRIGGER attempts_cost AFTER UPDATE OF cost ON attempts WHEN NEW.cost IS NOT OLD.cost BEGIN {ADD} END
"""
POSTGRESQL = (
    f"CREATE FUNCTION add_attempt_cost() RETURNS trigger LANGUAGE plpgsql AS"
    f" $body$ BEGIN {ADD} RETURN NULL; END $body$",
    "CREATE TRIGGER attempts_cost AFTER UPDATE OF cost ON attempts FOR EACH ROW"
    " WHEN (NEW.cost IS DISTINCT FROM OLD.cost) EXECUTE FUNCTION add_attempt_cost()",
    # Facts are looked for by the beginning of their names, which only this order puts together.
    'ALTER TABLE ledger_facts ALTER COLUMN name TYPE TEXT COLLATE "C"',
)


def upgrade() -> None:
    run(SCHEMA)
    connection = op.get_bind()
    for statement in (SQLITE,) if connection.dialect.name == "sqlite" else POSTGRESQL:
        connection.exec_driver_sql(statement)
