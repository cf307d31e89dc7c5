"""start, pause, resume, cancel, campaigns, report, attempts."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from operator import itemgetter

from config import Settings
from dialer.adapters.ledger import SqlLedger
from dialer.bootstrap import open_report
from dialer.cli.opening import number, with_ledger
from dialer.cli.printing import local, masked, print_json, print_table, put
from dialer.cli.report_table import print_report
from dialer.control_room import open_control
from dialer.domain.act import MOVES, Act
from dialer.domain.attempt import FINAL
from dialer.domain.campaign import REHEARSAL, SIMULATOR
from dialer.errors import UnknownName, UsageError
from dialer.pipeline.iso import iso
from dialer.pipeline.report import campaign_document
from dialer.ports import AttemptRow, Campaign, Event, LogScan, Send

LONGEST_ID = 18
"""Digits; the ledger counts to 2**63."""
SHOWN_SCANS = 6
"""Of many readings of the log only the first and the last ones are printed."""


@dataclass(frozen=True, slots=True)
class History:
    """All that happened to an attempt."""

    attempt: AttemptRow
    events: list[Event]
    sends: list[Send]
    scans: list[LogScan]
    """Of the log, while the attempt waited for it."""
    acts: list[Act]
    """What moved its campaign meanwhile."""


def move(name: str, verb: str, reason: str = "", *, as_json: bool) -> None:
    """Apply a verb; returns when it holds."""

    async def use(settings: Settings, ledger: SqlLedger) -> Campaign:
        return await open_control(settings, ledger, reason).move(name, verb)

    moved = with_ledger(use)
    if as_json:
        print_json({"campaign": moved.spec.name, "status": str(moved.status)})
    else:
        put(f"{moved.spec.name}: {moved.status}")


def start_after_restore(name: str, reason: str, *, as_json: bool) -> None:
    """Go on with a ledger that is older than what was done since; what the log does not show is accepted."""

    async def use(settings: Settings, ledger: SqlLedger) -> Campaign:
        return await open_control(settings, ledger, reason).start_after_restore(name)

    moved = with_ledger(use)
    if as_json:
        print_json({"campaign": moved.spec.name, "status": str(moved.status)})
    else:
        put(f"{moved.spec.name}: {moved.status}")


def list_campaigns(*, as_json: bool) -> None:
    """All campaigns, oldest first."""

    async def use(_: Settings, ledger: SqlLedger) -> list[Campaign]:
        return await ledger.campaigns()

    rows = [campaign_document(campaign) for campaign in with_ledger(use)]
    if as_json:
        print_json(rows)
    else:
        print_table(
            ("campaign", "provider", "status", "started", "finished"),
            [
                [row["campaign"], row["provider"], row["status"], local(row["started_at"]), local(row["finished_at"])]
                for row in rows
            ],
        )


def show_report(name: str, *, as_json: bool) -> None:
    """One campaign, counted."""

    async def use(settings: Settings, ledger: SqlLedger) -> dict[str, object]:
        async with open_report(settings, ledger) as report:
            return await report.document(name)

    document = with_ledger(use)
    if as_json:
        print_json(document)
    else:
        print_report(document)


def show_attempts(who: str, region: str, *, as_json: bool) -> None:
    """The story of a person (a phone number) or of one attempt (its id)."""
    phone, attempt_id = _whom(who, region)

    async def use(_: Settings, ledger: SqlLedger) -> list[History]:
        story = await ledger.story(phone=phone, attempt_id=attempt_id)
        sends = await ledger.sends([attempt.attempt_id for attempt, _ in story])
        return [
            History(
                attempt,
                events,
                [send for send in sends if send.attempt_id == attempt.attempt_id],
                await _scans(ledger, attempt, events, ledger.clock.now()),
                await _acts_on(ledger, attempt, events),
            )
            for attempt, events in story
        ]

    story = with_ledger(use)
    if not story:
        whom = "to this number" if phone else f"with the id {attempt_id}"
        hint = "" if phone else ' (a phone number begins with "+", or needs --region)'
        raise UnknownName(f"no attempt {whom} was made yet{hint}")
    if as_json:
        print_json([_attempt_document(history) for history in story])
        return
    for history in story:
        attempt = history.attempt
        outcome = f" · {attempt.disposition}" if attempt.disposition else ""
        rehearsal = " (rehearsal)" if attempt.account == SIMULATOR else ""
        title = f"attempt {attempt.attempt_id} · {attempt.campaign}{rehearsal} · {masked(attempt.phone)}"
        put(f"{title} · try {attempt.number_of} · {attempt.state}{outcome}")
        for _, line in sorted(
            [*_moves(history), *_sends(history), *_looks(history), *_acts(history)], key=itemgetter(0)
        ):
            put(f"  {line}")


def _count(number_of: int, what: str) -> str:
    return f"{number_of:,} {what}" if number_of == 1 else f"{number_of:,} {what}s"


async def _scans(ledger: SqlLedger, attempt: AttemptRow, events: list[Event], now: float) -> list[LogScan]:
    if attempt.dialed_at is None:
        return []
    until = events[-1].at if attempt.state in FINAL else now
    return await ledger.scans(attempt.account, attempt.dialed_at, until)


async def _acts_on(ledger: SqlLedger, attempt: AttemptRow, events: list[Event]) -> list[Act]:
    handle = (REHEARSAL if attempt.account == SIMULATOR else "") + attempt.campaign
    until = events[-1].at if events and attempt.state in FINAL else math.inf
    since = events[0].at if events else math.inf
    return [act async for act in ledger.acts(handle) if act.act in MOVES and since <= act.at <= until]


def _acts(history: History) -> Iterator[tuple[float, str]]:
    for act in history.acts:
        why = f": {act.why}" if act.why else ""
        yield act.at, f"{iso(act.at)}  campaign {act.before} -> {act.after}  {act.act} by {act.who}{why}"


def _moves(history: History) -> Iterator[tuple[float, str]]:
    for event in history.events:
        yield event.at, f"{iso(event.at)}  {event.before} -> {event.after}  {event.actor}: {event.reason}"


def _sends(history: History) -> Iterator[tuple[float, str]]:
    for send in history.sends:
        at = send.started_at if send.answered_at is None else send.answered_at
        kind = send.kind.replace("_", " ")
        if not send.requests and send.kind != "inflight":
            yield at, f"{iso(at)}  nothing left, {kind}: {send.reason}"
            continue
        status = f"HTTP {send.http_status}" if send.http_status else "no answer"
        took = "" if send.answered_at is None else f" after {send.answered_at - send.started_at:.1f} s"
        yield at, f"{iso(at)}  {_count(send.requests, 'request')}: {status}{took}, {kind}: {send.reason}"


def _looks(history: History) -> Iterator[tuple[float, str]]:
    scans = history.scans
    shown = scans if len(scans) <= SHOWN_SCANS else [*scans[:2], *scans[-2:]]
    for scan in shown:
        whole = "" if scan.whole else ", not whole: proves no absence"
        yield (
            scan.started_at,
            f"{iso(scan.started_at)}  log read: {_count(scan.rows, 'row')}, {_count(scan.pages, 'page')}{whole}",
        )
    if len(shown) < len(scans):
        between = scans[2:-2]
        broken = sum(not scan.whole for scan in between)
        yield (
            between[0].started_at,
            f"{iso(between[0].started_at)}  log read {len(between)} times more, {broken} of them not whole",
        )


def _whom(who: str, region: str) -> tuple[str, int]:
    """Digits alone are an id, unless a region says that they are a number in its own format."""
    if who.isascii() and who.isdigit() and not region:
        if len(who) > LONGEST_ID:
            raise UsageError(f'{len(who)} digits are no id of an attempt: write a phone number with "+", or --region')
        return "", int(who)
    return number(who, region), 0


def _attempt_document(history: History) -> dict[str, object]:
    attempt = history.attempt
    return {
        "attempt_id": attempt.attempt_id,
        "campaign": attempt.campaign,
        "account": attempt.account,
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
            for one in history.sends
        ],
        "log_scans": [
            {
                "started_at": iso(one.started_at),
                "pages": one.pages,
                "rows": one.rows,
                "whole": one.whole,
            }
            for one in history.scans
        ],
        "events": [
            {"at": iso(e.at), "actor": e.actor, "before": e.before, "after": e.after, "reason": e.reason}
            for e in history.events
        ],
    }
