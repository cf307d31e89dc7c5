"""What every CallProvider must read from its call log, whatever its shape, and what it must refuse to guess."""

from typing import Any

import pytest

from dialer.domain.disposition import Disposition
from dialer.errors import KeyRefused, NotFound, OutcomeUnknown, ProviderError, Throttled
from tests.provider_dialects import (
    PICKED,
    START_S,
    VAANI,
    VAANIVOICE,
    Dialect,
    Row,
    each_dialect,
    pages,
    provider_at,
    read,
    serving,
)
from tests.raw_server import StoppedClock, http_answer, raw_server


@each_dialect
async def test_an_answered_call_is_read_with_times_and_token(dialect: Dialect) -> None:
    log = await read(dialect, dialect.answered)
    assert log.disposition is Disposition.ANSWERED and not log.unmapped and log.outbound
    assert (log.call_id, log.to_number, log.token) == ("c1", "+14155550123", "token-1")
    assert (log.started_at, log.ended_at, log.duration_s) == (START_S, START_S + 60, 40.0)


@each_dialect
async def test_an_unanswered_call_is_read_from_its_structure(dialect: Dialect) -> None:
    log = await read(dialect, dialect.unanswered)
    assert (log.disposition, log.unmapped, log.duration_s) == (Disposition.NO_ANSWER, dialect is VAANIVOICE, None)


@each_dialect
@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("No Answer", Disposition.NO_ANSWER),
        ("no_answer", Disposition.NO_ANSWER),
        ("BUSY", Disposition.BUSY),
        ("rejected", Disposition.REJECTED),
        ("failed", Disposition.FAILED),
        ("voicemail_detected", Disposition.VOICEMAIL),
        ("invalid number", Disposition.INVALID_NUMBER),
    ],
)
async def test_the_provider_s_words_are_mapped_in_any_spelling(
    dialect: Dialect, said: str, expected: Disposition
) -> None:
    log = await read(dialect, {**dialect.unanswered, dialect.status_key: said})
    assert (log.disposition, log.unmapped, log.raw_status) == (expected, False, said)


@each_dialect
async def test_an_unknown_word_without_structure_is_never_final_by_guess(dialect: Dialect) -> None:
    log = await read(dialect, {dialect.status_key: "flummoxed"})
    assert (log.disposition, log.unmapped, log.raw_status) == (None, True, "flummoxed")


@each_dialect
async def test_a_call_under_way_is_not_over(dialect: Dialect) -> None:
    over = {"End_time": None, "end_time": None}
    for changes in (over, {**over, dialect.status_key: "whatever"}, {dialect.status_key: "In Progress"}):
        log = await read(dialect, {**dialect.answered, dialect.status_key: None, **changes})
        assert (log.disposition, log.unmapped) == (None, False), changes


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"user_picked_up_at": None, "call_status": "SIP_404_NOT_FOUND"}, Disposition.INVALID_NUMBER),
        ({"user_picked_up_at": None, "call_status": "SIP 486 Busy Here"}, Disposition.BUSY),
        ({"user_picked_up_at": None, "call_status": "SIP_503_X"}, Disposition.FAILED),
        ({"user_picked_up_at": PICKED, "call_status": "failed"}, Disposition.ANSWERED),
        ({"user_picked_up_at": PICKED, "call_entity": {"voicemail": True}}, Disposition.VOICEMAIL),
        ({"user_picked_up_at": PICKED, "call_entity": {"left_voicemail": "no"}}, Disposition.ANSWERED),
        ({"user_picked_up_at": PICKED, "dispositions": {"call_disposition": "Voicemail"}}, Disposition.VOICEMAIL),
        ({"End_time": None, "call_status": "no_answer"}, Disposition.NO_ANSWER),
    ],
)
async def test_vaanivoice_rows_are_read_by_structure_before_words(changes: Row, expected: Disposition) -> None:
    assert (await read(VAANIVOICE, changes)).disposition is expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"duration": 12, "call_end_reason": None}, Disposition.ANSWERED),
        ({"duration": 0, "call_end_reason": "whatever"}, Disposition.NO_ANSWER),
        ({"duration": 3, "call_end_reason": "Busy"}, Disposition.BUSY),
        ({"duration": 3, "disposition": "Voicemail"}, Disposition.VOICEMAIL),
        ({"duration": 3, "conversation_analysis": {"disposition": "voicemail"}}, Disposition.VOICEMAIL),
        ({"duration": 3, "conversation_analysis": "She asked not to be sent to voicemail"}, Disposition.ANSWERED),
        ({"duration": None, "call_end_reason": "Completed"}, None),
        ({"duration": None, "messages": [{"speaker": "user", "message": "hello"}]}, Disposition.ANSWERED),
        ({"duration": "00:00:41", "call_end_reason": "Completed"}, Disposition.ANSWERED),
        ({"duration": "00:00:00", "call_end_reason": "Completed"}, Disposition.NO_ANSWER),
        ({"duration": "0s", "call_end_reason": "Completed"}, Disposition.NO_ANSWER),
        ({"duration": -1, "call_end_reason": "Completed"}, None),
        ({"duration": float("nan"), "call_end_reason": "Completed"}, None),
        ({"duration": None, "call_end_reason": None}, None),
    ],
)
async def test_vaani_rows_are_read_by_the_talk_time_and_the_words(changes: Row, expected: Disposition | None) -> None:
    log = await read(VAANI, changes)
    assert (log.disposition, log.unmapped) == (
        expected,
        expected is None or changes.get("call_end_reason") == "whatever",
    )


