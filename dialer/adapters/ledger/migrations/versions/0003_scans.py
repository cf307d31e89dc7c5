"""What the calling rules, the caps of a person, sources and reminders need, and when the log was read.

Ledgers of 0002 have more or less of it already, so only what is missing is added.
"""

from dialer.adapters.ledger.migrations.frozen import add_missing_columns, run

revision = "0003"
down_revision = "0002"

OF_CONTACTS = {
    "places": "TEXT DEFAULT '' NOT NULL",
    "event_at": "$real",
    "planned_for": "$real",
    "reading": "INTEGER DEFAULT '0' NOT NULL",
    "gone": "INTEGER DEFAULT '0' NOT NULL",
}
OF_ATTEMPTS = {"person": "TEXT DEFAULT '' NOT NULL"}

SCHEMA = """
CREATE TABLE IF NOT EXISTS readings (
    campaign_id $ref NOT NULL PRIMARY KEY REFERENCES campaigns (id),
    reading INTEGER NOT NULL,
    holder TEXT DEFAULT '' NOT NULL,
    lease_until $real,
    read_at $real,
    next_at $real,
    error TEXT DEFAULT '' NOT NULL,
    failed_at $real
);
CREATE TABLE IF NOT EXISTS scans (
    id $id,
    account TEXT NOT NULL,
    started_at $real NOT NULL,
    ended_at $real NOT NULL,
    since $real NOT NULL,
    pages INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    whole INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS scans_started ON scans (account, started_at);
CREATE INDEX IF NOT EXISTS contacts_event ON contacts (campaign_id, event_at)
    WHERE event_at IS NOT NULL AND status IN ('pending', 'active');
CREATE INDEX IF NOT EXISTS attempts_person ON attempts (person, dialed_at);
CREATE INDEX IF NOT EXISTS sends_denied ON sends (started_at) WHERE class IN ('not_placed', 'refused');
UPDATE attempts SET person = (SELECT CASE WHEN contacts.person_key = '' THEN contacts.phone
    ELSE contacts.person_key END FROM contacts WHERE contacts.id = attempts.contact_id) WHERE person = '';
UPDATE contacts SET places = region WHERE places = '';
"""


def upgrade() -> None:
    add_missing_columns("contacts", OF_CONTACTS)
    add_missing_columns("attempts", OF_ATTEMPTS)
    run(SCHEMA)
