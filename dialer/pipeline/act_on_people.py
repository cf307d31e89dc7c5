"""What an operator has done to the people whom a filter means: call again, call no more, never again, export."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from dialer.domain.act import By
from dialer.domain.contact import OPEN_CONTACTS
from dialer.domain.people_filter import PeopleFilter, why_not_again
from dialer.domain.waiting import CALL
from dialer.pipeline.control_campaign import ControlCampaign, Redialed
from dialer.pipeline.iso import iso
from dialer.pipeline.row_documents import contact_document
from dialer.ports import Campaign, Ledger, Suppression
from dialer.ports.people import PeopleLedger, PeoplePage, PeopleView, Someone

Action = Literal["redial", "stop", "suppress", "export"]

PAGE = 2000
MOST_LOOKED = 10_000
"""So many are counted one by one before an operator is asked; of more it is said that there are more."""
DO_NOT_CALL = "do not call"
SOURCE = "console"
NOT_OPEN = "not to be called anyway"
LISTED_ALREADY = "on the list already"


@dataclass(frozen=True, slots=True)
class Outlook:
    """What an action would do: to how many people, why it skips others, and whether everybody was looked at.

    ``in_calls``: of those people, how many are in a call that goes on to its end.
    """

    people: int
    skipped: Mapping[str, int]
    whole: bool
    in_calls: int = 0


@dataclass(frozen=True)
class ActOnPeople:
    """The operator's room. ``control`` knows who acts, and why."""

    view: PeopleView
    verbs: PeopleLedger
    ledger: Ledger
    control: ControlCampaign

    @property
    def by(self) -> By:
        """Who acts."""
        return self.control.by

    async def look(self, campaign_id: int, wanted: PeopleFilter, action: Action) -> Outlook:
        """What would be done, and to whom not. Raises UnknownName, and what the action itself would raise."""
        if action == "redial":
            self.control.check_redial(await self.view.campaign(campaign_id))
        skipped: Counter[str] = Counter()
        looked = in_calls = 0
        whole = True
        async for page in self._pages(campaign_id, wanted):
            skipped.update(await self._judge(campaign_id, page, action))
            in_calls += sum(someone.wait.kind == CALL for someone in page.people)
            looked += len(page.people)
            if looked >= MOST_LOOKED and page.next is not None:
                whole = False
                break
        return Outlook(skipped.pop("", 0), skipped, whole, in_calls)

    async def redial(self, campaign_id: int, wanted: PeopleFilter) -> Redialed:
        """Call again, now, those who are settled and may be called. Raises UnknownName, WrongMoment."""
        self.control.check_redial(await self.view.campaign(campaign_id))
        counts: Counter[str] = Counter()
        async for page in self._pages(campaign_id, wanted):
            settled, skipped = _settled(page)
            counts.update(skipped)
            if settled:
                counts.update(await self.verbs.call_again(campaign_id, settled, wanted.words, self.by))
        return Redialed(counts.pop("", 0), counts)

    async def redial_one(self, someone: Someone) -> str:
        """Call one settled person again; why not, "" if so. Raises WrongMoment."""
        self.control.check_redial(await self.view.campaign(someone.campaign_id))
        if why := why_not_again(someone.row.status, someone.row.disposition):
            return why
        words = f"person {someone.contact_id}"
        return next(iter(await self.verbs.call_again(someone.campaign_id, [someone.contact_id], words, self.by)))

    async def stop(self, campaign_id: int, wanted: PeopleFilter) -> int:
        """Call no more those who would be called; how many. Calls that are on go on to their end."""
        await self.view.campaign(campaign_id)
        return await self.verbs.stop(campaign_id, wanted, self.by)

    async def suppress(self, campaign_id: int, wanted: PeopleFilter) -> tuple[int, int]:
        """Put their numbers on the list, over all campaigns: how many were put, and how many were there.

        When this returns no request leaves for any of them.
        """
        await self.view.campaign(campaign_id)
        added = listed = 0
        async for page in self._pages(campaign_id, wanted):
            put = await self._bar([someone.row.phone for someone in page.people])
            added, listed = added + sum(put), listed + len(put) - sum(put)
        return added, listed

    async def suppress_one(self, someone: Someone) -> bool:
        """Never call this number again, in no campaign; False when it was on the list already."""
        return (await self._bar([someone.row.phone]))[0]

    async def note_export(self, campaign: Campaign, what: str) -> None:
        """Keep that these leave the program: before the first row does."""
        await self.ledger.record_act("export", self.by, campaign.spec.handle, what)

    async def rows(self, campaign_id: int, wanted: PeopleFilter) -> AsyncIterator[Someone]:
        """Those whom the filter means, streamed."""
        async for page in self._pages(campaign_id, wanted):
            for someone in page.people:
                yield someone

    async def _bar(self, phones: list[str]) -> list[bool]:
        reason = self.by.why or DO_NOT_CALL
        return await self.control.suppress([Suppression(phone, reason, SOURCE) for phone in phones])

    async def _pages(self, campaign_id: int, wanted: PeopleFilter) -> AsyncIterator[PeoplePage]:
        after: int | None = 0
        while after is not None:
            page = await self.view.page(campaign_id, wanted, after, PAGE)
            yield page
            after = page.next

    async def _judge(self, campaign_id: int, page: PeoplePage, action: Action) -> Mapping[str, int]:
        """Why each of these is skipped; "" for who is not."""
        match action:
            case "redial":
                settled, skipped = _settled(page)
                verdicts = (
                    await self.verbs.call_again(campaign_id, settled, "", self.by, only_look=True) if settled else {}
                )
                return skipped + Counter(verdicts)
            case "stop":
                return Counter("" if one.row.status in OPEN_CONTACTS else NOT_OPEN for one in page.people)
            case "suppress":
                phones = [one.row.phone for one in page.people]
                barred = await self.view.barred_among(phones) if phones else set()
                return Counter(LISTED_ALREADY if phone in barred else "" for phone in phones)
            case "export":
                return Counter({"": len(page.people)})


def someone_document(someone: Someone) -> dict[str, Any]:
    """A person as JSON keys: a row of the export, its id, and what it waits for."""
    wait = someone.wait
    return {
        "contact_id": someone.contact_id,
        **contact_document(someone.row),
        "waits": wait.kind or None,
        "why": wait.why or None,
        "due_at": iso(wait.until),
    }


def _settled(page: PeoplePage) -> tuple[list[int], Counter[str]]:
    """Who of a page may perhaps be called again, and why the others may not."""
    skipped: Counter[str] = Counter()
    settled = []
    for someone in page.people:
        why = why_not_again(someone.row.status, someone.row.disposition)
        if why:
            skipped[why] += 1
        else:
            settled.append(someone.contact_id)
    return settled, skipped
