"""Which list a contact is from, and how often a source failed."""

from dialer.adapters.ledger.migrations.frozen import run

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    run(
        "ALTER TABLE contacts ADD COLUMN list TEXT DEFAULT '' NOT NULL;\n"
        "ALTER TABLE readings ADD COLUMN failures INTEGER DEFAULT 0 NOT NULL;\n"
        "CREATE INDEX contacts_person ON contacts (campaign_id, person_key) WHERE person_key <> '';\n"
    )
