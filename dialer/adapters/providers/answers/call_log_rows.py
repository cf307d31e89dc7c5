"""Reading call logs whose shape the vendors only half document.

Tolerant where tolerance cannot lie (a missing field is missing), strict where it could: an unreadable log
must never look like an empty one, because absence from the log is evidence.
"""

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from datetime import datetime
from hashlib import sha256
from itertools import islice
from typing import Any

from dialer.adapters.providers.answers.fitting_pages import FittingPages
from dialer.adapters.providers.answers.pages import pages_of
from dialer.adapters.providers.answers.times import when
from dialer.adapters.providers.answers.values import Row, is_nothing, mapping, pick, storable, text, unpacked
from dialer.domain.call import CallLog, LogPage
from dialer.domain.suppression import says_yes

TOKEN_KEY = "dialer_attempt_token"  # noqa: S105 - the name of a field, not a secret
"""Under this name our attempt token travels to the provider, and perhaps back in its log."""

NUMBERS = (
    *("called_number", "to_number", "customer_number", "contact_number", "phone_number", "dialed_number"),
    *("destination_number", "destination", "callee", "phone", "to"),
)
"""Where a log may show whom was called."""
DEEPEST, MOST_FIELDS = 40, 500
_CALL_BACK = ("callback_at", "callback_time")
_ASKED = ("callback_requested", "call_back_requested")
_NAMES, _VALUES = ("name", "key", "field", "label", "id"), ("value", "answer", "result", "extracted_value")
_LASTING = re.compile(r"start|number|agent|phone|room", re.IGNORECASE)
_SAID_YES = re.compile(r'"?(\w+)"?\s*[:=]\s*"?(true|yes|1)\b', re.IGNORECASE)


def token(row: Row) -> str:
    """Our attempt token, if the provider echoes what we gave it."""
    for name in ("call_metadata", "metadata", "dynamic_variables", "variables"):
        value = text(mapping(row.get(name)).get(TOKEN_KEY))
        if value:
            return value
    return ""


def entities(*objects: object) -> dict[str, str]:
    """The fields of extracted objects at any depth, by name; of two values of one name, the one that says yes.

    Read alike: a value with what explains it beside it, a list of names and values, JSON in text or in a fence.
    """
    values: dict[str, str] = {}
    for one in objects:
        for named, said in islice(_fields("", one, 0), MOST_FIELDS):
            name = named
            while name in values and values[name] != said and not says_yes(said):
                name += " "  # of several dispositions each counts
            values[name] = said
    return {storable(name): said for name, said in values.items()}


def _fields(name: str, value: object, depth: int) -> Iterator[tuple[str, str]]:
    value = unpacked(value)
    if depth > DEEPEST:
        return
    if isinstance(value, dict):
        named, content = pick(value, *_NAMES), pick(value, *_VALUES)
        if content is not None:
            yield from _fields(text(named) or name, content, depth + 1)
        for inner, said in value.items():
            if content is None or inner not in {*_NAMES, *_VALUES}:
                yield from _fields(str(inner), said, depth + 1)
    elif isinstance(value, list | tuple):
        for said in value:
            yield from _fields(name, said, depth + 1)
    elif name and (said_plainly := _plain(value)):
        yield name, said_plainly
    elif not name and isinstance(value, str) and value.lstrip("` \njson").startswith(("{", "[")):
        yield from _SAID_YES.findall(value)  # broken JSON: at least what says yes


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else text(value)


def asks_to_be_called_back(row: Row, fields: Mapping[str, str]) -> bool:
    """Whether the person did; not where the provider calls back by itself, which it does under an id."""
    asked = [_plain(row.get(name)) for name in _ASKED] + [fields.get(name, "") for name in _ASKED]
    return any(map(says_yes, asked)) and not pick(row, "callback_id")


def call_back_at(row: Row, fields: Mapping[str, str]) -> float | None:
    """When the person asked to be called back; a time without a zone is no time: nobody's clock is guessed."""
    written = text(pick(row, *_CALL_BACK)) or next((fields[name] for name in _CALL_BACK if fields.get(name)), "")
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        return None
    return when(written) if moment.tzinfo else None


def row_id(row: Row, *names: str) -> str:
    """Which call a row is of; one that does not say is known again by its content, as far as that stays.

    Raises ValueError for a row that says nothing at all.
    """
    id_ = text(pick(row, *names))
    if id_:
        return id_
    lasting = {
        name: value
        for name, value in row.items()
        if value is not None and not is_nothing(value) and _LASTING.search(name)
    }
    if not lasting:
        raise ValueError("a row that does not say which call it is")
    return f"row:{fingerprint(lasting)}"


def fingerprint(row: object) -> str:
    """By what a row is known again that names no call."""
    return sha256(json.dumps(row, sort_keys=True, default=str).encode("utf-8", "replace")).hexdigest()[:24]


def nameless(row: object) -> CallLog:
    """A row that cannot be read, as something that may be anybody's call."""
    return CallLog(f"unreadable:{fingerprint(row)}", "", "", None, None, None, None, "", readable=False)


async def read_pages(
    ask: Callable[[int, int], Awaitable[Any]], fitting: FittingPages, parse: Callable[[Row], CallLog]
) -> AsyncIterator[LogPage]:
    """Every page of a call log, through ``ask(page, size)``.

    ``parse`` raises ValueError for a row that cannot be read; such rows are counted, and each is known again. Raises
    OutcomeUnknown when a page holds no list, or when the log repeats one page forever.
    """

    async def whole(page: int) -> Any:
        return await fitting.page(ask, page)

    async for page in pages_of(whole, fitting.size, parse, lambda row: row.call_id, "call log", wary=True):
        yield LogPage(page.items, page.unreadable, page.total, tuple(map(nameless, page.odd)))
