"""``dialer review``: an operator says what a call was that the provider denied, and the campaign can finish."""

import asyncio

import pytest

from dialer.adapters.ledger import SqlLedger
from dialer.domain.call import CallLog, NotPlaced
from dialer.ports import Admitted, GateRequest, Matched, SendOutcome
from tests.acceptance.conftest import OpenHome
from tests.acceptance.dialer_process import Home, Provider, clock, dialing, number, write_list

pytestmark = pytest.mark.acceptance


@pytest.fixture
def home(open_home: OpenHome) -> Home:
    """One person, whose only attempt is in review since two hours ago."""
    home = open_home(Provider("http://127.0.0.1:9"))
    home.command("enqueue", str(write_list(home.path / "list.csv", 1)), *dialing())
    asyncio.run(deny(f"sqlite:///{home.path / 'home' / 'ledger.db'}"))
    return home


async def deny(url: str) -> None:
    ledger = await SqlLedger.open(url, clock)
    campaign = await ledger.campaign("list")
    account = campaign.spec.provider
    ((attempt,),) = await ledger.claim_due({campaign.campaign_id: 1}, 60.0)
    (call,) = await ledger.pass_gate([GateRequest(attempt.attempt_id, attempt.dispatch, "token", "worker", 60.0)])
    assert isinstance(call, Admitted)
    denied = NotPlaced("429 too many requests", http_status=429)
    assert await ledger.record_sends([SendOutcome(call.attempt_id, call.token, denied, 1, clock.now())]) == [True]
    row = CallLog("call-9", call.phone, campaign.spec.agent, clock.now() - 7200, None, None, None, "odd", unmapped=True)
    await ledger.record_phantoms(account, [Matched(row, call.attempt_id, "the log shows a call")])
    await ledger.aclose()


def test_a_call_in_review_is_listed_decided_and_told(home: Home) -> None:
    (row,) = home.command("review", "list", "--json").json()
    assert (row["phone"], row["state"], row["call_id"], row["reason"]) == (
        number(0), "review", "call-9", "the log shows a call",
    )  # fmt: skip
    told = home.command("review", "list").out
    assert "the log shows a call" in told
    assert number(0)[3:] not in told
    named = ("review", "list", "--attempt", str(row["attempt_id"]))
    assert "--reason" in home.command(*named, "--called", "answered", code=2).err
    assert "one of answered" in home.command(*named, "--called", "nonsense", "--reason", "x", code=2).err
    assert "--not-called" in home.command(*named, "--reason", "x", code=2).err
    ended = home.command(*named, "--called", "answered", "--reason", "they have a recording", "--json").json()
    assert (ended["state"], ended["disposition"]) == ("ended", "answered")
    assert home.report()["status"] == "finished"
    assert home.command("review", "list").out == "list: nothing is in review\n"
    assert "not in review" in home.command(*named, "--not-called", "--reason", "x", code=2).err
    act = home.command("audit", "list", "--json").json()[-1]
    assert (act["act"], act["after"], act["why"]) == ("review", "called: answered", "they have a recording")


def test_a_run_ends_when_all_that_is_left_is_in_review(home: Home) -> None:
    ended = home.command("run", str(home.path / "list.csv"), *dialing(), code=3)
    assert "all that is left is in review (1)" in ended.err
    assert "dialer review list" in ended.err
