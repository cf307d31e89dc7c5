"""The reconciler: call logs become dispositions, lines come free, lost answers are found again.

Read ``ReconcileCalls.tick`` from top to bottom. What each step knows is in its own module: read_log (how far back),
explain_rows (whose call a row is), heed_opt_outs and late_words (what people said, also later), record_rows,
audit_denials, judge_absence (what a missing row means), log_trouble (a log that cannot be read).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from random import Random, SystemRandom

import structlog

from dialer.domain.attempt import AttemptState
from dialer.domain.call import CallLog
from dialer.domain.campaign import CampaignSpec, CampaignStatus
from dialer.domain.checkpoint import Passing, unwatched
from dialer.domain.contact import ContactStatus
from dialer.domain.redial import Redial, Settle
from dialer.errors import LedgerUnavailable
from dialer.pipeline.audit_denials import AuditDenials
from dialer.pipeline.explain_rows import ANOTHER_ROW, Explained, ExplainRows
from dialer.pipeline.follow_calls import FollowCalls
from dialer.pipeline.heed_opt_outs import HeedOptOuts
from dialer.pipeline.late_words import LateWords
from dialer.pipeline.log_doubts import LogDoubts
from dialer.pipeline.log_trouble import LogTrouble
from dialer.pipeline.odd_rows import OddRows
from dialer.pipeline.read_log import CLOCK_SKEW_S, LogReader, LogReading
from dialer.pipeline.record_rows import RecordRows
from dialer.ports import CallProvider, Clock, Ledger, LedgerView, LogScan, Matched, OpenAttempt, Pacer
from dialer.ports.meter import UNMETERED, Meter

log = structlog.get_logger()

CORRECT_EVERY_S = 600.0
"""With nothing else open, the log is still read so often for rows that come after all."""


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What one tick of the reconciler did. ``complete``: the log was read far enough, and without a gap."""

    pages: int = 0
    rows: int = 0
    news: int = 0
    ended: int = 0
    adopted: int = 0
    absent: int = 0
    unmapped: int = 0
    complete: bool = True
    scarce: bool = False
    """Whether a campaign has as many calls open as it may: a freed line is waited for."""
    corrected: int = 0
    """Settled calls whose outcome the log has changed."""
    failed: int = 0
    """Readings in a row that failed."""


@dataclass
class ReaderMemory:
    """What a room knows that its process takes along when it ends: nothing that could be lost, only what saves work."""

    read_at: float = 0.0
    """When the log was last read, in unix seconds."""
    heeded: set[str] = field(default_factory=set)
    """Calls whose opt-out stands in the suppression list."""
    unmapped: Sequence[str] = ()
    """The words that nobody knows of the last reading; said when they change, as an open call shows them each time."""


@dataclass(frozen=True, slots=True)
class Round:
    """What is known when a round begins. Times are unix seconds."""

    started: float
    waiting: Sequence[OpenAttempt]
    """Attempts that wait for the log, oldest first, and those unconfirmed lately."""
    late: float | None
    """When the oldest call began of which more is owed."""
    walk: bool
    """Whether the log is read to its end."""
    specs: Mapping[int, CampaignSpec]
    calling: bool
    """Whether any campaign of the account runs."""

    @property
    def unsettled(self) -> Sequence[OpenAttempt]:
        return _unsettled(self.waiting)

    @property
    def scarce(self) -> bool:
        """Whether a campaign has as many calls open as it may."""
        lines = Counter(attempt.campaign_id for attempt in self.unsettled)
        return any(0 < self.specs[of].pace.concurrent_calls <= count for of, count in lines.items())


