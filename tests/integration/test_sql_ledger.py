"""What only the real engines can prove: two writers at once, group commit, guards held by the database."""

import asyncio
import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio

from dialer.adapters.ledger import SqlLedger
from dialer.adapters.ledger.spec_text import read_spec, write_spec
from dialer.domain.attempt import Actor, allowed
from dialer.domain.attempt import AttemptState as S
from dialer.domain.call import NotPlaced, Placed, PlaceResult, Refused, Unknown
from dialer.domain.calling_window import parse_window
from dialer.domain.campaign import CampaignSpec
from dialer.domain.disposition import Disposition
from dialer.errors import LedgerUnavailable
from dialer.ports import (
    Absent,
    Admitted,
    Campaign,
    GateAnswer,
    GateRequest,
    Matched,
    QueuedAttempt,
    SendOutcome,
    Suppression,
    Turned,
)
from tests.fakes.clock import START, ManualClock
from tests.ledger_steps import (
    ACCOUNT,
    EXHAUSTED,
    claim,
    dial,
    events,
    gate,
    listed,
    log_of,
    person,
    phone,
    request,
    running,
    spec,
    state,
)


@pytest_asyncio.fixture
async def pair(ledger_url: str, clock: ManualClock) -> AsyncIterator[tuple[SqlLedger, SqlLedger]]:
    """Two instances on one database, each with connections of its own, as two processes have."""
    one, two = await SqlLedger.open(ledger_url, clock), await SqlLedger.open(ledger_url, clock)
    yield one, two
    await one.aclose()
    await two.aclose()


@pytest_asyncio.fixture
async def sql(ledger_url: str, clock: ManualClock) -> AsyncIterator[SqlLedger]:
    opened = await SqlLedger.open(ledger_url, clock)
    yield opened
    await opened.aclose()


def raw(url: str, *statements: str) -> list[tuple[object, ...]]:
    """Run SQL past every guard of ours; the rows of the last statement."""
    if url.startswith("sqlite:///"):
        lite = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None, timeout=10)
        try:
            return [lite.execute(one).fetchall() for one in statements][-1]
        finally:
            lite.close()
    with psycopg.connect(url, autocommit=True) as postgres:
        cursors = [postgres.execute(one.encode()) for one in statements]
        return cursors[-1].fetchall() if cursors[-1].description else []


async def test_i1_two_processes_race_for_each_attempt_and_one_wins(pair: tuple[SqlLedger, SqlLedger]) -> None:
    one, two = pair
    campaign = await running(one, 150)
    queued = await claim(one, campaign, 150)

    async def ask(ledger: SqlLedger, name: str) -> list[GateAnswer]:
        asked = [GateRequest(q.attempt_id, q.dispatch, f"{name}{q.attempt_id}", name, 60.0) for q in queued]
        return [answers[0] for answers in await asyncio.gather(*(ledger.pass_gate([wanted]) for wanted in asked))]

    for mine, others in zip(*await asyncio.gather(ask(one, "a"), ask(two, "b")), strict=True):
        assert isinstance(mine, Admitted) != isinstance(others, Admitted)
    assert len(await one.live_attempts(ACCOUNT)) == 150


async def test_i2_two_processes_race_for_one_number_and_one_wins(pair: tuple[SqlLedger, SqlLedger]) -> None:
    spring, autumn = await running(pair[0], 60), await running(pair[1], 60, "autumn")
    first, second = await claim(pair[0], spring), await claim(pair[1], autumn)
    mine = asyncio.gather(*(gate(pair[0], [queued]) for queued in first))
    others = asyncio.gather(*(gate(pair[1], [queued]) for queued in second))
    answers = [answer[0] for answer in (*await mine, *await others)]
    numbers = [answer.phone for answer in answers if isinstance(answer, Admitted)]
    assert sorted(numbers) == [phone(n) for n in range(1, 61)]


async def test_claims_of_two_processes_never_overlap(pair: tuple[SqlLedger, SqlLedger]) -> None:
    campaign = await running(pair[0], 100)
    asked = [claim(ledger, campaign, 7) for ledger in pair for _ in range(10)]
    claimed = [queued.attempt_id for share in await asyncio.gather(*asked) for queued in share]
    assert len(claimed) == len(set(claimed)) == 100


