"""The story of a person or an attempt: what was tried, what left, what the log said, and who did what meanwhile."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from dialer.domain.act import MOVES, Act
from dialer.domain.attempt import FINAL
from dialer.domain.campaign import REHEARSAL, SIMULATOR
from dialer.pipeline.iso import iso
from dialer.ports import AttemptRow, Clock, Event, LedgerView, LogScan, Send
from dialer.ports.webhooks import HeardWebhook, WebhookView

SHOWN_SCANS = 6
"""Of many readings of the log only the first and the last ones are shown."""


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
    webhooks: list[HeardWebhook] = field(default_factory=list)
    """That the provider sent of its call."""

    @property
    def is_rehearsal(self) -> bool:
        """Whether it called nobody."""
        return self.attempt.account == SIMULATOR


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened, at unix seconds, in words."""

    at: float
    what: str


@dataclass(frozen=True)
class TellStory:
    """The reader's room."""

    view: LedgerView
    clock: Clock
    webhooks: WebhookView

    async def of(self, *, phone: str = "", attempt_id: int = 0) -> list[History]:
        """The attempts to a number (E.164), over all campaigns, or one attempt; oldest first."""
        story = await self.view.story(phone=phone, attempt_id=attempt_id)
        sends = await self.view.sends([attempt.attempt_id for attempt, _ in story])
        moves, heard = _Moves(self.view), await self._heard([attempt for attempt, _ in story])
        return [
            History(
                attempt,
                events,
                [send for send in sends if send.attempt_id == attempt.attempt_id],
                await self._scans(attempt, events),
                await moves.during(attempt, events),
                heard.get((attempt.account, attempt.call_id or ""), []),
            )
            for attempt, events in story
        ]

    async def _heard(self, attempts: Sequence[AttemptRow]) -> Mapping[tuple[str, str], list[HeardWebhook]]:
        """By account and call: also what came before the call's id was known here."""
        heard: dict[tuple[str, str], list[HeardWebhook]] = {}
        for one in await self.webhooks.of_calls([attempt.call_id or "" for attempt in attempts]):
            heard.setdefault((one.account, one.call_id), []).append(one)
        return heard

    async def _scans(self, attempt: AttemptRow, events: Sequence[Event]) -> list[LogScan]:
        if attempt.dialed_at is None:
            return []
        until = events[-1].at if attempt.state in FINAL else self.clock.now()
        return await self.view.scans(attempt.account, attempt.dialed_at, until)


@dataclass
class _Moves:
    """What moved campaigns, read once for each."""

    view: LedgerView
    of_handle: dict[str, list[Act]] = field(default_factory=dict)

    async def during(self, attempt: AttemptRow, events: Sequence[Event]) -> list[Act]:
        """While an attempt was under way."""
        if not events:
            return []
        handle = (REHEARSAL if attempt.account == SIMULATOR else "") + attempt.campaign
        if handle not in self.of_handle:
            self.of_handle[handle] = [act async for act in self.view.acts(handle) if act.act in MOVES]
        until = events[-1].at if attempt.state in FINAL else math.inf
        return [act for act in self.of_handle[handle] if events[0].at <= act.at <= until]


def moments(history: History) -> list[Moment]:
    """All of it in words, in the order of time."""
    parts: Iterable[Iterator[tuple[float, str]]] = (
        _moves(history.events), _sends(history.sends), _looks(history.scans), _acts(history.acts),
        _webhooks(history.webhooks),
    )  # fmt: skip
    return [Moment(*one) for one in sorted((one for part in parts for one in part), key=itemgetter(0))]


def _webhooks(webhooks: Iterable[HeardWebhook]) -> Iterator[tuple[float, str]]:
    for one in webhooks:
        yield one.received_at, f"webhook: {one.event.replace('_', ' ')}, signed by {one.signed_by}"


def _acts(acts: Iterable[Act]) -> Iterator[tuple[float, str]]:
    for act in acts:
        why = f": {act.why}" if act.why else ""
        yield act.at, f"campaign {act.before} -> {act.after}  {act.act} by {act.who}{why}"


def _moves(events: Iterable[Event]) -> Iterator[tuple[float, str]]:
    for event in events:
        yield event.at, f"{event.before} -> {event.after}  {event.actor}: {event.reason}"


def _sends(sends: Iterable[Send]) -> Iterator[tuple[float, str]]:
    for send in sends:
        at = send.started_at if send.answered_at is None else send.answered_at
        kind = send.kind.replace("_", " ")
        if not send.requests and send.kind != "inflight":
            yield at, f"nothing left, {kind}: {send.reason}"
            continue
        status = f"HTTP {send.http_status}" if send.http_status else "no answer"
        took = "" if send.answered_at is None else f" after {send.answered_at - send.started_at:.1f} s"
        yield at, f"{_count(send.requests, 'request')}: {status}{took}, {kind}: {send.reason}"


def _looks(scans: Sequence[LogScan]) -> Iterator[tuple[float, str]]:
    shown = scans if len(scans) <= SHOWN_SCANS else [*scans[:2], *scans[-2:]]
    for scan in shown:
        whole = "" if scan.whole else ", not whole: proves no absence"
        yield scan.started_at, f"log read: {_count(scan.rows, 'row')}, {_count(scan.pages, 'page')}{whole}"
    if len(shown) < len(scans):
        between = scans[2:-2]
        broken = sum(not scan.whole for scan in between)
        yield between[0].started_at, f"log read {len(between)} times more, {broken} of them not whole"


def _count(number_of: int, what: str) -> str:
    return f"{number_of:,} {what}" if number_of == 1 else f"{number_of:,} {what}s"


def history_document(history: History) -> dict[str, Any]:
    """The story of an attempt as JSON keys; times are ISO 8601 in UTC."""
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
        "sends": [_send_document(one) for one in history.sends],
        "log_scans": [
            {"started_at": iso(one.started_at), "pages": one.pages, "rows": one.rows, "whole": one.whole}
            for one in history.scans
        ],
        "webhooks": [
            {"received_at": iso(one.received_at), "event": one.event, "signed_by": one.signed_by}
            for one in history.webhooks
        ],
        "events": [
            {"at": iso(e.at), "actor": e.actor, "before": e.before, "after": e.after, "reason": e.reason}
            for e in history.events
        ],
    }


def _send_document(send: Send) -> Mapping[str, Any]:
    return {
        "started_at": iso(send.started_at),
        "answered_at": iso(send.answered_at),
        "kind": send.kind,
        "requests": send.requests,
        "http_status": send.http_status,
        "reason": send.reason,
    }
