"""Appointments, a campaign that reminds of them, and one reading of its source."""

from collections.abc import Sequence
from dataclasses import replace

from dialer.domain.calling_window import ALWAYS
from dialer.domain.campaign import CampaignSpec, Reminder
from dialer.domain.contact import ContactStatus, NewContact
from dialer.domain.limits import UNLIMITED
from dialer.ports import Campaign, ImportCounts
from tests.fakes.clock import START
from tests.ledger_steps import (
    ACCOUNT,
    FullLedger,
    contact,
    person,
    phone,
)

H = 3600.0
DAY = 24 * H
LEASE = 60.0
VISIT = Reminder("visit", (DAY, 2 * H))
SPEC = CampaignSpec("visits", "agent-1", ACCOUNT, window=ALWAYS, limits=UNLIMITED, reminder=VISIT)


def patient(n: int, hours: float, **more: object) -> NewContact:
    """Person ``n``, whose appointment is in so many hours."""
    return replace(person(n), event_at=START + hours * H, **more)  # type: ignore[arg-type]


async def opened(ledger: FullLedger, people: Sequence[NewContact] = (), spec: CampaignSpec = SPEC) -> Campaign:
    """A running campaign with this list."""
    campaign = await ledger.open_campaign(spec)
    await ledger.add_contacts(campaign.campaign_id, people)
    await ledger.record_import(campaign.campaign_id, "sha", "list.csv", ImportCounts(rows=len(people)))
    started = await ledger.move_campaign(campaign.campaign_id, "start", "")
    assert started is not None
    return started


async def read(
    ledger: FullLedger, campaign: Campaign, people: Sequence[NewContact], *, whole: bool = True
) -> list[str]:
    """One reading of the source."""
    reading = await ledger.begin_reading(campaign.campaign_id, "w", LEASE)
    assert reading is not None
    answers = await ledger.take_rows(campaign.campaign_id, reading, people, LEASE)
    if whole:
        await ledger.drop_gone(campaign.campaign_id, reading, LEASE)
    assert await ledger.end_reading(campaign.campaign_id, reading, None, "" if whole else "cut off")
    return answers


async def status(ledger: FullLedger, campaign: Campaign, n: int) -> ContactStatus:
    return (await contact(ledger, campaign, phone(n))).status
