"""One odd row of a page hides no other, and a page that is too large is read in parts."""

import json
from typing import Any

import pytest

from dialer.adapters.providers.answers.fitting_pages import FittingPages
from dialer.adapters.providers.answers.proof import Answer, lists_value
from dialer.errors import AnswerTooLarge, NotFound
from tests.provider_dialects import START_S, Dialect, each_dialect, provider_at, serving
from tests.raw_server import http_answer, raw_server


def served(count: int, too_many: int, heavy: frozenset[int] = frozenset()) -> Any:
    """A log of so many rows, whose pages of more than ``too_many`` are too large; a ``heavy`` row always is."""
    asked: list[tuple[int, int]] = []

    async def ask(page: int, size: int) -> Any:
        asked.append((page, size))
        rows = list(range(count))[(page - 1) * size : page * size]
        if len(rows) > too_many or heavy & set(rows):
            raise AnswerTooLarge("over the cap")
        return {
            "data": [{"n": row} for row in rows],
            "pagination": {"has_next": page * size < count, "total_count": count},
        }

    return ask, asked


async def read(ask: Any, fitting: FittingPages) -> list[Any]:
    rows, page = [], 1
    while True:
        body = await fitting.page(ask, page)
        rows += body["data"]
        if not body["pagination"]["has_next"]:
            return rows
        page += 1


@pytest.mark.parametrize("count", [0, 1, 120, 200, 201, 399, 650])
@pytest.mark.parametrize("too_many", [1, 3, 30, 100, 1000])
async def test_the_same_rows_come_in_smaller_pages(count: int, too_many: int) -> None:
    ask, _ = served(count, too_many)
    assert [row["n"] for row in await read(ask, FittingPages(200))] == list(range(count))


async def test_a_row_that_is_too_large_by_itself_is_left_out_alone() -> None:
    ask, asked = served(250, 1000, frozenset({57}))
    rows = await read(ask, FittingPages(100))
    assert [row["n"] for row in rows if isinstance(row, dict)] == [n for n in range(250) if n != 57]
    assert len(rows) == 250
    assert len(asked) < 90


async def test_the_size_that_fitted_is_kept() -> None:
    ask, asked = served(120, 50)
    fitting = FittingPages(200)
    await read(ask, fitting)
    asked.clear()
    await read(ask, fitting)
    assert asked == [(1, 50), (2, 50), (3, 50)]


async def test_a_server_that_answers_past_the_end_with_an_error_is_read_to_its_end() -> None:
    async def ask(page: int, size: int) -> Any:
        if size > 50:
            raise AnswerTooLarge("over the cap")
        if page > 2:
            raise NotFound("past the end")
        return [{"n": n} for n in range(50)]

    assert len(await FittingPages(200).page(ask, 1)) == 100


@each_dialect
async def test_odd_values_of_one_row_leave_the_other_rows_as_they_are(dialect: Dialect) -> None:
    good = json.dumps({**dialect.row, **dialect.answered})
    id_key = next(iter(dialect.row))
    twice = good[:-1] + ', "agent_name": "a", "agent_name": "b"}'
    same_twice = good[:-1] + f', "{id_key}": "c1"' + "}"
    two_ids = good[:-1] + f', "{id_key}": "c2"' + "}"
    huge = good[:-1] + ', "x": ' + "9" * 5000 + "}"
    control = good[:-1] + ', "x": "a\tb"}'
    cut = good[:-1].encode() + b', "x": "\xf0\x9f"}'
    body = f"[{good}, {twice}, {same_twice}, {two_ids}, {huge}, {control}, ".encode() + cut + b"]"
    async with raw_server(serving(http_answer(200, body))) as server:
        provider = provider_at(dialect, server)
        page, *_ = [page async for page in provider.read_logs(START_S)]
        await provider.aclose()
    ids = [row.call_id for row in page.rows]
    assert ids.count("c1") == 6 and len(ids) == 7 and page.unreadable == 0
    assert ids[3].startswith("row:"), "of two ids neither is believed"


def test_a_key_that_stands_twice_has_several_values() -> None:
    found = lists_value(Answer(200, b'[{"a": 1, "a": 2, "b": [1], "b": [1]}]'))
    assert found == [{"a": (1, 2), "b": [1]}]
    assert not isinstance(found[0]["a"], list)
