"""SQL of a migration as it was written, for both engines.

A migration is history: it names its tables, columns and words itself and never reads ``tables.py``, which goes on.
"""

from string import Template

import sqlalchemy as sa
from alembic import op

TYPES = {
    "sqlite": {"id": "INTEGER NOT NULL PRIMARY KEY", "ref": "INTEGER", "real": "DOUBLE", "bytes": "BLOB"},
    "postgresql": {
        "id": "BIGSERIAL NOT NULL PRIMARY KEY", "ref": "BIGINT", "real": "DOUBLE PRECISION", "bytes": "BYTEA",
    },
}  # fmt: skip


def run(statements: str) -> None:
    """Run statements, each ended by ``;`` and a line break; ``$id`` and such are the types of ``TYPES``."""
    connection = op.get_bind()
    for statement in Template(statements).substitute(TYPES[connection.dialect.name]).split(";\n"):
        if statement.strip():
            connection.exec_driver_sql(statement)


def add_missing_columns(table: str, columns: dict[str, str]) -> None:
    """Add to ``table`` those of ``columns`` (name -> type and constraints, types as in ``run``) that it lacks."""
    known = {column["name"] for column in sa.inspect(op.get_bind()).get_columns(table)}
    for name, definition in columns.items():
        if name not in known:
            run(f"ALTER TABLE {table} ADD COLUMN {name} {definition};\n")
