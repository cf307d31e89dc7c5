"""A call in the log that the provider said it had not placed: no answer of that kind can be believed any more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog

from dialer.domain.call import CallLog
from dialer.domain.campaign import CampaignSpec
from dialer.domain.matching import contradicts
from dialer.pipeline.follow_calls import FollowCalls
from dialer.ports import Denied, Ledger, LedgerView, Matched
from dialer.ports.meter import UNMETERED, Meter

log = structlog.get_logger()


@dataclass(frozen=True)
class AuditDenials:
    """Of one account."""

    ledger: Ledger
    view: LedgerView
    follow: FollowCalls
    account: str
    meter: Meter = UNMETERED

    async def audit(self, strays: Sequence[CallLog], specs: Mapping[int, CampaignSpec], since: float) -> None:
        """``strays``: rows that nothing explains. One that contradicts an answer halts the account."""
        denied = await self.ledger.denied_sends(self.account, since) if strays else []
        # A row may belong to an attempt that is being dialed now, and that nobody may match yet.
        busy = {attempt.phone for attempt in await self.view.live_attempts(self.account)} if denied else set()
        phantoms = [
            self._phantom(row, send, by, specs)
            for row in strays
            for send, by in _contradicted(row, denied)
            if by == "token" or send.phone not in busy
        ]
        if not phantoms:
            return
        ended = await self.ledger.record_phantoms(self.account, phantoms)
        self.meter.lied(self.account, len(phantoms))
        reason = f"{phantoms[0].evidence}. Check with the provider before `dialer start`"
        halted = await self.ledger.halt_account(self.account, reason)
        log.error("provider.lied", account=self.account, calls=len(phantoms), ended=sum(ended), campaigns=halted)

    def _phantom(self, row: CallLog, send: Denied, by: str, specs: Mapping[int, CampaignSpec]) -> Matched:
        evidence = (
            f"the log shows a call of attempt {send.attempt_id} (by {by}), to which the provider had answered that it "
            f'placed nothing: "{send.answer}"'
        )
        follow = None
        if row.disposition is not None:
            follow = self.follow.after(specs[send.campaign_id], row.disposition, send.attempts_made, row)
        return Matched(row, send.attempt_id, evidence, follow)


def _contradicted(row: CallLog, denied: Sequence[Denied]) -> list[tuple[Denied, str]]:
    """The request whose answer this row contradicts, if any, and by what evidence."""
    judged = [(send, contradicts(row, send.token, send.phone, send.sent_at)) for send in denied]
    return [(send, by) for send, by in judged if by][:1]