async def test_vaanivoice_durations_come_from_the_clock() -> None:
    answered = {"call_status": "User disconnected", "duration_ms": 742.269}
    assert (await read(VAANIVOICE, {**answered, "user_picked_up_at": PICKED})).duration_s == 40.0
    assert (await read(VAANIVOICE, answered)).duration_s == 60.0
    assert (await read(VAANIVOICE, {**answered, "Start_time": None})).duration_s == 0.742269


@each_dialect
async def test_odd_rows_are_read_as_far_as_they_go(dialect: Dialect) -> None:
    empty = dict.fromkeys(dialect.row)
    id_key = next(iter(dialect.row))
    lower = {key.lower(): value for key, value in {**dialect.row, **dialect.answered}.items()}
    zoned = {**dialect.row, "Start_time": "2026-11-21T15:30:00.25+05:30", "start_time": 1_795_255_200_250}
    rows: list[Any] = [{**empty, id_key: 17}, lower, zoned, {**dialect.row, id_key: None}, None, "row", []]
    (page,), _ = await pages(dialect, dialect.envelope(rows))
    assert page.unreadable == 3 == len({row.call_id for row in page.odd})
    assert [row.call_id for row in page.rows[:3]] == ["17", "c1", "c1"]
    assert page.rows[3].call_id.startswith("row:"), "a row without an id is known again by its content"
    assert [row.started_at for row in page.rows[:3]] == [None, START_S, START_S]
    assert page.rows[0].disposition is None and not page.rows[0].to_number


@each_dialect
async def test_inbound_calls_are_told_apart_and_numbers_are_normalised(dialect: Dialect) -> None:
    log = await read(dialect, {"direction": "Incoming", "call_direction": "inbound"})
    assert not log.outbound
    log = await read(dialect, {"to_number": "0014155550123", "called_number": "1 (415) 555-0123"})
    assert log.to_number == "+14155550123"
    log = await read(dialect, {"to_number": "N/A", "called_number": "N/A"})
    assert log.to_number == ""


def numbered(dialect: Dialect, first: int, count: int) -> list[Row]:
    id_key = next(iter(dialect.row))
    return [{**dialect.row, id_key: f"c{number}"} for number in range(first, first + count)]


@each_dialect
async def test_every_envelope_is_read_to_its_end(dialect: Dialect) -> None:
    size = dialect.page_size
    full, rest = numbered(dialect, 0, size), numbered(dialect, size, 3)
    total = size + 3
    envelopes: list[list[Any]] = [
        [full, rest],
        [dialect.envelope(full, 1, 2), dialect.envelope(rest, 2, 2)],
        [{"call_logs": full, "total": total}, {"call_logs": rest, "total": total}],
        [{"items": full, "total_pages": 2}, {"items": rest, "total_pages": 2}],
        [{"logs": full}, {"logs": rest}],
        [{"data": {"items": full, "total": total}}, {"data": {"items": rest, "total": total}}],
        [full, rest[:3], []],
    ]
    for bodies in envelopes:
        found, server = await pages(dialect, *bodies)
        assert sum(len(page.rows) for page in found) == total, bodies
        assert len(server.requests) == 2
        assert "page=1&" in server.requests[0].target and "page=2&" in server.requests[1].target


