"""A campaign's source is read, for the first time or again: who is new, who changed, who is gone."""

from collections import Counter
from collections.abc import Callable, Sequence
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
FIRST_RETRY_S, LONGEST_RETRY_S = 60.0, 900.0
"""A source that failed is read again so much later, and after each further failure later still."""
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

    async def run(
        self, campaign: Campaign, opened: OpenSource, patience_s: float = 0.0, failures: int = 0
    ) -> ImportCounts:
        """Answers what the rows became; those that are contacts already are duplicates.

        Waits ``patience_s`` for another reader; ``failures`` is how many readings failed in a row before this one.
        Raises SourceUnavailable when there is another reader, or the source cannot be read, whatever went wrong;
        InputFileError when its columns do not fit; UsageError for its address; LedgerUnavailable.
        """
        reading = await self._begin(campaign.campaign_id, patience_s)
        words: Counter[str] = Counter()
        outlook = outlook_of(campaign.spec, self.clock.now())
        error, brought = INTERRUPTED, None

        async def store(contacts: Sequence[NewContact]) -> Sequence[str]:
            results = await self.ledger.take_rows(campaign.campaign_id, reading, contacts, LEASE_S)
            if "stale" in results:
                raise SourceUnavailable("another reading of the source has begun meanwhile")
            words.update(results)
            return results

        try:
            source, rejects = opened(campaign.spec), self.rejects(campaign.spec.name)
            counts = await count_rows(source, store, rejects, outlook, self.ledger.suppress)
            await self.ledger.drop_gone(campaign.campaign_id, reading, LEASE_S)
            error, brought = "", _whole(counts, words)
        except DialerError as failed:
            error = str(failed)
            raise
        except Exception as broken:
            # Not its message: it may hold what a row says, or what the address was filled with.
            error = f"reading the source failed in a way nobody foresaw ({type(broken).__name__})"
            raise SourceUnavailable(error) from broken
        finally:
            next_at = self._next_at(campaign.spec, error, failures)
            with suppress(LedgerUnavailable):
                await self.ledger.end_reading(campaign.campaign_id, reading, next_at, error, brought)
        return counts

    def _next_at(self, spec: CampaignSpec, error: str, failures: int) -> float | None:
        now = self.clock.now()
        if not spec.source.refresh or error == INTERRUPTED:
            return now if error == INTERRUPTED else None
        return now + retry_s(failures) if error else next_reading(spec, now)

    async def _begin(self, campaign_id: int, patience_s: float) -> int:
        until = self.clock.monotonic() + patience_s
        while (reading := await self.ledger.begin_reading(campaign_id, self.holder, LEASE_S)) is None:
            if self.clock.monotonic() >= until:
                raise SourceUnavailable("the source is being read by another process")
            await self.clock.sleep(LOOK_AGAIN_S)
        return reading


def retry_s(failures: int) -> float:
    """After how many seconds a source that failed is read again; ``failures``: those in a row before this one."""
    return float(min(FIRST_RETRY_S * 2 ** min(failures, 10), LONGEST_RETRY_S))


def next_reading(spec: CampaignSpec, now: float) -> float | None:
    """When the source is to be read again after ``now`` (unix seconds); None: never."""
    return next_moment(spec.source.refresh, spec.cron_zone, now) if spec.source.refresh else None


def _whole(counts: ImportCounts, words: Counter[str]) -> ImportCounts:
    """What stands in the report: every row that is a contact, whichever reading brought it first."""
    before = sum(words[word] for word in HERE_BEFORE)
    return replace(counts, queued=counts.queued + before, duplicate=counts.duplicate - before)