async def test_i8_after_pause_returned_no_gate_of_any_process_admits(pair: tuple[SqlLedger, SqlLedger]) -> None:
    operator, worker = pair
    campaign = await running(operator, 200)
    queued = await claim(worker, campaign, 200)
    acknowledged = asyncio.Event()

    async def ask(number: int) -> tuple[bool, GateAnswer]:
        after = acknowledged.is_set()
        return after, (await gate(worker, [queued[number]]))[0]

    async def pause() -> None:
        await operator.move_campaign(campaign.campaign_id, "pause", "")
        acknowledged.set()

    early = [asyncio.ensure_future(ask(number)) for number in range(100)]
    await pause()
    late = await asyncio.gather(*(ask(number) for number in range(100, 200)))
    assert all(after and isinstance(answer, Turned) for after, answer in late)
    admitted = sum(isinstance(answer, Admitted) for _, answer in await asyncio.gather(*early))
    assert len(await worker.live_attempts(ACCOUNT)) == admitted
    assert dict(await worker.waiting_in_queue()) == {}


async def test_i7_after_suppress_returned_no_gate_of_any_process_admits(pair: tuple[SqlLedger, SqlLedger]) -> None:
    operator, worker = pair
    queued = await claim(worker, await running(operator, 50))
    early = [asyncio.ensure_future(gate(worker, [one])) for one in queued[:25]]
    await operator.suppress([Suppression(phone(n), "asked") for n in range(1, 51)])
    late = await asyncio.gather(*(gate(worker, [one]) for one in queued[25:]))
    assert all(isinstance(answers[0], Turned) for answers in late)
    await asyncio.gather(*early)
    assert dict(await worker.waiting_in_queue()) == {}


async def test_calls_made_at_once_are_joined_and_each_gets_its_own_answer(sql: SqlLedger) -> None:
    campaign = await running(sql, 200)
    queued = await claim(sql, campaign, 200)
    answers = [answer[0] for answer in await asyncio.gather(*(gate(sql, [one]) for one in queued))]
    assert [answer.attempt_id for answer in answers] == [one.attempt_id for one in queued]
    calls = [answer for answer in answers if isinstance(answer, Admitted)]
    assert len(calls) == 200

    async def record(call: Admitted) -> bool:
        token = call.token if call.attempt_id % 2 else "not this one"
        return (await sql.record_sends([SendOutcome(call.attempt_id, token, Placed(call.token), 1, 0.0)]))[0]

    assert await asyncio.gather(*(record(call) for call in calls)) == [call.attempt_id % 2 == 1 for call in calls]
    rows = {row.attempt_id: row for row in await listed(sql.attempt_rows(campaign.campaign_id))}
    placed = {call.attempt_id: call.token for call in calls if call.attempt_id % 2}
    assert {id_: row.call_id for id_, row in rows.items() if row.state is S.PLACED} == placed


