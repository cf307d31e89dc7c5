"""start, pause, resume, cancel, campaigns, report, attempts."""

from config import Settings
from dialer.adapters.sql_ledger import SqlLedger
from dialer.cli.opening import number, with_ledger
from dialer.cli.printing import masked, print_json, print_report, print_table
from dialer.control_room import open_control
from dialer.errors import UnknownName
from dialer.pipeline.report import ReportCampaign, iso
from dialer.ports import AttemptRow, Campaign, Event, Send

Told = tuple[AttemptRow, list[Event], list[Send]]


def move(name: str, verb: str, *, as_json: bool) -> None:
    """Apply a verb; returns when it holds."""

    async def use(settings: Settings, ledger: SqlLedger) -> Campaign:
        return await open_control(settings, ledger).move(name, verb)

    moved = with_ledger(use)
    if as_json:
        print_json({"campaign": moved.spec.name, "status": str(moved.status)})
    else:
        print(f"{moved.spec.name}: {moved.status}")


def list_campaigns(*, as_json: bool) -> None:
    """All campaigns, oldest first."""

    async def use(_: Settings, ledger: SqlLedger) -> list[Campaign]:
        return await ledger.campaigns()

    rows = [
        {
            "campaign": campaign.spec.name,
            "provider": campaign.spec.provider,
            "status": str(campaign.status),
            "halt_reason": campaign.halt_reason,
            "created_at": iso(campaign.created_at),
            "started_at": iso(campaign.started_at),
            "finished_at": iso(campaign.finished_at),
        }
        for campaign in with_ledger(use)
    ]
    if as_json:
        print_json(rows)
    else:
        print_table(("campaign", "provider", "status", "started_at", "finished_at"),
                    [[row[name] for name in ("campaign", "provider", "status", "started_at", "finished_at")]
                     for row in rows])  # fmt: skip


def show_report(name: str, *, as_json: bool) -> None:
    """One campaign, counted."""

    async def use(_: Settings, ledger: SqlLedger) -> dict[str, object]:
        return await ReportCampaign(ledger).document(name)

    document = with_ledger(use)
    if as_json:
        print_json(document)
    else:
        print_report(document)


def show_attempts(who: str, region: str, *, as_json: bool) -> None:
    """The story of a person (a phone number) or of one attempt (its id)."""
    phone, attempt_id = _whom(who, region)

    async def use(_: Settings, ledger: SqlLedger) -> list[Told]:
        story = await ledger.story(phone=phone, attempt_id=attempt_id)
        sends = await ledger.sends([attempt.attempt_id for attempt, _ in story])
        return [
            (attempt, events, [send for send in sends if send.attempt_id == attempt.attempt_id])
            for attempt, events in story
        ]

    story = with_ledger(use)
    if not story:
        raise UnknownName(f"no attempt {'to this number' if phone else f'with the id {attempt_id}'} was made yet")
    if as_json:
        print_json([_attempt_document(*told) for told in story])
        return
    for attempt, events, sends in story:
        outcome = f" · {attempt.disposition}" if attempt.disposition else ""
        print(f"attempt {attempt.attempt_id} · {attempt.campaign} · {masked(attempt.phone)} · try {attempt.number_of}"
              f" · {attempt.state}{outcome}")  # fmt: skip
        for event in events:
            print(f"  {iso(event.at)}  {event.before} -> {event.after}  {event.actor}: {event.reason}")
        for send in sends:
            status = f"HTTP {send.http_status}" if send.http_status else "no answer"
            print(f"  {iso(send.started_at)}  sent {send.requests} times: {status}, {send.kind}: {send.reason}")


def _whom(who: str, region: str) -> tuple[str, int]:
    if who.isdigit() and len(who) < 7:
        return "", int(who)
    return number(who, region), 0


def _attempt_document(attempt: AttemptRow, events: list[Event], sends: list[Send]) -> dict[str, object]:
    return {
        "attempt_id": attempt.attempt_id,
        "campaign": attempt.campaign,
        "phone": attempt.phone,
        "number_of": attempt.number_of,
        "state": str(attempt.state),
        "disposition": str(attempt.disposition) if attempt.disposition else None,
        "due_at": iso(attempt.due_at),
        "dialed_at": iso(attempt.dialed_at),
        "ended_at": iso(attempt.ended_at),
        "duration_s": attempt.duration_s,
        "call_id": attempt.call_id,
        "reason": attempt.reason,
        "sends": [
            {
                "started_at": iso(one.started_at),
                "answered_at": iso(one.answered_at),
                "kind": one.kind,
                "requests": one.requests,
                "http_status": one.http_status,
                "reason": one.reason,
            }
            for one in sends
        ],
        "events": [
            {"at": iso(e.at), "actor": e.actor, "before": e.before, "after": e.after, "reason": e.reason}
            for e in events
        ],
    }
