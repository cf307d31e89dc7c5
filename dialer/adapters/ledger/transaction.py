"""What the verbs are written against on either engine, with one way to write SQL for both.

SQL is written once, in the words both engines share: ``:name`` for a value, ``IN :names*`` for a list,
and ``/*postgresql ... */`` around what only PostgreSQL needs.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any, Protocol

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
