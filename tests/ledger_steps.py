"""Steps that tests of the ledger take again and again."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Protocol, TypeVar

from dialer.domain.attempt import AttemptState
from dialer.domain.call import CallLog, Placed, PlaceResult
from dialer.domain.calling_window import ALWAYS, CallingWindow
from dialer.domain.campaign import CampaignSpec
from dialer.domain.contact import ContactStatus, NewContact
from dialer.domain.disposition import Disposition
from dialer.domain.limits import UNLIMITED, PersonLimits
from dialer.domain.redial import Redial, Settle
from dialer.ports import (
    Admitted,
    AttemptRow,
    Campaign,
    ContactRow,
    Event,
    GateAnswer,
    GateRequest,
    ImportCounts,
    Ledger,
    LedgerView,
    Matched,
    QueuedAttempt,
    SendOutcome,
)

T = TypeVar("T")

ACCOUNT = "vaanivoice"
REACHED = Settle(ContactStatus.REACHED)
EXHAUSTED = Settle(ContactStatus.EXHAUSTED)


class FullLedger(Ledger, LedgerView, Protocol):
    """Both ports on one object."""


def phone(n: int) -> str:
    return f"+1415555{n:04d}"


def person(n: int, *zones: str) -> NewContact:
    return NewContact(phone(n), f"Person {n}", row=n + 1, key=f"k{n}", zones=zones, variables={"plan": f"p{n}"})


def spec(
    name: str = "spring", window: CallingWindow = ALWAYS, provider: str = ACCOUNT, limits: PersonLimits = UNLIMITED
) -> CampaignSpec:
    return CampaignSpec(name, "agent-1", provider=provider, window=window, limits=limits)


async def running(
    ledger: FullLedger, people: int = 1, name: str = "spring", window: CallingWindow = ALWAYS, first: int = 1
) -> Campaign:
    """A started campaign with ``people`` contacts, numbered from ``first``."""
    campaign = await ledger.open_campaign(spec(name, window))
    answers = await ledger.add_contacts(campaign.campaign_id, [person(n) for n in range(first, first + people)])
    counts = ImportCounts(rows=people, queued=answers.count("queued"), suppressed=answers.count("suppressed"))
    await ledger.record_import(campaign.campaign_id, "sha", "list.csv", counts)
    started = await ledger.move_campaign(campaign.campaign_id, "start", "")
    assert started is not None
    return started


async def claim(ledger: FullLedger, campaign: Campaign, limit: int = 100, lease_s: float = 60.0) -> list[QueuedAttempt]:
    return (await ledger.claim_due({campaign.campaign_id: limit}, lease_s))[0]


def request(queued: QueuedAttempt, token: str = "", answer_within_s: float = 60.0) -> GateRequest:
    token = token or f"t{queued.attempt_id}-{queued.dispatch}"
    return GateRequest(queued.attempt_id, queued.dispatch, token, "worker-1", answer_within_s)


async def gate(ledger: FullLedger, queued: Sequence[QueuedAttempt]) -> list[GateAnswer]:
    return await ledger.pass_gate([request(attempt) for attempt in queued])


async def dial(ledger: FullLedger, campaign: Campaign, limit: int = 100) -> list[Admitted]:
    """Claim what is due and pass the gate with it."""
    answers = await gate(ledger, await claim(ledger, campaign, limit))
    assert all(isinstance(answer, Admitted) for answer in answers)
    return [answer for answer in answers if isinstance(answer, Admitted)]


def outcome(
    call: Admitted, result: PlaceResult, due_at: float = 0.0, follow: Redial | Settle | None = None
) -> SendOutcome:
    return SendOutcome(call.attempt_id, call.token, result, 1, due_at, follow)


async def place(ledger: FullLedger, campaign: Campaign, limit: int = 100, ids: bool = True) -> list[Admitted]:
    """Claim, dial, and have the provider accept; call ids are ``call-ATTEMPT``."""
    calls = await dial(ledger, campaign, limit)
    placed = [outcome(call, Placed(f"call-{call.attempt_id}" if ids else None)) for call in calls]
    assert await ledger.record_sends(placed) == [True] * len(calls)
    return calls


def log_of(call: Admitted, disposition: Disposition | None = None, word: str = "", **more: object) -> CallLog:
    """What the provider's log says of a call; ``more`` sets any field."""
    row = CallLog(f"call-{call.attempt_id}", call.phone, "agent-1", call.dialed_at + 5, None, None, disposition, word)
    if disposition is not None:
        row = replace(row, ended_at=call.dialed_at + 35, duration_s=30.0, cost=0.5)
    return replace(row, **more)  # type: ignore[arg-type]


async def end(ledger: FullLedger, call: Admitted, disposition: Disposition, follow: Redial | Settle) -> bool:
    """The log tells what a call came to."""
    row = Matched(log_of(call, disposition, str(disposition)), call.attempt_id, "call id", follow)
    return (await ledger.record_logs(ACCOUNT, [row]))[0]


async def listed(rows: AsyncIterator[T]) -> list[T]:
    return [row async for row in rows]


async def attempt(ledger: FullLedger, attempt_id: int) -> AttemptRow:
    return (await ledger.story(attempt_id=attempt_id))[0][0]


async def state(ledger: FullLedger, attempt_id: int) -> AttemptState:
    return (await attempt(ledger, attempt_id)).state


async def events(ledger: FullLedger, attempt_id: int) -> list[Event]:
    return (await ledger.story(attempt_id=attempt_id))[0][1]


async def moves(ledger: FullLedger, attempt_id: int) -> list[tuple[str, str, str]]:
    """(actor, before, after) of each event."""
    return [(event.actor, event.before, event.after) for event in await events(ledger, attempt_id)]


async def contact(ledger: FullLedger, campaign: Campaign, number: str) -> ContactRow:
    found = [row async for row in ledger.contact_rows(campaign.campaign_id) if row.phone == number]
    assert len(found) == 1
    return found[0]
