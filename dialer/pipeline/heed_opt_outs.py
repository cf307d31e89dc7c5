"""Who asked in a call not to be called again goes onto the suppression list."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from dialer.domain.call import CallLog
from dialer.domain.campaign import SIMULATOR, CampaignSpec
from dialer.domain.matching import HIDDEN
from dialer.domain.suppression import REHEARSALS, opted_out
from dialer.ports import KnownCall, Ledger, LedgerView, Matched, OpenAttempt, Suppression

log = structlog.get_logger()

FEWEST_DIGITS = 10
"""A number with fewer lacks its country code, perhaps, and could be another person's."""


@dataclass(frozen=True)
class HeedOptOuts:
    """Reads rows for opt-outs: of calls just matched, of those settled before, and of calls that nobody here made.

    The analysis may come late; and who says it when they call us, or to another campaign's agent, means it as well.
    """

    ledger: Ledger
    view: LedgerView
    account: str
    heeded: set[str] = field(default_factory=set)
    """Calls whose opt-out was handed to the ledger before; asking it again would change nothing."""

    async def heed(
        self,
        rows: Sequence[CallLog],
        matched: Sequence[Matched],
        attempts: Mapping[int, OpenAttempt],
        known: Mapping[str, KnownCall],
        specs: Mapping[int, CampaignSpec],
    ) -> frozenset[str]:
        """Put people who opted out onto the list of all campaigns, durably; answers the ids of their calls.

        An opt-out in a rehearsal bars the number from rehearsals only.
        """
        by_name = {spec.name: spec for spec in specs.values() if spec.provider == self.account}
        suspects = [
            row
            for row in rows
            if row.call_id not in self.heeded and any(opted_out(spec.opt_out, row) for spec in by_name.values())
        ]
        if not suspects:
            return frozenset()
        owner = {row.log.call_id: row.attempt_id for row in matched if row.attempt_id is not None}
        entries: dict[str, Suppression] = {}
        for row in suspects:
            phone, rules = await self._whose(row, owner.get(row.call_id), attempts, known, specs, by_name)
            why = next(filter(None, (opted_out(spec.opt_out, row) for spec in rules)), "")
            if phone and why:
                reason, source = f"opted out in a call: {why}", f"call log {row.call_id}"
                once = f"{self.account}:{row.call_id}"
                over = REHEARSALS if self.account == SIMULATOR else None
                entries[row.call_id] = Suppression(phone, reason, source, over, once=once)
        if entries:
            added = await self.ledger.suppress(list(entries.values()))
            log.info("opt_outs.heeded", account=self.account, calls=len(entries), added=sum(added))
        self.heeded.update(entries)
        return frozenset(entries)

    async def _whose(
        self,
        row: CallLog,
        attempt_id: int | None,
        attempts: Mapping[int, OpenAttempt],
        known: Mapping[str, KnownCall],
        specs: Mapping[int, CampaignSpec],
        by_name: Mapping[str, CampaignSpec],
    ) -> tuple[str, list[CampaignSpec]]:
        """The number of the person who spoke in a call, and the campaigns whose words count for it."""
        if attempt_id is not None and (attempt := attempts.get(attempt_id)) is not None:
            return attempt.phone, [specs[attempt.campaign_id]]
        held = known.get(row.call_id)
        if held is not None and held.attempt_id is not None:
            owner = (await self.view.story(attempt_id=held.attempt_id))[0][0]
            return owner.phone, [by_name[owner.campaign]] if owner.campaign in by_name else []
        phone = row.to_number if row.outbound else row.from_number
        whole = HIDDEN not in phone and len(phone) > FEWEST_DIGITS
        return (phone, list(by_name.values())) if whole else ("", [])
