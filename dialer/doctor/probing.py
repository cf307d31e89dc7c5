"""What the documents leave open, asked of the provider itself: GETs alone, nothing is changed and nobody called."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from dialer.adapters.providers.answers.call_log_rows import TOKEN_KEY
from dialer.adapters.providers.answers.pages import ROWS
from dialer.adapters.providers.answers.values import mapping
from dialer.adapters.providers.vaani import adapter as vaani
from dialer.adapters.providers.vaani.answers import find_call_id
from dialer.adapters.providers.vaani.client import VaaniApi
from dialer.adapters.providers.vaani.models import CallLogEntry
from dialer.adapters.providers.vaanivoice import adapter as vaanivoice
from dialer.adapters.providers.vaanivoice.client import VaaniVoiceApi
from dialer.adapters.providers.vaanivoice.models import CallRecord
from dialer.domain.call import CallLog
from dialer.errors import ProviderError
from dialer.reaching import Reached

Answer = tuple[bool | None, str, str]
Row = Mapping[str, Any]

SHOWN_WORDS = 8


async def probe(reached: Reached) -> AsyncIterator[Answer]:
    """Each answer: whether it is well (None: neither), what was found, and what to do."""
    asking = _voice(reached.voice) if reached.voice is not None else _vaani(reached.vaani)
    try:
        async for answer in asking:
            yield answer
    except ProviderError as error:
        yield False, f"a probe could not be read: {error}", "Try again."


async def _voice(api: VaaniVoiceApi) -> AsyncIterator[Answer]:
    health = await api.health()
    yield health.status == "healthy", f"health: {health.status or 'says nothing'}", "See the provider's status page."
    body = await api.http.get_json("/api/call-history", {"page": 1, "page_size": vaanivoice.PAGE_SIZE})
    rows = _rows(body)
    records = [CallRecord.read(row) for row in rows if row.get("call_id")]
    for answer in _log(rows, [vaanivoice.read_row(record.raw) for record in records]):
        yield answer
    echoed = any(set(record.metadata) - vaanivoice.VENDOR_KEYS for record in records)
    tokens = sum(TOKEN_KEY in record.metadata for record in records)
    yield None, f"call_metadata echoes our own keys: {_yes(echoed, records)}; {tokens} rows hold our token", ""
    ratios = [
        record.duration_ms / (record.duration_s * 1000)
        for record in records
        if record.duration_ms is not None and record.duration_s
    ]
    if ratios:
        yield None, f"duration_ms is {min(ratios):.2g} to {max(ratios):.2g} of the time by the clock", ""
    answered = sum(record.picked_up_at is not None for record in records)
    yield None, f"user_picked_up_at is set in {answered} of {len(records)} rows", ""
    for what, query in (
        ("page_size 201", {"page": 1, "page_size": 201}),
        ("a page past the end", {"page": 1_000_000, "page_size": 200}),
    ):
        yield None, f"{what}: {await _answer_to(api, '/api/call-history', query)}", ""


async def _vaani(api: VaaniApi | None) -> AsyncIterator[Answer]:
    assert api is not None
    body = await api.http.get_json("/calls/logs", {"page": 1, "page_size": vaani.PAGE_SIZE})
    envelope = "a bare list" if isinstance(body, list) else ", ".join(sorted(body))
    yield None, f"the list of logs comes as: {envelope}", ""
    rows = _rows(body)
    entries = [CallLogEntry.read(row) for row in rows if find_call_id(dict(row))]
    for answer in _log(rows, [vaani.read_row(entry.raw) for entry in entries]):
        yield answer
    kinds = Counter(entry.call_type for entry in entries)
    yield None, f"call types: {_words(kinds)}", ""
    echoed = any(entry.dynamic_variables for entry in entries)
    yield None, f"dynamic_variables are in the log: {_yes(echoed, entries)}", ""
    zoned = any(entry.start_time is not None and entry.start_time.tzinfo is not None for entry in entries)
    yield None, f"times name their zone: {_yes(zoned, entries)}", ""
    unanswered = sum(entry.duration == 0 for entry in entries)
    yield None, f"calls without any talk that have a log: {unanswered}", ""


def _log(rows: Sequence[Row], logs: Sequence[CallLog]) -> list[Answer]:
    times = [log.started_at for log in logs if log.started_at is not None]
    order = "unknown: fewer than two rows"
    if len(times) > 1:
        newest, oldest = sorted(times, reverse=True), sorted(times)
        order = "newest first" if times == newest else "oldest first" if times == oldest else "mixed"
    unmapped = Counter(log.raw_status for log in logs if log.unmapped)
    remedy = "Tell us these words: until a table knows them, such calls stay open. See docs/providers.md."
    return [
        (len(logs) == len(rows), f"{len(logs)} of {len(rows)} rows can be read", remedy),
        (None, f"order of the log: {order}", ""),
        (not unmapped, f"outcome words that no table knows: {_words(unmapped)}", remedy),
    ]


def _rows(body: Any) -> list[Row]:
    if isinstance(body, list):
        return [row for row in body if isinstance(row, dict)]
    for holder in (mapping(body), mapping(mapping(body).get("data"))):
        for name in ROWS:
            if isinstance(holder.get(name), list):
                return [row for row in holder[name] if isinstance(row, dict)]
    return []


async def _answer_to(api: VaaniVoiceApi, path: str, query: Mapping[str, int]) -> str:
    try:
        rows = _rows(await api.http.get_json(path, query))
    except ProviderError as error:
        return f"refused (HTTP {error.status})" if error.status else str(error)
    return f"{len(rows)} rows"


def _words(counts: Counter[str]) -> str:
    named = ", ".join(f'"{word}" ({count})' for word, count in counts.most_common(SHOWN_WORDS))
    return named or "none"


def _yes(shown: bool, rows: Sequence[object]) -> str:
    return ("yes" if shown else "no") if rows else "unknown: no calls yet"
