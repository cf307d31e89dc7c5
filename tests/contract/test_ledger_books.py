"""What the ledger promises: a rehearsal leaves no trace on reality, and a call stays with its account."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from dialer.adapters.ledger import SqlLedger
from dialer.domain.call import Placed
from dialer.domain.campaign import SIMULATOR
from dialer.domain.contact import ContactStatus
from dialer.domain.disposition import Disposition
from dialer.domain.limits import UNLIMITED, PersonLimits
from dialer.domain.suppression import REHEARSALS
from dialer.errors import UsageError
from dialer.ports import Admitted, Campaign, GateAnswer, Matched, Suppression
from tests.fakes.clock import ManualClock
from tests.ledger_steps import (
    REACHED,
    attempt,
    claim,
    contact,
    dial,
    gate,
    listed,
    log_of,
    outcome,
    person,
    phone,
    place,
    spec,
)

LIFETIME = PersonLimits(lifetime=1)


@pytest_asyncio.fixture
async def books(ledger_url: str, clock: ManualClock) -> AsyncIterator[SqlLedger]:
    opened = await SqlLedger.open(ledger_url, clock)
    yield opened
    await opened.aclose()


async def opened(
    ledger: SqlLedger, provider: str, *people: int, name: str = "spring", limits: PersonLimits = UNLIMITED
) -> Campaign:
    """A running campaign on a provider."""
    campaign = await ledger.open_campaign(spec(name, provider=provider, limits=limits))
    await ledger.add_contacts(campaign.campaign_id, [person(n) for n in people])
    started = await ledger.move_campaign(campaign.campaign_id, "start", "")
    assert started is not None
    return started


async def ended(ledger: SqlLedger, campaign: Campaign) -> None:
    """Everybody of a campaign is called and answers."""
    for call in await place(ledger, campaign):
        row = Matched(log_of(call, Disposition.ANSWERED), call.attempt_id, "call id", REACHED)
        assert await ledger.record_logs(campaign.spec.provider, [row]) == [True]


@pytest.mark.parametrize(("first", "second"), [(SIMULATOR, "vaanivoice"), ("vaanivoice", SIMULATOR)])
async def test_a_rehearsal_and_a_real_campaign_of_one_name_are_two(books: SqlLedger, first: str, second: str) -> None:
    one = await opened(books, first, 1, 2, limits=LIFETIME)
    await ended(books, one)
    two = await opened(books, second, 1, 2, limits=LIFETIME)
    assert two.campaign_id != one.campaign_id
    assert len(await dial(books, two)) == 2


async def test_the_name_alone_means_the_real_one(books: SqlLedger) -> None:
    rehearsal = await opened(books, SIMULATOR)
    assert (await books.campaign("spring")).campaign_id == rehearsal.campaign_id
    real = await opened(books, "vaani")
    assert (await books.campaign("spring")).campaign_id == real.campaign_id
    assert (await books.campaign("rehearsal:spring")).campaign_id == rehearsal.campaign_id
    assert [campaign.spec.handle for campaign in await books.campaigns()] == ["rehearsal:spring", "spring"]


async def test_a_call_of_a_rehearsal_holds_nobodys_number(books: SqlLedger) -> None:
    rehearsal, real = await opened(books, SIMULATOR, 1), await opened(books, "vaani", 1)
    (pretended,) = await place(books, rehearsal)
    (call,) = await place(books, real)
    assert (pretended.phone, call.phone) == (phone(1), phone(1))
    assert [one.attempt_id for one in await books.live_attempts("vaani")] == [call.attempt_id]
    assert [one.attempt_id for one in await books.open_attempts(SIMULATOR, 0.0)] == [pretended.attempt_id]


async def test_two_real_accounts_share_the_lock_of_a_number(books: SqlLedger) -> None:
    one, two = await opened(books, "vaani", 1, name="one"), await opened(books, "vaanivoice", 1, name="two")
    queued = [*await claim(books, one), *await claim(books, two)]
    answers: list[GateAnswer] = await gate(books, queued)
    assert [isinstance(answer, Admitted) for answer in answers] == [True, False]


async def test_both_kinds_pass_the_gate_in_one_commit(books: SqlLedger) -> None:
    rehearsal = await opened(books, SIMULATOR, 1, limits=LIFETIME)
    real = await opened(books, "vaani", 1, limits=LIFETIME)
    queued = [*await claim(books, rehearsal), *await claim(books, real)]
    assert all(isinstance(answer, Admitted) for answer in await gate(books, queued))


async def test_who_opted_out_in_a_rehearsal_is_called_in_reality(books: SqlLedger) -> None:
    rehearsal, real = await opened(books, SIMULATOR, 1), await opened(books, "vaani", 1)
    once = "simulator:c1"
    assert await books.suppress([Suppression(phone(1), "opted out", "call log c1", REHEARSALS, once=once)]) == [True]
    assert (await contact(books, rehearsal, phone(1))).status is ContactStatus.SUPPRESSED
    again = await opened(books, SIMULATOR, 1, name="again")
    assert (await contact(books, again, phone(1))).status is ContactStatus.SUPPRESSED
    assert (await contact(books, real, phone(1))).status is ContactStatus.PENDING
    assert await listed(books.suppressions()) == []
    assert len(await dial(books, real)) == 1


async def test_an_operator_bars_in_both_although_a_rehearsal_did_before(books: SqlLedger) -> None:
    await books.suppress([Suppression(phone(1), "opted out", "call log c1", REHEARSALS)])
    assert await books.suppress([Suppression(phone(1), "asked us")]) == [True]
    for provider in (SIMULATOR, "vaani"):
        campaign = await opened(books, provider, 1)
        assert (await contact(books, campaign, phone(1))).status is ContactStatus.SUPPRESSED
    assert await books.unsuppress([phone(1)]) == [True]
    freed = await opened(books, SIMULATOR, 1, name="freed")
    assert (await contact(books, freed, phone(1))).status is ContactStatus.PENDING


async def test_who_was_barred_from_a_campaign_while_it_was_rehearsed_stays_barred(books: SqlLedger) -> None:
    rehearsal = await opened(books, SIMULATOR, 1)
    await books.suppress([Suppression(phone(1), "not this one", campaign_id=rehearsal.campaign_id)])
    real = await opened(books, "vaani", 1)
    assert (await contact(books, real, phone(1))).status is ContactStatus.SUPPRESSED


async def test_a_provider_cannot_change_once_calls_were_planned(books: SqlLedger) -> None:
    await opened(books, "vaani", 1, 2)
    changed = await opened(books, "vaanivoice", 3)
    await claim(books, changed, 1)
    with pytest.raises(UsageError, match=r'"spring" calls through vaanivoice and has begun: .* --name'):
        await books.open_campaign(spec(provider="vaani"))
    assert (await books.campaign("spring")).spec.provider == "vaanivoice"
    assert (await books.open_campaign(replace(spec(), agent="agent-2"))).spec.agent == "agent-2"


async def test_no_name_begins_like_the_handle_of_a_rehearsal(books: SqlLedger) -> None:
    with pytest.raises(UsageError, match="may not begin with"):
        await books.open_campaign(spec("rehearsal:spring"))


async def test_a_call_keeps_its_account_and_its_agent(books: SqlLedger) -> None:
    campaign = await opened(books, "vaani", 1)
    (call,) = await dial(books, campaign)
    await books.open_campaign(replace(campaign.spec, agent="agent-2"))
    assert await books.record_sends([outcome(call, Placed(None))]) == [True]
    (waiting,) = await books.open_attempts("vaani", 0.0)
    assert waiting.agent == "agent-1"
    assert (await attempt(books, call.attempt_id)).account == "vaani"
    assert await books.recent_sends("vaani", 10) == {"placed": 1}
    assert await books.recent_sends("vaanivoice", 10) == {}
