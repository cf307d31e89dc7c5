"""Who asked in a call not to be called again goes onto the suppression list."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from dialer.domain.call import CallLog
from dialer.domain.campaign import CampaignSpec
from dialer.domain.suppression import REHEARSALS, opted_out
from dialer.ports import Ledger, LedgerView, Matched, OpenAttempt, Suppression

log = structlog.get_logger()


@dataclass(frozen=True)
class HeedOptOuts:
    """Reads rows for opt-outs, of calls just matched and of those settled before: the analysis may come late."""

    ledger: Ledger
    view: LedgerView
    account: str
    heeded: set[str] = field(default_factory=set)
    """Calls whose opt-out was handed to the ledger before."""

    async def heed(
        self,
        rows: Sequence[CallLog],
        matched: Sequence[Matched],
        attempts: Mapping[int, OpenAttempt],
        specs: Mapping[int, CampaignSpec],
    ) -> frozenset[str]:
        """Put whoever opted out onto the list of all campaigns, durably; answers the ids of their calls.

        Who did so in a rehearsal is only called in no rehearsal any more.
        """
        by_name = {spec.name: spec for spec in specs.values() if spec.provider == self.account}
        suspects = [
            row
            for row in rows
            if row.outbound
            and row.call_id not in self.heeded
            and any(opted_out(spec.opt_out, row) for spec in by_name.values())
        ]
        if not suspects:
            return frozenset()
        open_now = {row.log.call_id: attempts[row.attempt_id] for row in matched if row.attempt_id is not None}
        settled = await self.ledger.known_calls(self.account, [row.call_id for row in suspects])
        entries: dict[str, Suppression] = {}
        for row in suspects:
            if (attempt := open_now.get(row.call_id)) is not None:
                phone, spec = attempt.phone, specs[attempt.campaign_id]
            elif row.call_id in settled:
                told = (await self.view.story(attempt_id=settled[row.call_id]))[0][0]
                phone, spec = told.phone, by_name[told.campaign]
            else:
                continue
            if why := opted_out(spec.opt_out, row):
                reason, source = f"opted out in a call: {why}", f"call log {row.call_id}"
                once = f"{self.account}:{row.call_id}"
                over = REHEARSALS if spec.is_rehearsal else None
                entries[row.call_id] = Suppression(phone, reason, source, over, once=once)
        if entries:
            added = await self.ledger.suppress(list(entries.values()))
            log.info("opt_outs.heeded", account=self.account, calls=len(entries), added=sum(added))
        self.heeded.update(entries)
        return frozenset(entries)
