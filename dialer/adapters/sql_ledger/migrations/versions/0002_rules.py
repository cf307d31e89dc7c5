"""What the calling rules, the caps of a person, sources and reminders need: columns, tables and indexes.

The first version makes the tables as ``tables.py`` has them now, so a fresh ledger needs nothing here.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.schema import CreateColumn

from dialer.adapters.sql_ledger.tables import metadata

revision = "0002"
down_revision = "0001"

PERSON_OF_OLD_ATTEMPTS = """
UPDATE attempts SET person = (SELECT CASE WHEN contacts.person_key = '' THEN contacts.phone
    ELSE contacts.person_key END FROM contacts WHERE contacts.id = attempts.contact_id) WHERE person = ''
"""
PLACES_OF_OLD_CONTACTS = "UPDATE contacts SET places = region WHERE places = ''"


def upgrade() -> None:
    connection = op.get_bind()
    found = sa.inspect(connection)
    for table in metadata.sorted_tables:
        if not found.has_table(table.name):
            table.create(connection)
            continue
        known = {column["name"] for column in found.get_columns(table.name)}
        for column in table.columns:
            if column.name not in known:
                definition = CreateColumn(column).compile(dialect=connection.dialect)
                connection.execute(sa.text(f"ALTER TABLE {table.name} ADD COLUMN {definition}"))
        indexed = {index["name"] for index in found.get_indexes(table.name)}
        for index in table.indexes:
            if index.name not in indexed:
                index.create(connection)
    connection.execute(sa.text(PERSON_OF_OLD_ATTEMPTS))
    connection.execute(sa.text(PLACES_OF_OLD_CONTACTS))
