"""Rehearsals have books of their own, and an attempt keeps the account and the agent that it was sent with.

What rehearsals put onto the suppression list before stays there: an operator may have wanted it since.
"""

from dialer.adapters.ledger.migrations.frozen import run

revision = "0007"
down_revision = "0004"

SCHEMA = """
ALTER TABLE attempts ADD COLUMN account TEXT DEFAULT '' NOT NULL;
ALTER TABLE attempts ADD COLUMN agent TEXT DEFAULT '' NOT NULL;
ALTER TABLE attempts ADD COLUMN rehearsal INTEGER DEFAULT '0' NOT NULL;
ALTER TABLE sends ADD COLUMN account TEXT DEFAULT '' NOT NULL;
UPDATE attempts SET account = (SELECT account FROM campaigns WHERE campaigns.id = attempts.campaign_id);
UPDATE attempts SET rehearsal = 1 WHERE account = 'simulator';
UPDATE sends SET account = (SELECT account FROM attempts WHERE attempts.id = sends.attempt_id);
UPDATE campaigns SET name = 'rehearsal:' || name WHERE account = 'simulator';
DROP INDEX attempts_one_live_per_phone;
CREATE UNIQUE INDEX attempts_one_live_per_phone ON attempts (phone, rehearsal)
    WHERE state IN ('dialing', 'placed', 'unknown');
CREATE INDEX attempts_unconfirmed ON attempts (account, ended_at) WHERE state = 'unconfirmed'
"""


def upgrade() -> None:
    run(SCHEMA)