@dataclass(frozen=True)
class ReconcileCalls:
    """The reconciler's room, for one account. Times are seconds.

    What must survive the process (what is owed, what was learned of the log, what is in doubt) is in the ledger.
    """

    ledger: Ledger
    view: LedgerView
    provider: CallProvider
    pacer: Pacer
    clock: Clock
    horizon_s: float
    """How long after its intent a call may still turn up in the log."""
    redial_scale: float = 1.0
    passing: Passing = unwatched
    chance: Random = field(default_factory=SystemRandom)
    memory: ReaderMemory = field(default_factory=ReaderMemory)
    meter: Meter = UNMETERED

    @property
    def account(self) -> str:
        """The provider's name for itself."""
        return self.provider.account

    @cached_property
    def reader(self) -> LogReader:
        """How far back the log is read."""
        return LogReader(self.ledger, self.provider, self.horizon_s, self.passing)

    @cached_property
    def follow(self) -> FollowCalls:
        """What follows from an outcome."""
        return FollowCalls(self.clock, self.chance, self.redial_scale)

    @cached_property
    def late(self) -> LateWords:
        """What people said, and the log shows later."""
        return LateWords(self.ledger, self.view, self.follow, self.account)

    @cached_property
    def trouble(self) -> LogTrouble:
        """A log that cannot be read."""
        return LogTrouble(self.ledger, self.pacer, self.clock, self.account, self.horizon_s)

    @cached_property
    def doubts(self) -> LogDoubts:
        """What a missing row means."""
        silent = self.provider.silent_when_unanswered
        return LogDoubts(self.ledger, self.view, self.reader.clock, self.follow, self.account, silent, self.horizon_s)

    @cached_property
    def recorder(self) -> RecordRows:
        """Writes what rows say."""
        return RecordRows(self.ledger, self.pacer, self.account, self.passing, meter=self.meter)

    @cached_property
    def odd(self) -> OddRows:
        """Rows that are counted for those who watch."""
        return OddRows(self.ledger, self.account, self.meter)

    async def tick(self) -> Reconciled:
        """One round: read the log as far back as it is time for, settle what it shows and what it cannot show."""
        begun = await self._begin()
        if begun is None:
            return Reconciled()
        since, scan = await self._read(begun)
        explained, matched = await self._explain(scan, begun)
        ended = await self._record(matched, begun)
        corrected = await self._correct(scan, explained, begun.specs)
        await self._audit(matched, begun, since)
        await self._count(scan, matched, since)
        absent = await self._settle_absent(scan, matched, begun)
        return self._summary(scan, matched, ended, absent, corrected, scarce=begun.scarce)

    async def _begin(self) -> Round | None:
        """What waits for the log; None while nothing does, and it is not time to look for corrections."""
        started = self.clock.now()
        waiting = await self.ledger.open_attempts(self.account, started - 2 * self.horizon_s)
        unsettled = _unsettled(waiting)
        late = await self.late.since(started)
        correct = not unsettled and bool(waiting) and started - self.memory.read_at >= CORRECT_EVERY_S
        walk = self.reader.should_walk(started, unsettled[0].dialed_at if unsettled else None, at_once=correct)
        if not unsettled and not walk and late is None:
            return None
        campaigns = await self.view.campaigns()
        specs = {campaign.campaign_id: campaign.spec for campaign in campaigns}
        calling = any(c.status is CampaignStatus.RUNNING and c.spec.provider == self.account for c in campaigns)
        facts = await self.ledger.log_facts(self.account)
        self.trouble.recall(facts.get("trouble", ""))
        await self.doubts.recall(facts, started, calling=calling)
        return Round(started, waiting, late, walk, specs, calling)

    async def _read(self, begun: Round) -> tuple[float, LogReading]:
        """The log, and since when it was to be read."""
        since, look_since = self._how_far(begun)
        self.memory.read_at = begun.started
        scan = await self.reader.read(since, begun.started, None if begun.walk else look_since)
        await self._remember(since, scan)
        await (self.trouble.over() if scan.failure is None else self.trouble.mind(scan.failure, calling=begun.calling))
        self.passing("reconcile.scanned")
        return since, scan

    async def _explain(self, scan: LogReading, begun: Round) -> tuple[Explained, list[Matched]]:
        """Whose each row is, and what follows; who opted out is on the list before anything is settled by it."""
        explained = self.explainer().explain(scan, begun.waiting)
        matched = self._matched(scan, explained, begun.waiting, begun.specs)
        self.passing("reconcile.matched")
        return explained, await self._heed(list(scan.rows.values()), matched, scan, begun.waiting, begun.specs)

    async def _record(self, matched: Sequence[Matched], begun: Round) -> int:
        ended = await self.recorder.record(matched)
        self.late.mind(matched, begun.started)
        return ended

    async def _audit(self, matched: Sequence[Matched], begun: Round, since: float) -> None:
        """Rows that belong to nobody, and what all rows teach of the log."""
        strays = [row.log for row in matched if row.attempt_id is None]
        audit = AuditDenials(self.ledger, self.view, self.follow, self.account, self.meter)
        await audit.audit(strays, begun.specs, since)
        dialed_at = {attempt.attempt_id: attempt.dialed_at for attempt in begun.waiting}
        ours = {row.log.call_id: dialed_at[row.attempt_id] for row in matched if row.attempt_id in dialed_at}
        self.reader.remember([row.log for row in matched], ours, begun.started)
        moments = [(ours[row.log.call_id], row.log.started_at) for row in matched if row.log.call_id in ours]
        self.reader.learn(dialed - started for dialed, started in moments if started is not None)

    async def _count(self, scan: LogReading, matched: Sequence[Matched], since: float) -> None:
        read = "failed" if scan.failure is not None else "whole" if scan.complete else "partial"
        self.meter.read(self.account, scan.pages, read)
        self.meter.rows(self.account, "ours", sum(1 for row in matched if row.attempt_id is not None))
        self.meter.rows(self.account, "known", sum(1 for call_id in scan.rows if scan.is_settled(call_id)))
        strays = [row.log for row in matched if row.attempt_id is None and row.log.call_id not in scan.known]
        await self.odd.mind(strays, [row.log for row in matched], since, scan.started)

    async def _settle_absent(self, scan: LogReading, matched: Sequence[Matched], begun: Round) -> int:
        """Close what the log cannot show any more; how many."""
        over = {row.attempt_id for row in matched if row.log.disposition is not None and not row.leg}
        unseen = [
            attempt
            for attempt in begun.unsettled
            if attempt.attempt_id not in over and attempt.state is not AttemptState.REVIEW
        ]
        absent = await self.doubts.settle(unseen, matched, scan, begun.specs, calling=begun.calling)
        if absent:
            self.passing("reconcile.closed")
            self._count_absent()
            await self.pacer.release(self.account, absent)
        await self.doubts.note(self.trouble.words())
        return len(absent)

    def _count_absent(self) -> None:
        closed = self.doubts.verdict.absent
        self.meter.absent(self.account, Counter(str(one.disposition) for one in closed))
        for one in closed:
            if isinstance(one.follow, Settle):
                self.meter.finished(one.follow.status)

    async def hear(self, rows: Sequence[CallLog]) -> int:
        """Take rows that came unasked, such as webhooks, as hints; answers how many attempts ended by them.

        They may come early, twice or never: what matches no open attempt is left to the next reading of the log, and
        silence proves nothing.
        """
        waiting = await self.ledger.open_attempts(self.account, self.clock.now() - 2 * self.horizon_s)
        specs = {campaign.campaign_id: campaign.spec for campaign in await self.view.campaigns()}
        heard = LogReading(self.clock.now(), rows={row.call_id: self.reader.clock.corrected(row) for row in rows})
        heard.known.update(await self.ledger.known_calls(self.account, list(heard.rows)))
        explained = self.explainer().explain(heard, waiting)
        matched = self._matched(heard, explained, waiting, specs)
        matched = await self._heed(rows, matched, heard, waiting, specs)
        ended = await self.recorder.record([row for row in matched if row.attempt_id is not None])
        self.late.mind(matched, self.clock.now())
        await self._correct(heard, explained, specs)
        return ended

    def _how_far(self, begun: Round) -> tuple[float, float]:
        """Back to when a walk goes, and to when a look: unix seconds."""
        dialed_at = [attempt.dialed_at for attempt in begun.unsettled]
        back = [attempt.dialed_at for attempt in (begun.unsettled or begun.waiting)[:1]]
        since = min([*back, *([] if begun.late is None else [begun.late])]) - CLOCK_SKEW_S
        if dialed_at and dialed_at[0] + self.horizon_s < begun.started:
            since -= self.doubts.most_shift_s
        look_since = self.reader.since(dialed_at, begun.started, scarce=begun.scarce)
        return since, look_since if begun.late is None else min(look_since, begun.late - CLOCK_SKEW_S)

    def explainer(self) -> ExplainRows:
        """Finds whose calls rows are, and learns from them how the log is written."""
        return ExplainRows(self.reader, self.reader.clock, self.provider.ids_are_final, self.horizon_s)

    async def _heed(
        self,
        rows: Sequence[CallLog],
        matched: list[Matched],
        scan: LogReading,
        waiting: Sequence[OpenAttempt],
        specs: Mapping[int, CampaignSpec],
    ) -> list[Matched]:
        """Before anything is settled by these rows: a redial must not be planned for who asked for none."""
        heeding = HeedOptOuts(self.ledger, self.view, self.account, self.memory.heeded)
        attempts = {attempt.attempt_id: attempt for attempt in waiting}
        gone = await heeding.heed(rows, matched, attempts, scan.known, specs)
        self.passing("reconcile.heeded")
        never = Settle(ContactStatus.SUPPRESSED)
        return [
            replace(row, follow=never) if row.log.call_id in gone and isinstance(row.follow, Redial) else row
            for row in matched
        ]

    async def _correct(self, scan: LogReading, explained: Explained, specs: Mapping[int, CampaignSpec]) -> int:
        corrections = await self.late.corrections(scan, explained.corrections, specs)
        return await self.recorder.correct(corrections)

    async def _remember(self, since: float, scan: LogReading) -> None:
        """For the story of the attempts that waited. Reading the log matters more than this note."""
        summary = LogScan(scan.started, self.clock.now(), since, scan.pages, len(scan.rows), scan.complete)
        with suppress(LedgerUnavailable):
            await self.ledger.record_scan(self.account, summary)

    def _matched(
        self,
        scan: LogReading,
        explained: Explained,
        waiting: Sequence[OpenAttempt],
        specs: Mapping[int, CampaignSpec],
    ) -> list[Matched]:
        """What is to be recorded: rows that settle calls first, then other rows of those calls, then strangers'."""
        attempts = {attempt.attempt_id: attempt for attempt in waiting}
        leads, legs, strays = [], [], []
        for call_id, row in scan.rows.items():
            if scan.is_settled(call_id) or call_id in explained.corrections:
                continue
            match = explained.matches.get(call_id)
            if match is not None:
                attempt = attempts[match.attempt_id]
                spec, follow, owed_until = specs[attempt.campaign_id], None, None
                if row.disposition is not None:
                    follow = self.follow.after(spec, row.disposition, attempt.attempts_made, row)
                    owed_until = self.follow.owed_until(spec, row)
                leads.append(Matched(row, match.attempt_id, match.evidence, follow, owed_until=owed_until))
            elif call_id in explained.legs:
                legs.append(Matched(row, explained.legs[call_id], ANOTHER_ROW, leg=True))
            else:
                strays.append(Matched(row, None))
        return [*leads, *legs, *strays]

    def _summary(
        self, scan: LogReading, matched: Sequence[Matched], ended: int, absent: int, corrected: int, *, scarce: bool
    ) -> Reconciled:
        unmapped = sorted({row.log.raw_status for row in matched if row.log.unmapped})
        if unmapped and unmapped != self.memory.unmapped:
            log.error("log.unmapped_words", account=self.account, words=unmapped)
        self.memory.unmapped = unmapped
        adopted = sum(1 for row in matched if row.attempt_id is not None and row.evidence != "call id")
        return Reconciled(
            pages=scan.pages,
            rows=len(scan.rows),
            news=scan.news,
            ended=ended,
            adopted=adopted,
            absent=absent,
            unmapped=len(unmapped),
            complete=scan.complete,
            scarce=scarce,
            corrected=corrected,
            failed=self.trouble.failed,
        )


def _unsettled(waiting: Sequence[OpenAttempt]) -> list[OpenAttempt]:
    return [attempt for attempt in waiting if attempt.state is not AttemptState.UNCONFIRMED]
