"""Reading call logs whose shape the vendors only half document.

Tolerant where tolerance cannot lie (a missing field is missing), strict where it could: an unreadable log
must never look like an empty one, because absence from the log is evidence.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

from dialer.adapters.provider_pages import pages_of
from dialer.adapters.provider_values import Row, mapping, pick, text, word
from dialer.domain.call import CallLog, LogPage

TOKEN_KEY = "dialer_attempt_token"  # noqa: S105 - the name of a field, not a secret
"""Under this name our attempt token travels to the provider, and perhaps back in its log."""

_VOICEMAIL = {"voicemail", "voice mail", "voicemail detected", "answering machine", "answering machine detected"}
_CALL_BACK = ("callback_at", "callback_time")
_YES = {"true", "yes", "1", "detected"}


def token(row: Row) -> str:
    """Our attempt token, if the provider echoes what we gave it."""
    for name in ("call_metadata", "metadata", "dynamic_variables"):
        found = text(mapping(row.get(name)).get(TOKEN_KEY))
        if found:
            return found
    return ""


def entities(*objects: object) -> dict[str, str]:
    """The fields of extracted objects, one level of nesting flattened; what holds no plain value is left out."""
    found: dict[str, str] = {}
    for one in objects:
        for name, value in mapping(one).items():
            nested = value.items() if isinstance(value, dict) else [(name, value)]
            found |= {str(inner): told for inner, said in nested if (told := _plain(said))}
    return found


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else text(value)


def call_back_at(row: Row, found: Mapping[str, str]) -> float | None:
    """When the person asked to be called back; a time without a zone is no time: nobody's clock is guessed."""
    told = text(pick(row, *_CALL_BACK)) or next((found[name] for name in _CALL_BACK if found.get(name)), "")
    try:
        moment = datetime.fromisoformat(told)
    except ValueError:
        return None
    return moment.timestamp() if moment.tzinfo else None


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


async def read_pages(
    ask: Callable[[int], Awaitable[Any]], size: int, parse: Callable[[Row], CallLog]
) -> AsyncIterator[LogPage]:
    """Every page of a call log, through ``ask(page)``.

    ``parse`` raises ValueError for a row that cannot be read; such rows are counted. Raises OutcomeUnknown when
    a page holds no list, or when the log repeats one page for ever.
    """
    async for page in pages_of(ask, size, parse, lambda row: row.call_id, "call log", wary=True):
        yield LogPage(page.items, page.unreadable, page.total)
