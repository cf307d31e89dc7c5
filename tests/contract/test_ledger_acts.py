"""What the ledger promises: who did what, and why, is written with the change itself, and stays."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from dialer.adapters.ledger import SqlLedger
from dialer.domain.act import PROGRAM, Act, By, chained
from dialer.domain.campaign import Pace
from dialer.domain.suppression import REHEARSALS, hash_of
from dialer.ports import ImportCounts, Suppression
from tests.fakes.clock import START, ManualClock
from tests.ledger_steps import ACCOUNT, dial, listed, phone, running, spec

ANNA = By("anna@office", "they asked us to wait")
BEN = By("ben@office")


@pytest_asyncio.fixture
async def ledger(ledger_url: str, clock: ManualClock) -> AsyncIterator[SqlLedger]:
    opened = await SqlLedger.open(ledger_url, clock)
    yield opened
    await opened.aclose()


def run_raw(url: str, statement: str) -> None:
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"), poolclass=NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql(statement)


async def told(ledger: SqlLedger, campaign: str = "") -> list[tuple[str, str, str, str, str]]:
    acts = await listed(ledger.acts(campaign))
    return [(act.who, act.act, act.before, act.after, act.why) for act in acts]


async def test_every_move_of_an_operator_has_a_row(ledger: SqlLedger) -> None:
    campaign = await ledger.open_campaign(spec(), ANNA)
    await ledger.move_campaign(campaign.campaign_id, "start", "start by the operator", BEN)
    await ledger.move_campaign(campaign.campaign_id, "pause", "pause by the operator", ANNA)
    await ledger.move_campaign(campaign.campaign_id, "pause", "pause by the operator", BEN)
    assert await ledger.move_campaign(campaign.campaign_id, "halt", "x", BEN) is None
    _, *moves = await told(ledger, "spring")
    assert moves == [
        ("ben@office", "start", "draft", "running", "start by the operator"),
        ("anna@office", "pause", "running", "paused", "they asked us to wait"),
        ("ben@office", "pause", "paused", "paused", "pause by the operator"),
    ]
    moved = (await ledger.report(campaign.campaign_id)).moved_by
    assert moved is not None
    assert (moved.who, moved.at) == ("ben@office", START)


async def test_the_program_says_what_it_halted(ledger: SqlLedger) -> None:
    await running(ledger, 1)
    await ledger.halt_account(ACCOUNT, "no credit")
    assert (await told(ledger, "spring"))[-1] == ("dialer", "halt", "running", "halted", "no credit")


async def test_a_changed_spec_is_kept_with_what_it_was(ledger: SqlLedger) -> None:
    await ledger.open_campaign(spec(), BEN)
    await ledger.open_campaign(spec(), ANNA)
    await ledger.open_campaign(replace(spec(), pace=Pace(5.0)), ANNA)
    created, changed = await listed(ledger.acts("spring"))
    assert (created.who, created.act, created.before) == ("ben@office", "create", "")
    assert (changed.who, changed.act) == ("anna@office", "change")
    rates = [json.loads(side)["pace"]["calls_per_second"] for side in (changed.before, changed.after)]
    assert rates == [1.0, 5.0]


async def test_who_barred_and_who_freed_a_number_is_kept(ledger: SqlLedger, clock: ManualClock) -> None:
    numbers = [Suppression(phone(n), "do not call", "list.csv") for n in (1, 2)]
    await ledger.suppress([*numbers, Suppression(phone(3), "opted out", "call log c1", REHEARSALS)], BEN)
    await ledger.suppress(numbers, ANNA)
    clock.skip(60)
    assert await ledger.unsuppress([phone(1), phone(9)], by=ANNA) == [True, False]
    first, learned, freed = await listed(ledger.acts())
    assert (first.who, first.subject, json.loads(first.after)) == ("ben@office", "list.csv", {"numbers": 2})
    assert (learned.campaign, learned.why) == ("rehearsal:", "opted out")
    assert (freed.who, freed.act, freed.subject, freed.at) == (
        "anna@office",
        "unsuppress",
        hash_of(phone(1)),
        START + 60,
    )
    assert json.loads(freed.before) == {"reason": "do not call", "source": "list.csv", "added_at": START}


async def test_no_act_holds_a_number(ledger: SqlLedger) -> None:
    campaign = await running(ledger, 2)
    await ledger.suppress([Suppression(phone(1), "asked", "command line")], BEN)
    await ledger.unsuppress([phone(1)], by=BEN)
    await ledger.record_import(campaign.campaign_id, "sha", "list.csv", ImportCounts(rows=2, queued=2), BEN)
    await ledger.record_act("export", BEN, "spring", "contacts")
    acts = await listed(ledger.acts())
    assert {act.act for act in acts} >= {"create", "import", "suppress", "unsuppress", "export"}
    assert not any(phone(1)[1:] in repr(act) for act in acts)


async def test_a_change_that_fails_leaves_no_row(ledger: SqlLedger) -> None:
    with pytest.raises(TypeError):
        await ledger.open_campaign(replace(spec(), columns=object()), ANNA)  # type: ignore[arg-type]
    assert await told(ledger) == []


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE acts SET who = 'nobody'", "acts are append-only"),
        ("DELETE FROM acts", "acts are append-only"),
        ("DELETE FROM attempts", "attempts are kept"),
        ("DELETE FROM sends", "sends are kept"),
    ],
)
async def test_the_database_keeps_what_was_done(ledger: SqlLedger, ledger_url: str, statement: str, words: str) -> None:
    await dial(ledger, await running(ledger))
    with pytest.raises(DBAPIError, match=words):
        run_raw(ledger_url, statement)


@pytest.mark.parametrize("table", ["acts", "attempts", "sends", "events"])
async def test_postgresql_truncates_nothing_of_it(postgres_ledger_url: str, table: str) -> None:
    with pytest.raises(DBAPIError, match=r"append-only|are kept"):
        run_raw(postgres_ledger_url, f"TRUNCATE {table} CASCADE")


async def test_the_chain_shows_a_row_that_was_changed_or_taken_out(ledger: SqlLedger) -> None:
    campaign = await running(ledger)
    for verb in ("pause", "resume", "cancel"):
        await ledger.move_campaign(campaign.campaign_id, verb, verb, BEN)
    acts = await listed(ledger.acts())
    assert [act.act_id for act in acts] == sorted(act.act_id for act in acts)
    assert broken(acts) == []
    assert broken([*acts[:2], replace(acts[2], who="nobody"), *acts[3:]]) == [acts[2].act_id]
    assert broken([*acts[:2], *acts[3:]]) == [acts[3].act_id]
    assert PROGRAM.who in {act.who for act in acts}


def broken(acts: list[Act]) -> list[int]:
    before = ["", *(act.chain for act in acts)]
    return [act.act_id for act, chain in zip(acts, before, strict=False) if chained(act, chain) != act.chain]


async def test_two_processes_write_one_chain(ledger: SqlLedger, ledger_url: str, clock: ManualClock) -> None:
    other = await SqlLedger.open(ledger_url, clock)
    for n in range(5):
        await ledger.record_act("export", BEN, subject=str(n))
        await other.record_act("export", ANNA, subject=str(n))
    await other.aclose()
    acts = await listed(ledger.acts())
    assert len(acts) == 10
    assert broken(acts) == []
