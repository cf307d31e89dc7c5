"""The fake ledger's part of the self-audit."""

from abc import abstractmethod
from collections.abc import Sequence

from dialer.domain.attempt import Actor, AttemptState
from dialer.domain.call import NotPlaced, Refused
from dialer.ports import Denied, Matched, SendOutcome
from tests.fakes.ledger_records import Try
from tests.fakes.ledger_view import MemoryView

S, A = AttemptState, Actor


class MemoryAudit(MemoryView):
    """Keeps the requests that placed nothing by the provider's word."""

    def _deny(self, t: Try, outcome: SendOutcome) -> None:
        if isinstance(outcome.result, NotPlaced | Refused) and outcome.requests > 0 and t.dialed_at is not None:
            account = self._campaigns[t.campaign_id].spec.provider
            send = Denied(
                t.attempt_id, t.campaign_id, t.number_of, t.phone, outcome.token, t.dialed_at, outcome.result.reason
            )
            self._denied.append((account, send))

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
        return [self._review(row) for row in rows]

    def _review(self, row: Matched) -> bool:
        t = self._tries.get(row.attempt_id or 0)
        if t is None:
            return False
        if self._move(t, S.REVIEW, A.RECONCILER, row.evidence):
            t.call_id = row.log.call_id
        return t.state is S.REVIEW and row.log.disposition is not None and self._end_by(t, row)