@each_dialect
async def test_an_exactly_full_last_page_is_followed_by_an_empty_one(dialect: Dialect) -> None:
    full = numbered(dialect, 0, dialect.page_size)
    found, server = await pages(dialect, {"items": full}, {"items": []})
    assert [len(page.rows) for page in found] == [dialect.page_size, 0]
    assert len(server.requests) == 2
    found, server = await pages(dialect, numbered(dialect, 0, dialect.page_size + 1))
    assert len(server.requests) == 1


@each_dialect
async def test_a_server_that_gives_smaller_pages_than_asked_is_read_to_the_end(dialect: Dialect) -> None:
    few = [dialect.envelope(numbered(dialect, 50 * page, 50), page + 1, 3) for page in range(3)]
    found, _ = await pages(dialect, *few)
    assert sum(len(page.rows) for page in found) == 150


@each_dialect
@pytest.mark.parametrize("body", [{"data": None}, {}, "text", None, 5, {"data": "x"}])
async def test_an_unreadable_log_is_not_an_empty_one(dialect: Dialect, body: Any) -> None:
    with pytest.raises(OutcomeUnknown):
        await pages(dialect, body)


@each_dialect
async def test_a_log_that_says_it_is_empty_is_empty(dialect: Dialect) -> None:
    bodies: list[Any] = [[], {"data": []}, {"data": None, "pagination": {"total_count": 0}}]
    for body in bodies:
        found, _ = await pages(dialect, body)
        assert [page.rows for page in found] == [()]


@each_dialect
async def test_a_log_that_repeats_itself_is_an_error_not_a_complete_scan(dialect: Dialect) -> None:
    with pytest.raises(OutcomeUnknown, match="page before"):
        await pages(dialect, dialect.envelope([dialect.row], 1, 9))


async def test_the_log_is_asked_for_as_documented() -> None:
    _, server = await pages(VAANIVOICE, [])
    assert server.requests[0].target == "/api/call-history?page=1&page_size=200"
    _, server = await pages(VAANI, [])
    assert server.requests[0].target == "/calls/logs?page=1&page_size=100&call_type=phone&start_date=2026-11-20"


@each_dialect
async def test_reading_is_repeated_on_what_passes_and_honours_retry_after(dialect: Dialect) -> None:
    clock = StoppedClock()
    trouble = [http_answer(429, b"", "retry-after: 7\r\n"), http_answer(502)]
    async with raw_server(serving(*trouble, [])) as server:
        provider = provider_at(dialect, server, clock)
        assert [page.rows async for page in provider.read_logs(START_S)] == [()]
        await provider.aclose()
    assert len(server.requests) == 3
    assert 7.0 <= clock.slept[0] <= 7.5 and clock.slept[1] <= 1.0


@each_dialect
@pytest.mark.parametrize(
    ("answer", "error", "requests"),
    [
        (http_answer(500, b'{"detail":"Invalid client_id format"}'), OutcomeUnknown, 4),
        (http_answer(429, b"", "retry-after: 600\r\n"), Throttled, 1),
        (http_answer(401), KeyRefused, 1),
        (http_answer(404), NotFound, 1),
        (http_answer(302), OutcomeUnknown, 1),
        (http_answer(200, b"<html>"), OutcomeUnknown, 1),
    ],
)
async def test_a_log_that_cannot_be_read_raises_what_it_is(
    dialect: Dialect, answer: bytes, error: type[ProviderError], requests: int
) -> None:
    async with raw_server(serving(answer)) as server:
        provider = provider_at(dialect, server)
        with pytest.raises(error):
            [page async for page in provider.read_logs(START_S)]
        await provider.aclose()
    assert len(server.requests) == requests
