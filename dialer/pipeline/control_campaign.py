"""Start, pause, resume, cancel, suppress: each returns when it holds."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dialer.domain.act import PROGRAM, By
from dialer.domain.campaign import CampaignStatus
from dialer.domain.checkpoint import Passing, unwatched
from dialer.domain.disposition import Disposition
from dialer.errors import UsageError, WrongMoment
from dialer.ports import RESTORED, Campaign, Clock, Ledger, LedgerView, Suppression

LOOK_AGAIN_S = 0.01
AT_ONCE = 2_000
"""Numbers in one commit: calls to others are not kept waiting for the whole list."""
DRAIN_MARGIN_S = 0.2
"""Hosts' clocks differ a little, and a process may be held up between its last look and its first byte."""


@dataclass(frozen=True, slots=True)
class Redialed:
    """How many people are called again, and of the others why they are not: the reason, and how many."""

    people: int
    skipped: Mapping[str, int]


@dataclass(frozen=True)
class ControlCampaign:
    """The operator's room. ``send_within_s``: how long after its intent a request may still leave."""

    ledger: Ledger
    view: LedgerView
    clock: Clock
    send_within_s: float
    passing: Passing = unwatched
    by: By = PROGRAM

    async def move(self, name: str, verb: str) -> Campaign:
        """Apply ``start``, ``pause``, ``resume`` or ``cancel``.

        After ``pause`` and ``cancel`` return, no request leaves for the campaign. Raises UsageError when the
        verb does not fit the campaign's status, UnknownName when there is no such campaign.
        """
        campaign = await self.view.campaign(name)
        moved = await self.ledger.move_campaign(campaign.campaign_id, verb, f"{verb} by the operator", self.by)
        self.passing("control.moved")
        if moved is None:
            raise WrongMoment(f'cannot {verb} "{name}": it is {campaign.status}')
        if verb in ("pause", "cancel"):
            await self._drain(campaign=moved)
        return moved

    async def start_after_restore(self, name: str) -> Campaign:
        """Start, and dial although the ledger is older than what was done since.

        Raises UsageError when its account does not wait for that, or ``start`` does not fit; UnknownName.
        """
        campaign = await self.view.campaign(name)
        account = campaign.spec.provider
        facts = await self.ledger.log_facts(account)
        if RESTORED not in facts:
            raise UsageError(f"{account} does not wait for a restored ledger: `dialer start {name}` is enough")
        accepted = json.dumps(json.loads(facts[RESTORED]) | {"accepted": True})
        if campaign.status is not CampaignStatus.RUNNING:
            campaign = await self.move(name, "start")
        await self.ledger.note_log(account, {RESTORED: accepted})
        return campaign

    async def suppress(self, entries: Sequence[Suppression]) -> list[bool]:
        """Add numbers to the list; after this returns, no request leaves for any of them."""
        added: list[bool] = []
        for first in range(0, len(entries), AT_ONCE):
            added += await self.ledger.suppress(entries[first : first + AT_ONCE], self.by)
        self.passing("control.suppressed")
        await self._drain(phones=[entry.phone for entry in entries])
        return added

    async def redial(self, name: str, outcomes: Sequence[Disposition], *, only_look: bool = False) -> Redialed:
        """Call settled people again whose last call came to one of these outcomes; hours, limits and lists hold.

        ``only_look`` plans nothing, and answers the same. Raises UnknownName, and UsageError for a campaign that is
        cancelled, or whose schedule has ended.
        """
        campaign = await self.view.campaign(name)
        self.check_redial(campaign)
        words = [str(outcome) for outcome in outcomes]
        counts = dict(await self.ledger.redial(campaign.campaign_id, words, self.by, only_look=only_look))
        return Redialed(counts.pop("", 0), counts)

    def check_redial(self, campaign: Campaign) -> None:
        """Raises WrongMoment for a campaign in which nobody is called again."""
        name = campaign.spec.name
        if campaign.status is CampaignStatus.CANCELLED:
            raise WrongMoment(f'"{name}" was cancelled: nobody is called again in it')
        if campaign.spec.schedule.end is not None and campaign.spec.schedule.end <= self.clock.now():
            raise WrongMoment(
                f'the schedule of "{name}" has ended: give its file a later [schedule] end, and enqueue it'
            )

    async def _drain(self, *, campaign: Campaign | None = None, phones: Sequence[str] = ()) -> None:
        """Wait until each request that had passed the gate has left, or can no longer leave.

        If somebody else moves the campaign on meanwhile, there is nothing left to wait for.
        """
        campaign_id = campaign.campaign_id if campaign else None
        bound = self.send_within_s + DRAIN_MARGIN_S
        while await self.ledger.dialing(campaign_id=campaign_id, phones=phones, since=self.clock.now() - bound):
            await self.clock.sleep(LOOK_AGAIN_S)
            if campaign and (await self.view.campaign(campaign.spec.handle)).status is not campaign.status:
                return
