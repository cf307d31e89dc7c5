"""Run by Alembic; the connection is handed in by ``migrate.py``."""

from alembic import context

from dialer.adapters.ledger.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