async def test_one_bad_call_does_not_spoil_those_it_was_joined_with(sql: SqlLedger) -> None:
    campaign = await running(sql, 20)
    queued = await claim(sql, campaign)
    asked = [sql.pass_gate([request(one, "same token" if n in (3, 7) else "")]) for n, one in enumerate(queued)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    failed = [n for n, answer in enumerate(answers) if isinstance(answer, BaseException)]
    assert failed == [7], "a token may be used once"
    assert len(await sql.live_attempts(ACCOUNT)) == 19
    assert await state(sql, queued[7].attempt_id) is S.QUEUED
    assert len(await events(sql, queued[7].attempt_id)) == 1


async def test_a_caller_that_is_cancelled_does_not_undo_its_verb(sql: SqlLedger) -> None:
    campaign = await running(sql)
    (queued,) = await claim(sql, campaign)
    asked = asyncio.ensure_future(gate(sql, [queued]))
    await asyncio.sleep(0)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert await gate(sql, [queued]) == [Turned(queued.attempt_id, S.DIALING, "attempt is dialing, dispatch 1")]


async def test_closing_commits_what_was_asked_for(ledger_url: str, clock: ManualClock) -> None:
    closing = await SqlLedger.open(ledger_url, clock)
    campaign = await running(closing, 50)
    asked = [asyncio.ensure_future(claim(closing, campaign, 1)) for _ in range(50)]
    await asyncio.sleep(0)
    await closing.aclose()
    await closing.aclose()
    assert [len(share) for share in await asyncio.gather(*asked)] == [1] * 50
    reopened = await SqlLedger.open(ledger_url, clock)
    assert dict(await reopened.waiting_in_queue()) == {campaign.campaign_id: 50}
    assert reopened.identity == closing.identity
    await reopened.aclose()


async def test_i9_events_cannot_be_changed_or_deleted(sql: SqlLedger, ledger_url: str) -> None:
    (call,) = await dial(sql, await running(sql))
    before = await events(sql, call.attempt_id)
    for statement in ("UPDATE events SET reason = 'other'", "DELETE FROM events"):
        with pytest.raises((sqlite3.Error, psycopg.Error), match="events are append-only"):
            raw(ledger_url, statement)
    assert await events(sql, call.attempt_id) == before


async def test_i1_the_database_itself_refuses_a_second_live_send(sql: SqlLedger, ledger_url: str) -> None:
    (call,) = await dial(sql, await running(sql))
    second = "INSERT INTO sends (attempt_id, token, class, started_at) VALUES ({}, 'x', '{}', 0)"
    for kind in ("inflight", "placed", "unknown"):
        with pytest.raises((sqlite3.IntegrityError, psycopg.errors.UniqueViolation)):
            raw(ledger_url, second.format(call.attempt_id, kind))
    raw(ledger_url, "UPDATE sends SET class = 'not_placed'", second.format(call.attempt_id, "inflight"))
    assert raw(ledger_url, "SELECT count(*) FROM sends") == [(2,)]


async def test_i2_the_database_itself_refuses_a_second_live_attempt(sql: SqlLedger, ledger_url: str) -> None:
    await dial(sql, await running(sql))
    (queued,) = await claim(sql, await running(sql, name="autumn"))
    for live in ("dialing", "placed", "unknown"):
        with pytest.raises((sqlite3.IntegrityError, psycopg.errors.UniqueViolation)):
            raw(ledger_url, f"UPDATE attempts SET state = '{live}' WHERE id = {queued.attempt_id}")
    with pytest.raises((sqlite3.IntegrityError, psycopg.errors.CheckViolation)):
        raw(ledger_url, f"UPDATE attempts SET state = 'ringing' WHERE id = {queued.attempt_id}")
    assert await state(sql, queued.attempt_id) is S.QUEUED


Try = Callable[[SqlLedger, Campaign, Admitted], Awaitable[object]]


def _record(result: PlaceResult) -> Try:
    return lambda ledger, _, call: ledger.record_sends(
        [SendOutcome(call.attempt_id, call.token, result, 1, START, EXHAUSTED)]
    )


def _log(disposition: Disposition | None) -> Try:
    return lambda ledger, _, call: ledger.record_logs(
        ACCOUNT, [Matched(log_of(call, disposition), call.attempt_id, "token", EXHAUSTED)]
    )


def _absent(disposition: Disposition) -> Try:
    return lambda ledger, _, call: ledger.settle_absent([Absent(call.attempt_id, disposition, "no trace", EXHAUSTED)])


def _move(verb: str) -> Try:
    return lambda ledger, campaign, _: ledger.move_campaign(campaign.campaign_id, verb, "")


def _held(call: Admitted) -> QueuedAttempt:
    return QueuedAttempt(call.attempt_id, 1, call.campaign_id, ACCOUNT)


VERBS: list[tuple[Actor, set[tuple[S, S]], Try]] = [
    (Actor.WORKER, {(S.DIALING, S.PLACED), (S.UNKNOWN, S.PLACED)}, _record(Placed("c"))),
    (Actor.WORKER, {(S.DIALING, S.PLANNED), (S.QUEUED, S.PLANNED)}, _record(NotPlaced("refused connection"))),
    (Actor.WORKER, {(S.DIALING, S.REFUSED)}, _record(Refused(Disposition.REJECTED, "no"))),
    (Actor.WORKER, {(S.DIALING, S.UNKNOWN)}, _record(Unknown("lost"))),
    (Actor.WORKER, {(S.QUEUED, S.DIALING)}, lambda ledger, _, call: ledger.pass_gate([request(_held(call), "again")])),
    (Actor.WORKER, {(S.QUEUED, S.PLANNED)}, lambda ledger, _, call: ledger.hand_back([_held(call)], "no line", START)),
    (
        Actor.RECONCILER,
        {(before, S.ENDED) for before in (S.UNKNOWN, S.PLACED, S.UNCONFIRMED, S.REVIEW)},
        _log(Disposition.BUSY),
    ),
    (Actor.RECONCILER, {(S.UNKNOWN, S.PLACED)}, _log(None)),
    (
        Actor.RECONCILER,
        {(S.UNKNOWN, S.UNCONFIRMED), (S.PLACED, S.UNCONFIRMED)},
        _absent(Disposition.UNCONFIRMED),
    ),
    (
        Actor.RECONCILER,
        {(S.UNKNOWN, S.UNCONFIRMED), (S.PLACED, S.UNCONFIRMED)},
        _absent(Disposition.NO_ANSWER),
    ),
    (
        Actor.OPERATOR,
        {(S.PLANNED, S.CANCELLED), (S.QUEUED, S.CANCELLED)},
        lambda ledger, _, call: ledger.suppress([Suppression(call.phone, "asked")]),
    ),
    (Actor.OPERATOR, {(S.PLANNED, S.CANCELLED), (S.QUEUED, S.CANCELLED)}, _move("cancel")),
    (Actor.OPERATOR, {(S.QUEUED, S.PLANNED)}, _move("pause")),
    (Actor.FEEDER, {(S.PLANNED, S.QUEUED)}, lambda ledger, campaign, _: claim(ledger, campaign)),
    (Actor.SWEEPER, {(S.QUEUED, S.PLANNED), (S.DIALING, S.UNKNOWN)}, lambda ledger, *_: ledger.sweep()),
]


@pytest.mark.parametrize("before", list(S))
async def test_every_verb_moves_an_attempt_only_as_the_table_says(
    sqlite_ledger_url: str, clock: ManualClock, before: S
) -> None:
    """Each verb is tried from each state; what is not listed for it changes nothing and leaves no event."""
    ledger = await SqlLedger.open(sqlite_ledger_url, clock)
    for number, (actor, moves, attempt_it) in enumerate(VERBS):
        assert all(allowed(*move, actor) for move in moves)
        campaign = await running(ledger, 1, f"c{number}", first=number + 1)
        (call,) = await dial(ledger, campaign)
        which = f"WHERE id = {call.attempt_id}"
        raw(
            sqlite_ledger_url,
            f"UPDATE attempts SET state = '{before}', due_at = 0, lease_until = 0, answer_due_at = 0 {which}",
            "UPDATE sends SET class = 'not_placed'",
        )
        await attempt_it(ledger, campaign, call)
        after = await state(ledger, call.attempt_id)
        told = (await events(ledger, call.attempt_id))[2:]
        expected = [move for move in moves if move[0] is before]
        assert [(event.before, event.after, event.actor) for event in told] == [(*move, actor) for move in expected]
        assert after is (expected[0][1] if expected else before), f"verb {number} by {actor}"
    await ledger.aclose()


def test_a_spec_is_the_same_after_it_was_stored() -> None:
    told = CampaignSpec(
        "n", "a", "vaani", ("+14155550001",), region="IN", window=parse_window("mon,sat 08:30-21:00", "Asia/Kolkata")
    )
    assert read_spec(write_spec(told)) == told
    assert list(json.loads(write_spec(told))) == sorted(json.loads(write_spec(told)))


CHILD = """
import asyncio, sys
from dialer.adapters.ledger import SqlLedger
from dialer.adapters.local.system_clock import SystemClock
from tests.ledger_steps import claim, gate, running

async def main(url):
    ledger = await SqlLedger.open(url, SystemClock())
    campaign = await running(ledger, 5)
    await gate(ledger, await claim(ledger, campaign))
    print("returned", flush=True)
    await asyncio.sleep(60)

asyncio.run(main(sys.argv[1]))
"""


def _dial_and_die(url: str) -> None:
    root = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", CHILD, url], stdout=subprocess.PIPE, cwd=root) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"returned\n"
        child.send_signal(signal.SIGKILL)


async def test_i1_an_intent_survives_the_death_of_its_process(ledger_url: str, clock: ManualClock) -> None:
    _dial_and_die(ledger_url)
    ledger = await SqlLedger.open(ledger_url, clock)
    assert [live.state for live in await ledger.live_attempts(ACCOUNT)] == [S.DIALING] * 5
    assert await ledger.add_contacts((await ledger.campaign("spring")).campaign_id, [person(9)]) == ["queued"]
    await ledger.aclose()


def _name_of(url: str) -> str:
    return url.split("@/")[1].partition("?")[0]


async def test_a_server_that_went_away_is_reported_and_found_again(
    postgres_ledger_url: str, postgres_url: str, clock: ManualClock
) -> None:
    ledger = await SqlLedger.open(postgres_ledger_url, clock)
    campaign = await running(ledger, 2)
    name = _name_of(postgres_ledger_url)
    raw(
        postgres_url.format(database="postgres"),
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'",
    )
    with pytest.raises(LedgerUnavailable, match="cannot be written"):
        await claim(ledger, campaign)
    assert len(await claim(ledger, campaign)) == 2
    assert (await ledger.open_campaign(spec())).is_new is False
    await ledger.aclose()


async def test_a_standby_that_takes_no_writes_is_reported(
    postgres_ledger_url: str, postgres_url: str, clock: ManualClock
) -> None:
    ledger = await SqlLedger.open(postgres_ledger_url, clock)
    server, name = postgres_url.format(database="postgres"), _name_of(postgres_ledger_url)
    raw(server, f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    with pytest.raises(LedgerUnavailable, match="cannot be written"):
        await ledger.open_campaign(spec())
    raw(server, f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
    assert (await ledger.open_campaign(spec())).is_new
    await ledger.aclose()
