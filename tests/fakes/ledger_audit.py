"""The fake ledger's part of the self-audit."""

from abc import abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence

from dialer.domain.attempt import LIVE, Actor, AttemptState
from dialer.domain.call import NotPlaced, Placed, Refused
from dialer.ports import Denied, LogScan, Matched, Send, SendOutcome
from tests.fakes.ledger_records import Try
from tests.fakes.ledger_view import MemoryView

S, A = AttemptState, Actor
SCANS_KEPT_S = 30 * 86_400.0


class MemoryAudit(MemoryView):
    """Keeps the requests that placed nothing by the provider's word."""

    def _deny(self, t: Try, outcome: SendOutcome) -> None:
        after = max(n for _, passed, n in self._passages if passed is t)
        self._answers[t.attempt_id, after] = self._now(), outcome
        if isinstance(outcome.result, NotPlaced | Refused) and outcome.requests > 0 and t.dialed_at is not None:
            account = self._campaigns[t.campaign_id].spec.provider
            send = Denied(
                t.attempt_id, t.campaign_id, t.number_of, t.phone, outcome.token, t.dialed_at, outcome.result.reason
            )
            self._denied.append((account, send))

    def _passed(self, t: Try) -> None:
        self._passages.append((self._campaigns[t.campaign_id].spec.provider, t, len(t.events)))

    async def sends(self, attempt_ids: Sequence[int]) -> list[Send]:
        self._now()
        return [
            _send(t, after, self._answers.get((t.attempt_id, after)))
            for _, t, after in self._passages
            if t.attempt_id in attempt_ids
        ]

    async def spent(self, campaign_id: int) -> tuple[float, int, int]:
        self._now()
        tries = [t for t in self._tries.values() if t.campaign_id == campaign_id]
        costs = [t.cost for t in tries if t.cost is not None]
        return sum(costs), len(costs), sum(t.state in LIVE for t in tries)

    async def weigh_refusals(self, campaign_id: int) -> str:
        return ""

    async def recent_sends(self, account: str, limit: int) -> Mapping[str, int]:
        self._now()
        later = self._passages[self._halted_at.get(account, 0) :]
        return Counter(_send(t, after).kind for owner, t, after in later[-limit:] if owner == account)

    async def record_scan(self, account: str, reading: LogScan) -> None:
        oldest = self._now() - SCANS_KEPT_S
        kept = [one for one in self._scans.get(account, []) if one.started_at >= oldest]
        self._scans[account] = [*kept, reading]

    async def scans(self, account: str, since: float, until: float) -> list[LogScan]:
        self._now()
        found = [one for one in self._scans.get(account, []) if since <= one.started_at <= until]
        return sorted(found, key=lambda one: one.started_at)[:1000]

    @abstractmethod
    def _end_by(self, t: Try, row: Matched, told: str = "") -> bool:
        """End an attempt by its row."""

    async def denied_sends(self, account: str, since: float) -> list[Denied]:
        self._now()
        return [send for owner, send in self._denied if owner == account and send.sent_at >= since]

    async def record_phantoms(self, account: str, rows: Sequence[Matched]) -> list[bool]:
        self._now()
        for row in rows:
            self._log[account, row.log.call_id] = row
            if row.attempt_id is not None and row.log.started_at is not None:
                self._began[row.attempt_id] = max(row.log.started_at, self._began.get(row.attempt_id, 0.0))
        return [self._review(row) for row in rows]

    def _review(self, row: Matched) -> bool:
        t = self._tries.get(row.attempt_id or 0)
        if t is None:
            return False
        if self._move(t, S.REVIEW, A.RECONCILER, row.evidence):
            t.call_id = row.log.call_id
            if t.dialed_at is None:
                t.dialed_at = self._clock.now() if row.log.started_at is None else row.log.started_at
        return t.state is S.REVIEW and row.log.disposition is not None and self._end_by(t, row)


KINDS = {S.PLACED: "placed", S.ENDED: "placed", S.PLANNED: "not_placed", S.REFUSED: "refused", S.UNKNOWN: "unknown"}


def _send(t: Try, after: int, answered: tuple[float, SendOutcome] | None = None) -> Send:
    """What became of one passage through the gate, told by the moves that followed it."""
    passage, kind = t.events[after - 1], "inflight"
    for event in t.events[after:]:
        if event.after == S.DIALING:
            break
        if kind in ("inflight", "unknown"):
            kind = KINDS.get(S(event.after), kind)
    if answered is None:
        return Send(t.attempt_id, passage.at, None, kind, 0, None, t.reason)
    at, outcome = answered
    reason = "accepted by the provider" if isinstance(outcome.result, Placed) else outcome.result.reason
    return Send(t.attempt_id, passage.at, at, kind, outcome.requests, outcome.result.http_status, reason)
