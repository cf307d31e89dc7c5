"""Reading call logs whose shape the vendors only half document: envelopes, pages, fields.

Tolerant where tolerance cannot lie (a missing field is missing), strict where it could: an unreadable log
must never look like an empty one, because absence from the log is evidence.
"""

import json
import math
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from dialer.domain.call import CallLog, LogPage
from dialer.errors import OutcomeUnknown

TOKEN_KEY = "dialer_attempt_token"  # noqa: S105 - the name of a field, not a secret
"""Under this name our attempt token travels to the provider, and perhaps back in its log."""

Row = Mapping[str, Any]

_ROWS = ("data", "call_logs", "items", "logs", "calls", "results", "rows")
_VOICEMAIL = {"voicemail", "voice mail", "voicemail detected", "answering machine", "answering machine detected"}
_YES = {"true", "yes", "1", "detected"}
_EPOCH_MS_FROM = 1e11


def pick(row: Row, *names: str) -> Any:
    """The first of these fields that is there and not null or blank."""
    for name in names:
        value = row.get(name)
        if value is not None and value != "":
            return value
    return None


def text(value: object) -> str:
    """A string or a number as text; anything else as nothing."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value).strip()


def number(value: object) -> float | None:
    """A number, also when it came as a string."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def when(value: object) -> float | None:
    """Unix seconds of an ISO 8601 time or an epoch number; a time without a zone is UTC."""
    plain = number(value)
    if plain is not None:
        return plain / 1000 if plain > _EPOCH_MS_FROM else plain
    try:
        moment = datetime.fromisoformat(text(value))
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def phone(value: object) -> str:
    """A number as ``+`` and digits; empty when there are none ("N/A")."""
    digits = re.sub(r"\D", "", text(value))
    return "+" + digits.removeprefix("00") if digits else ""


def word(value: object) -> str:
    """A status word in one spelling: lower case, single spaces."""
    return re.sub(r"[\W_]+", " ", text(value).lower()).strip()


def mapping(value: object) -> Row:
    """An object, also when it came as JSON in a string; else an empty one."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}


def token(row: Row) -> str:
    """Our attempt token, if the provider echoes what we gave it."""
    for name in ("call_metadata", "metadata", "dynamic_variables"):
        found = text(mapping(row.get(name)).get(TOKEN_KEY))
        if found:
            return found
    return ""


def speaks_of_voicemail(*values: object) -> bool:
    """Whether a status, or a field of an extracted object, says that a machine answered."""
    return any(map(_is_voicemail, values))


def _is_voicemail(value: object) -> bool:
    if isinstance(value, dict):
        return any(
            _is_voicemail(inner) or ("voicemail" in word(key) and str(inner).lower() in _YES)
            for key, inner in value.items()
        )
    return word(value) in _VOICEMAIL


@dataclass(frozen=True, slots=True)
class _Page:
    rows: list[Any]
    bare: bool = False
    has_next: bool | None = None
    total_pages: int | None = None
    total: int | None = None

    def is_last(self, page: int, size: int, seen: int) -> bool:
        if not self.rows:
            return True
        if self.has_next is not None:
            return not self.has_next
        if self.total_pages is not None:
            return page >= self.total_pages
        if self.total is not None:
            return seen >= self.total
        # A bare list longer than a page was never cut into pages.
        return len(self.rows) < size or (self.bare and len(self.rows) > size)


def _whole(value: object) -> int | None:
    found = number(value)
    return None if found is None else int(found)


def _page(body: object) -> _Page:
    if isinstance(body, list):
        return _Page(body, bare=True)
    if not isinstance(body, dict):
        raise OutcomeUnknown("the call log is neither a list nor an object")
    paging = {**body, **mapping(body.get("pagination"))}
    total = _whole(pick(paging, "total_count", "total"))
    rows = next((body[name] for name in _ROWS if isinstance(body.get(name), list)), None)
    if rows is None and isinstance(body.get("data"), dict):
        return _page({**body["data"], "pagination": body.get("pagination") or body["data"].get("pagination")})
    if rows is None:
        if total != 0:
            raise OutcomeUnknown("the call log holds no list of calls")
        rows = []
    more = paging.get("has_next")
    return _Page(
        rows,
        has_next=more if isinstance(more, bool) else None,
        total_pages=_whole(paging.get("total_pages")),
        total=total,
    )


async def read_pages(
    ask: Callable[[int], Awaitable[Any]], size: int, parse: Callable[[Row], CallLog]
) -> AsyncIterator[LogPage]:
    """Every page from 1 on, through ``ask(page)``, until the log says or shows that there are no more.

    ``parse`` raises ValueError for a row that cannot be read; such rows are counted. Raises OutcomeUnknown when
    a page holds no list, or when the log repeats one page for ever.
    """
    number_of, seen = 0, 0
    previous: list[str] | None = None
    while True:
        number_of += 1
        page = _page(await ask(number_of))
        found, unreadable = _parse_rows(page.rows, parse)
        ids = [row.call_id for row in found]
        if ids and ids == previous:
            if page.bare:
                return
            raise OutcomeUnknown(f"the call log answers page {number_of} with the page before it")
        previous = ids
        seen += len(page.rows)
        yield LogPage(tuple(found), unreadable, page.total)
        if page.is_last(number_of, size, seen):
            return


def _parse_rows(rows: list[Any], parse: Callable[[Row], CallLog]) -> tuple[list[CallLog], int]:
    found: list[CallLog] = []
    for row in rows:
        try:
            if isinstance(row, dict):
                found.append(parse(row))
        except ValueError:
            continue
    return found, len(rows) - len(found)
