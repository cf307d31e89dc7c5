"""A few people are added to a campaign by name and number: a producer like a list, with an answer for each."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256

from dialer.domain.act import By
from dialer.domain.campaign import CampaignSpec, CampaignStatus
from dialer.domain.contact import NewContact
from dialer.domain.outlook import Outlook
from dialer.errors import UsageError, WrongMoment
from dialer.pipeline.import_contacts import NAMED, fate_of
from dialer.ports import Campaign, ImportCounts, Ledger, LedgerView, Reject, Suppression
from dialer.ports.uploads import GivenPerson


@dataclass(frozen=True, slots=True)
class Added:
    """What became of a person: ``result`` is queued, duplicate, suppressed, deferred or invalid.

    ``reason`` says why, or what somebody who is queued waits for; ``column`` where the fault is.
    """

    row: int
    result: str
    reason: str = ""
    remedy: str = ""
    column: str = ""


@dataclass(frozen=True)
class AddPeople:
    """``read`` checks people as the rows of a list are checked; ``outlook`` says who can be called at once."""

    ledger: Ledger
    view: LedgerView
    read: Callable[[Sequence[GivenPerson], CampaignSpec], Sequence[NewContact | Reject]]
    outlook: Callable[[CampaignSpec], Outlook]

    async def run(self, name: str, people: Sequence[GivenPerson], origin: str, by: By) -> list[Added]:
        """Add who can be added, though others cannot; an answer for each, in order. Who is there is a duplicate.

        A campaign that is over goes on. Raises UnknownName, WrongMoment for one that was cancelled, UsageError for
        one that reads its people from a source.
        """
        campaign = await self.view.campaign(name)
        self._refuse(campaign)
        rows = await asyncio.to_thread(self.read, people, campaign.spec)
        fingerprint = sha256(json.dumps([asdict(one) for one in people], sort_keys=True).encode()).hexdigest()
        added = await self._store(campaign, rows, fingerprint, by)
        words = Counter(one.result for one in added)
        counts = ImportCounts(
            rows=len(added),
            queued=words["queued"],
            duplicate=words["duplicate"],
            suppressed=words["suppressed"],
            invalid=words["invalid"],
            deferred=words["deferred"],
        )
        await self.ledger.record_import(campaign.campaign_id, fingerprint, origin, counts, by)
        if words["queued"] or words["deferred"]:
            await self._reopen(campaign, by)
        return added

    async def _store(
        self, campaign: Campaign, rows: Sequence[NewContact | Reject], fingerprint: str, by: By
    ) -> list[Added]:
        contacts = [row for row in rows if isinstance(row, NewContact)]
        if barred := [one for one in contacts if one.barred]:
            await self.ledger.suppress([Suppression(one.phone, one.barred, "list") for one in barred], by)
        good = [one for one in contacts if not one.barred]
        answers = await self.ledger.add_contacts(campaign.campaign_id, good, fingerprint) if good else []
        answer_of = {one.row: answer for one, answer in zip(good, answers, strict=True)}
        outlook = self.outlook(campaign.spec)
        return [_added(row, answer_of.get(row.row, ""), outlook) for row in rows]

    async def _reopen(self, campaign: Campaign, by: By) -> None:
        now = await self.view.campaign(campaign.spec.handle)
        if now.status is CampaignStatus.FINISHED:
            await self.ledger.move_campaign(campaign.campaign_id, "reopen", "contacts added", by)

    def _refuse(self, campaign: Campaign) -> None:
        name = campaign.spec.name
        if campaign.status is CampaignStatus.CANCELLED:
            raise WrongMoment(f'campaign "{name}" was cancelled: nobody is added to it')
        if campaign.spec.source.url:
            raise UsageError(f'campaign "{name}" reads its people from its [source]: add them there')


def _added(row: NewContact | Reject, answer: str, outlook: Outlook) -> Added:
    if isinstance(row, Reject):
        return Added(row.row, "invalid", row.reason, row.remedy, row.column)
    if row.barred:
        return Added(row.row, "suppressed", row.barred)
    fate = fate_of(row, answer, outlook)
    if answer in NAMED:
        return Added(row.row, fate.word, *NAMED[answer])
    reason = "on the do-not-call list" if fate.word == "suppressed" else fate.waits_for
    return Added(row.row, fate.word, reason)
