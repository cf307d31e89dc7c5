"""What went wrong with a database, without the secrets of its address."""

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import quote, unquote

from sqlalchemy import URL, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

HIDDEN = "***"
SHORTEST = 4
"""A shorter value may be any part of any word: what holds it is not shown at all."""
_MARK = "7777777"
"""May stand for any part of an address, a port too."""
_PLACEHOLDER = re.compile(r"\$\{[^}]*\}")


@dataclass(frozen=True, slots=True)
class Secrets:
    """Of an address (SQLAlchemy's): the password, what its query says, and all that was filled into its template."""

    url: str
    template: str = ""
    filled: tuple[str, ...] = ()

    def hidden_in(self, broken: Exception) -> str:
        """What an error says, in one line, with every secret hidden."""
        if isinstance(broken, DBAPIError) and isinstance(broken.orig, Exception):
            broken = broken.orig
        try:
            secrets = sorted(self._all(), key=len, reverse=True)
        except (SQLAlchemyError, ValueError):
            return "its url does not read"
        said = " ".join(str(broken).split())
        if not said or any(len(one) < SHORTEST and one.casefold() in said.casefold() for one in secrets):
            return f"{type(broken).__name__}, with a text that would show what was filled into its url"
        for secret in secrets:
            said = re.sub(re.escape(secret), HIDDEN, said, flags=re.IGNORECASE)
        return said

    def _all(self) -> set[str]:
        parsed = make_url(self.url)
        parts = {self.url, *map(str, filter(None, (parsed.password, *_query(parsed))))}
        if self.filled:
            parts |= {*self.filled, *self._filled_parts(parsed)}
        return {form for part in parts for form in (part, quote(part, safe=""), unquote(part)) if form.strip()}

    def _filled_parts(self, parsed: URL) -> Iterable[str]:
        """The parts of the address that the template leaves to a value; all, where it is one value altogether."""
        parts = _parts(parsed)
        with suppress(SQLAlchemyError, ValueError):
            marked = _parts(make_url(_PLACEHOLDER.sub(_MARK, self.template)))
            return [part for part, mark in zip(parts, marked, strict=True) if _MARK in mark and part]
        return [part for part in parts if part]


def _parts(parsed: URL) -> list[str]:
    parts = (parsed.drivername, parsed.username, parsed.host, parsed.port, parsed.database)
    return ["" if part is None else str(part) for part in parts]


def _query(parsed: URL) -> Iterable[str]:
    return (value for value in parsed.query.values() if isinstance(value, str))
