"""The operator's word on calls that should not exist: the provider denied them, and its log shows them."""

from dataclasses import dataclass

from dialer.domain.act import By
from dialer.domain.disposition import Disposition
from dialer.domain.redial import Redial, Settle
from dialer.errors import UsageError
from dialer.pipeline.follow_calls import FollowCalls
from dialer.ports import AttemptRow, Campaign, Ledger, LedgerView, Verdict

NOT_CALLED = "an operator says that this person was not called"


@dataclass(frozen=True)
class DecideReview:
    """Lists what waits for a person, and takes a person's word on it."""

    ledger: Ledger
    view: LedgerView
    follow: FollowCalls
    by: By

    async def waiting(self, name: str) -> list[AttemptRow]:
        """The attempts of a campaign that are in review, oldest first. Raises UnknownName."""
        return await self.view.in_review((await self.view.campaign(name)).campaign_id)

    async def decide(self, name: str, attempt_id: int, outcome: Disposition | None) -> AttemptRow:
        """End an attempt: the call came to ``outcome``, or its person was not called (None), and is called again.

        Never makes this attempt call again. Raises UnknownName; UsageError without a reason, or when the attempt is not
        in review.
        """
        if not self.by.why.strip():
            raise UsageError("a review needs a reason, for the audit: give --reason")
        campaign = await self.view.campaign(name)
        for row in await self.view.in_review(campaign.campaign_id):
            if row.attempt_id == attempt_id:
                verdict = Verdict(attempt_id, outcome, self._follow(campaign, row, outcome))
                if await self.ledger.decide_review(campaign.campaign_id, verdict, self.by):
                    await self.ledger.finish_campaigns()
                    return (await self.view.story(attempt_id=attempt_id))[0][0]
        raise UsageError(f"attempt {attempt_id} is not in review. `dialer review {name}` lists those that are")

    def _follow(self, campaign: Campaign, row: AttemptRow, outcome: Disposition | None) -> Redial | Settle:
        if outcome is None:
            return Redial(self.follow.clock.now(), NOT_CALLED)
        return self.follow.after(campaign.spec, outcome, row.attempts_made, None)
