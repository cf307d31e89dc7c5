"""Logs are read to their end at servers that give small pages, count wrongly or do not know when to stop."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from dialer.errors import OutcomeUnknown, ProviderError
from tests.provider_dialects import START_S, Dialect, Row, each_dialect, provider_at
from tests.raw_server import Line, Script, http_answer, raw_server

Envelope = Callable[[list[Row], int, int], Any]
"""A page's rows, which page it is, and how many rows there are, as what the server answers."""

ENVELOPES: dict[str, Envelope] = {
    "a bare list": lambda rows, page, count: rows,
    "no count": lambda rows, page, count: {"items": rows},
    "the count": lambda rows, page, count: {"logs": rows, "total": count},
    "half the count": lambda rows, page, count: {"logs": rows, "total": count // 2},
    "a count of more": lambda rows, page, count: {"logs": rows, "total": count + 9},
    "no next page": lambda rows, page, count: {"data": rows, "pagination": {"has_next": False, "page_size": 4}},
    "one page in all": lambda rows, page, count: {"data": rows, "total_pages": 1, "page_size": 4},
}
PAST_THE_END = {
    "empty": http_answer(200, b"[]"),
    "not found": http_answer(404, b'{"detail":"no such page"}'),
    "unprocessable": http_answer(422, b'{"detail":"page out of range"}'),
}


def rows_of(dialect: Dialect, count: int) -> list[Row]:
    key = next(iter(dialect.row))
    return [{**dialect.row, key: f"c{n}"} for n in range(count)]


def paging(rows: list[Row], size: int, envelope: Envelope, past_the_end: bytes = b"") -> Script:
    """A server of pages of ``size`` rows, whatever is asked for."""

    async def serve(line: Line) -> None:
        while True:
            asked = await line.read_request()
            page = int(parse_qs(urlsplit(asked.target).query)["page"][0])
            found = rows[(page - 1) * size : page * size]
            if not found and past_the_end:
                await line.write(past_the_end)
            else:
                await line.answer(200, json.dumps(envelope(found, page, len(rows))).encode())

    return serve


async def ids_read(dialect: Dialect, script: Script) -> list[str]:
    async with raw_server(script) as server:
        provider = provider_at(dialect, server)
        try:
            return [row.call_id async for page in provider.read_logs(START_S) for row in page.rows]
        finally:
            await provider.aclose()


@each_dialect
@pytest.mark.parametrize("envelope", ENVELOPES)
@pytest.mark.parametrize(("size", "count"), [(1, 3), (4, 11), (4, 12)])
async def test_every_row_is_read(dialect: Dialect, envelope: str, size: int, count: int) -> None:
    if size == 1 and envelope in ("no next page", "one page in all"):
        size = 4  # what it says of its own size is true
    rows = rows_of(dialect, count)
    assert await ids_read(dialect, paging(rows, size, ENVELOPES[envelope])) == [f"c{n}" for n in range(count)]


@each_dialect
@pytest.mark.parametrize("past_the_end", PAST_THE_END)
async def test_whatever_comes_past_the_end_ends_it(dialect: Dialect, past_the_end: str) -> None:
    script = paging(rows_of(dialect, 12), 4, ENVELOPES["no count"], PAST_THE_END[past_the_end])
    assert len(await ids_read(dialect, script)) == 12


@each_dialect
async def test_a_list_that_is_never_cut_into_pages_is_read_once(dialect: Dialect) -> None:
    rows = rows_of(dialect, 12)

    async def serve(line: Line) -> None:
        while True:
            await line.read_request()
            await line.answer(200, json.dumps(rows).encode())

    assert sorted(set(await ids_read(dialect, serve))) == sorted(f"c{n}" for n in range(12))


@each_dialect
@pytest.mark.parametrize(
    "body", [{"data": [], "pagination": {"has_next": True}}, {"items": [], "total": 7}, {"logs": [], "total_pages": 3}]
)
async def test_an_empty_page_that_should_not_be_is_no_end(dialect: Dialect, body: Any) -> None:
    with pytest.raises(OutcomeUnknown, match="empty"):
        await ids_read(dialect, paging([], 4, lambda *_: body))


@each_dialect
async def test_a_promised_page_that_is_refused_is_no_end(dialect: Dialect) -> None:
    script = paging(
        rows_of(dialect, 4), 4, lambda rows, *_: {"data": rows, "total_pages": 2}, PAST_THE_END["not found"]
    )
    with pytest.raises(ProviderError):
        await ids_read(dialect, script)


@each_dialect
async def test_rows_that_cannot_be_read_do_not_go_on_for_ever(dialect: Dialect) -> None:
    page = http_answer(200, json.dumps([*rows_of(dialect, 3), {"no": "id"}]).encode())

    async def serve(line: Line) -> None:
        while True:
            await line.read_request()
            await line.write(page)

    assert set(await ids_read(dialect, serve)) == {"c0", "c1", "c2"}
