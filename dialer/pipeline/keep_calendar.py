"""The calendar: campaigns start and end, appointments pass, sources are read again, rounds are made."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import structlog

from dialer.domain.campaign import CampaignSpec, CampaignStatus
from dialer.domain.contact import NewContact
from dialer.domain.cron import next_moment
from dialer.domain.gate import ENDED, PASSED
from dialer.domain.time_zones import zone_of
from dialer.errors import DialerError, LedgerUnavailable, SourceUnavailable
from dialer.pipeline.import_contacts import BATCH_ROWS
from dialer.pipeline.read_source import LEASE_S, OpenSource, ReadSource
from dialer.ports import Campaign, Clock, ImportCounts, Ledger, LedgerView, SourceState

log = structlog.get_logger()

EXPIRE_AT_ONCE = 2_000
RETRY_S = 60.0
"""A round that could not be made is tried again so much later."""
AT_ONCE = 4
"""So many sources are read at a time, beside those that take longer than ``LONG_S``."""
LONG_S = 30.0
LOOK_S = 1.0
AILING_S = 60.0
"""A campaign that fails in a way nobody foresaw is left alone for so long."""
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
    ailing: dict[int, float] = field(default_factory=dict)
    """Campaign -> the monotonic moment up to which it is left alone."""

    async def tick(self) -> None:
        """Start what is due. End contacts whose campaign has ended or whose appointment has passed."""
        for campaign in await self.view.campaigns(over=False):
            if self._is_kept(campaign):
                await self._alone(campaign, self._keep(campaign))

    async def _keep(self, campaign: Campaign) -> None:
        spec, now, id_ = campaign.spec, self.clock.now(), campaign.campaign_id
        if spec.ended(now):
            while await self.ledger.expire(id_, ENDED, EXPIRE_AT_ONCE, passed=False) == EXPIRE_AT_ONCE:
                pass
            return
        if spec.reminder.event:
            await self.ledger.expire(id_, PASSED, EXPIRE_AT_ONCE, passed=True)
        if campaign.status is S.SCHEDULED and _starts(spec, now):
            await self.ledger.move_campaign(id_, "start", "its start has come")
            log.info("campaign.started", campaign=spec.name)

    async def read_sources(self) -> None:
        """Read every source that is due, and make every round that is due. May take as long as the sources do.

        Each by itself: one that fails or hangs keeps no other waiting.
        """
        running: dict[int, tuple[float, asyncio.Task[None]]] = {}
        begun: dict[int, float] = {}
        try:
            while True:
                await self._begin_due(running, begun)
                if not running:
                    return
                tasks = [task for _, task in running.values()]
                await asyncio.wait(tasks, timeout=LOOK_S, return_when=asyncio.FIRST_COMPLETED)
                for id_, (_, task) in list(running.items()):
                    if task.done():
                        del running[id_]
                        task.result()
        finally:
            left = [task for _, task in running.values()]
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    async def _begin_due(self, running: dict[int, tuple[float, "asyncio.Task[None]"]], begun: dict[int, float]) -> None:
        states, now = await self.view.source_states(), self.clock.monotonic()
        for campaign in await self.view.campaigns(over=False):
            id_ = campaign.campaign_id
            lately = now - begun.get(id_, -LOOK_S) < LOOK_S
            short = sum(now - since < LONG_S for since, _ in running.values())
            if short < AT_ONCE and id_ not in running and not lately and self._is_due(campaign, states):
                work = self._recur if campaign.spec.schedule.repeat else self._read
                begun[id_] = now
                running[id_] = now, asyncio.create_task(self._alone(campaign, work(campaign, states)))

    def _is_kept(self, campaign: Campaign) -> bool:
        ails = self.ailing.get(campaign.campaign_id, 0.0) > self.clock.monotonic()
        return campaign.status in KEPT and not campaign.flaw and not ails

    async def _alone(self, campaign: Campaign, work: Awaitable[None]) -> None:
        """Do something for one campaign; whatever it raises, the others go on."""
        try:
            await work
        except LedgerUnavailable:
            raise
        except Exception:
            self.ailing[campaign.campaign_id] = self.clock.monotonic() + AILING_S
            log.exception("campaign.failed", campaign=campaign.spec.name)

    def _is_due(self, campaign: Campaign, states: Mapping[int, SourceState]) -> bool:
        spec, state, now = campaign.spec, states.get(campaign.campaign_id, SourceState()), self.clock.now()
        if not self._is_kept(campaign) or spec.ended(now):
            return False
        if spec.schedule.repeat:
            tried = state.failed_at is not None and now < state.failed_at + RETRY_S
            waits = state.next_at is not None and state.next_at > now
            return campaign.status is S.SCHEDULED and not waits and not tried
        return bool(spec.source.refresh) and (state.next_at is None or state.next_at <= now)

    async def _read(self, campaign: Campaign, states: Mapping[int, SourceState]) -> None:
        name, state = campaign.spec.name, states.get(campaign.campaign_id, SourceState())
        try:
            counts = await self.reader.run(campaign, self.open_source, failures=state.failures)
        except LedgerUnavailable:
            raise
        except SourceUnavailable as unread:
            log.warning("source.unreadable", campaign=name, error=str(unread))
        except DialerError as wrong:
            log.error("source.unusable", campaign=name, error=str(wrong))
        else:
            log.info("source.read", campaign=name, rows=counts.rows, queued=counts.queued, invalid=counts.invalid)

    async def _recur(self, campaign: Campaign, states: Mapping[int, SourceState]) -> None:
        """Make the round that is due, or note when the first one will be."""
        state = states.get(campaign.campaign_id, SourceState())
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
        except Exception as failed:
            error = f"the round failed ({type(failed).__name__})"
            log.exception("round.failed", campaign=campaign.spec.name)
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
        tally = Counter(words)
        counts = ImportCounts(
            len(words), tally["queued"], tally["duplicate"], tally["suppressed"], deferred=tally["deferred"]
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
