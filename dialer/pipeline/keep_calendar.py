"""The calendar: campaigns start and end, appointments pass, sources are read again, rounds are made."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from dialer.domain.campaign import CampaignSpec, CampaignStatus
from dialer.domain.contact import NewContact
from dialer.domain.cron import next_moment
from dialer.domain.gate import ENDED, PASSED
from dialer.domain.time_zones import zone_of
from dialer.errors import DialerError, SourceUnavailable
from dialer.pipeline.import_contacts import BATCH_ROWS
from dialer.pipeline.read_source import LEASE_S, OpenSource, ReadSource
from dialer.ports import Campaign, Clock, ImportCounts, Ledger, LedgerView, SourceState

log = structlog.get_logger()

EXPIRE_AT_ONCE = 2_000
RETRY_S = 60.0
"""A round that could not be made is tried again so much later."""
S = CampaignStatus
KEPT = frozenset({S.SCHEDULED, S.RUNNING, S.PAUSED, S.HALTED})


@dataclass(frozen=True)
class KeepCalendar:
    """The calendar's room; safe to run in any number of processes, at any time."""

    ledger: Ledger
    view: LedgerView
    clock: Clock
    reader: ReadSource
    open_source: OpenSource

    async def tick(self) -> None:
        """Start what is due to start; end who waits in vain: the campaign has ended, or the appointment passed."""
        for campaign in await self.view.campaigns():
            spec, now, id_ = campaign.spec, self.clock.now(), campaign.campaign_id
            if campaign.status not in KEPT:
                continue
            if spec.ended(now):
                while await self.ledger.expire(id_, ENDED, EXPIRE_AT_ONCE, passed=False) == EXPIRE_AT_ONCE:
                    pass
                continue
            if spec.reminder.event:
                await self.ledger.expire(id_, PASSED, EXPIRE_AT_ONCE, passed=True)
            if campaign.status is S.SCHEDULED and _starts(spec, now):
                await self.ledger.move_campaign(id_, "start", "its start has come")
                log.info("campaign.started", campaign=spec.name)

    async def read_sources(self) -> None:
        """Read every source that is due, and make every round that is due. May take as long as the sources do."""
        states = await self.view.source_states()
        for campaign in await self.view.campaigns():
            if campaign.status not in KEPT or campaign.spec.ended(self.clock.now()):
                continue
            if campaign.spec.schedule.repeat:
                await self._recur(campaign, states)
            elif campaign.spec.source.refresh and self._due(states.get(campaign.campaign_id)):
                await self._read(campaign)

    def _due(self, state: SourceState | None) -> bool:
        return state is None or state.next_at is None or state.next_at <= self.clock.now()

    async def _read(self, campaign: Campaign) -> None:
        name = campaign.spec.name
        try:
            counts = await self.reader.run(campaign, self.open_source)
        except SourceUnavailable as unread:
            log.warning("source.unreadable", campaign=name, error=str(unread))
        except DialerError as wrong:
            log.error("source.unusable", campaign=name, error=str(wrong))
        else:
            log.info("source.read", campaign=name, rows=counts.rows, queued=counts.queued, invalid=counts.invalid)

    async def _recur(self, campaign: Campaign, states: Mapping[int, SourceState]) -> None:
        """Make the round that is due, or note when the first one will be."""
        state, now = states.get(campaign.campaign_id, SourceState()), self.clock.now()
        waits = state.next_at is not None and state.next_at > now
        tried = state.failed_at is not None and now < state.failed_at + RETRY_S
        if campaign.status is not S.SCHEDULED or waits or tried:
            return
        reading = await self.ledger.begin_reading(campaign.campaign_id, self.reader.holder, LEASE_S)
        if reading is None:
            return
        error, next_at = "the round was interrupted", state.next_at
        try:
            if state.next_at is not None:
                await self._round(campaign, state.next_at)
            error, next_at = "", _next_round(campaign.spec, self.clock.now())
        except DialerError as failed:
            error = str(failed)
            log.warning("round.failed", campaign=campaign.spec.name, error=error)
        finally:
            await self.ledger.end_reading(campaign.campaign_id, reading, next_at, error)

    async def _round(self, campaign: Campaign, due_at: float) -> None:
        """Everybody on the list again, as a campaign of its own; goes on where an earlier try stopped."""
        spec = campaign.spec
        schedule = replace(spec.schedule, start=None, repeat="")
        made = await self.ledger.open_campaign(replace(spec, name=round_name(spec, due_at), schedule=schedule))
        if made.status is not S.DRAFT:
            return
        if spec.source.url:
            await self.reader.run(made, self.open_source)
        else:
            await self._copy(campaign, made)
        await self.ledger.move_campaign(made.campaign_id, "reopen", "its round has come")
        log.info("round.started", campaign=made.spec.name)

    async def _copy(self, campaign: Campaign, made: Campaign) -> None:
        people: list[NewContact] = []
        words: list[str] = []
        async for contact in self.view.listed(campaign.campaign_id):
            people.append(contact)
            if len(people) == BATCH_ROWS:
                words += await self.ledger.add_contacts(made.campaign_id, people)
                people.clear()
        words += await self.ledger.add_contacts(made.campaign_id, people)
        told = Counter(words)
        counts = ImportCounts(
            len(words), told["queued"], told["duplicate"], told["suppressed"], deferred=told["deferred"]
        )
        await self.ledger.record_import(made.campaign_id, "round", campaign.spec.name, counts)


def round_name(spec: CampaignSpec, due_at: float) -> str:
    """The campaign's name and the moment, on the clocks of its zone."""
    return f"{spec.name} {datetime.fromtimestamp(due_at, zone_of(spec.cron_zone)):%Y-%m-%d %H:%M}"


def _next_round(spec: CampaignSpec, now: float) -> float:
    start = spec.schedule.start
    return next_moment(spec.schedule.repeat, spec.cron_zone, now if start is None else max(now, start - 1.0))


def _starts(spec: CampaignSpec, now: float) -> bool:
    return not spec.schedule.repeat and spec.schedule.start is not None and now >= spec.schedule.start
