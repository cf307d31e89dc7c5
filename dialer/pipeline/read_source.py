"""A campaign's source is read, for the first time or again: who is new, who changed, who is gone."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from dialer.domain.campaign import CampaignSpec
from dialer.domain.contact import NewContact
from dialer.domain.cron import next_moment
from dialer.domain.outlook import outlook_of
from dialer.errors import DialerError, LedgerUnavailable, SourceUnavailable
from dialer.pipeline.import_contacts import OpenRejects, count_rows
from dialer.ports import Campaign, Clock, ContactSource, ImportCounts, Ledger

LEASE_S = 120.0
"""How long a reader may be silent: longer than a database takes for the next few thousand rows."""
LOOK_AGAIN_S = 0.5
INTERRUPTED = "the reading was interrupted"
OpenSource = Callable[[CampaignSpec], ContactSource]
HERE_BEFORE = ("known", "changed")


@dataclass(frozen=True)
class ReadSource:
    """One complete reading of a source: safe to cut off at any moment, and to run in any number of processes.

    Rows take effect as they are read; who is gone is cancelled only after the last one.
    """

    ledger: Ledger
    clock: Clock
    rejects: Callable[[str], OpenRejects]
    """Given the campaign's name."""
    holder: str

    async def run(self, campaign: Campaign, opened: OpenSource, patience_s: float = 0.0) -> ImportCounts:
        """Answers what the rows became; those that are contacts already are duplicates.

        Waits ``patience_s`` for another reader. Raises SourceUnavailable when there is one, or the source cannot be
        read; InputFileError when its columns do not fit; UsageError for its address; LedgerUnavailable.
        """
        reading = await self._begin(campaign.campaign_id, patience_s)
        words: Counter[str] = Counter()
        outlook = outlook_of(campaign.spec, self.clock.now())
        error, brought = INTERRUPTED, None

        async def store(contacts: Sequence[NewContact]) -> Sequence[str]:
            told = await self.ledger.take_rows(campaign.campaign_id, reading, contacts, LEASE_S)
            if "stale" in told:
                raise SourceUnavailable("another reading of the source has begun meanwhile")
            words.update(told)
            return ["duplicate" if what in HERE_BEFORE else what for what in told]

        try:
            counts = await count_rows(
                opened(campaign.spec), store, self.rejects(campaign.spec.name), outlook, self.ledger.suppress, _unknown
            )
            await self.ledger.drop_gone(campaign.campaign_id, reading, LEASE_S)
            error, brought = "", _whole(counts, words)
        except DialerError as failed:
            error = str(failed)
            raise
        finally:
            now = self.clock.now()
            next_at = now if error == INTERRUPTED else next_reading(campaign.spec, now)
            with suppress(LedgerUnavailable):
                await self.ledger.end_reading(campaign.campaign_id, reading, next_at, error, brought)
        return counts

    async def _begin(self, campaign_id: int, patience_s: float) -> int:
        until = self.clock.monotonic() + patience_s
        while (reading := await self.ledger.begin_reading(campaign_id, self.holder, LEASE_S)) is None:
            if self.clock.monotonic() >= until:
                raise SourceUnavailable("the source is being read by another process")
            await self.clock.sleep(LOOK_AGAIN_S)
        return reading


async def _unknown(_: Sequence[str]) -> Mapping[str, int]:
    """Rows of a source have no number that stays."""
    return {}


def next_reading(spec: CampaignSpec, now: float) -> float | None:
    """When the source is to be read again after ``now`` (unix seconds); None: never."""
    return next_moment(spec.source.refresh, spec.cron_zone, now) if spec.source.refresh else None


def _whole(counts: ImportCounts, words: Counter[str]) -> ImportCounts:
    """What stands in the report: every row that is a contact, whichever reading brought it first."""
    before = sum(words[word] for word in HERE_BEFORE)
    return replace(counts, queued=counts.queued + before, duplicate=counts.duplicate - before)
