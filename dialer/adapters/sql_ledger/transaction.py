"""One open transaction on either engine, with one way to write SQL for both.

SQL is written once, in the words both engines share: ``:name`` for a value, ``IN :names*`` for a list,
and ``/*postgresql ... */`` around what only PostgreSQL needs.
"""

import json
import re
import sqlite3
from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any, Protocol

import psycopg

Row = tuple[Any, ...]
Values = Mapping[str, Any]
NO_VALUES: Values = MappingProxyType({})


class Transaction(Protocol):
    """What the verbs are written against."""

    def all(self, sql: str, values: Values = NO_VALUES) -> list[Row]:
        """Run and answer every row."""
        ...

    def won(self, sql: str, values: Sequence[Values]) -> list[bool]:
        """Run once per item; whether each changed a row."""
        ...

    def all_won(self, sql: str, values: Sequence[Values]) -> bool:
        """Run once per item; whether each of them changed a row."""
        ...

    def run(self, sql: str, values: Values = NO_VALUES) -> int:
        """Run; how many rows changed."""
        ...

    def many(self, sql: str, values: Sequence[Values]) -> None:
        """Run once per item."""
        ...


LIST_VALUE = re.compile(r"IN :(\w+)\*")
VALUE = re.compile(r"(?<!:):(\w+)")
ONLY_POSTGRESQL = re.compile(r"/\*postgresql (.*?)\*/", re.DOTALL)


@cache
def for_sqlite(sql: str) -> str:
    """The text as SQLite takes it."""
    return LIST_VALUE.sub(r"IN (SELECT value FROM json_each(:\1))", sql)


@cache
def for_postgresql(sql: str) -> str:
    """The text as psycopg takes it."""
    sql = ONLY_POSTGRESQL.sub(r"\1", sql.replace("%", "%%"))
    return VALUE.sub(r"%(\1)s", LIST_VALUE.sub(r"= ANY(:\1)", sql))


def _sqlite_values(values: Values) -> Values:
    return {name: json.dumps(value) if isinstance(value, list) else value for name, value in values.items()}


class SqliteTransaction:
    """A transaction on the writer's or a reader's connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def all(self, sql: str, values: Values = NO_VALUES) -> list[Row]:
        return self._connection.execute(for_sqlite(sql), _sqlite_values(values)).fetchall()

    def won(self, sql: str, values: Sequence[Values]) -> list[bool]:
        text = for_sqlite(sql)
        execute = self._connection.execute
        return [execute(text, item).rowcount == 1 for item in values]

    def all_won(self, sql: str, values: Sequence[Values]) -> bool:
        return not values or self._connection.executemany(for_sqlite(sql), values).rowcount == len(values)

    def run(self, sql: str, values: Values = NO_VALUES) -> int:
        return self._connection.execute(for_sqlite(sql), _sqlite_values(values)).rowcount

    def many(self, sql: str, values: Sequence[Values]) -> None:
        self._connection.executemany(for_sqlite(sql), values)


class PostgresqlTransaction:
    """A transaction on a psycopg connection: what ``many`` writes is under way until the next answer is waited for.

    So an error of it comes up there, or at the COMMIT.
    """

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def all(self, sql: str, values: Values = NO_VALUES) -> list[Row]:
        return self._connection.execute(for_postgresql(sql), values).fetchall()

    def won(self, sql: str, values: Sequence[Values]) -> list[bool]:
        if not values:
            return []
        with self._connection.cursor() as cursor:
            cursor.executemany(for_postgresql(sql), values, returning=True)
            changed = [cursor.rowcount == 1]
            while cursor.nextset():
                changed.append(cursor.rowcount == 1)
            return changed

    def all_won(self, sql: str, values: Sequence[Values]) -> bool:
        return all(self.won(sql, values))

    def run(self, sql: str, values: Values = NO_VALUES) -> int:
        with self._connection.cursor() as cursor:
            # In a pipeline, ``execute`` would not wait for the count.
            cursor.executemany(for_postgresql(sql), [values], returning=True)
            return cursor.rowcount

    def many(self, sql: str, values: Sequence[Values]) -> None:
        if values:
            with self._connection.cursor() as cursor:
                cursor.executemany(for_postgresql(sql), values)
