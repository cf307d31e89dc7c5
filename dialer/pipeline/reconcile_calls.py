"""The reconciler: call logs become dispositions, lines come free, lost answers are found again.

Read ``ReconcileCalls.tick`` from top to bottom. What each step knows is in its own module: read_log (how far back),
explain_rows (whose call a row is), heed_opt_outs and late_words (what people said, also later), record_rows,
audit_denials, judge_absence (what a missing row means), log_trouble (a log that cannot be read).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
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
from dialer.pipeline.read_log import CLOCK_SKEW_S, LogReader, LogReading
from dialer.pipeline.record_rows import RecordRows
from dialer.ports import CallProvider, Clock, Ledger, LedgerView, LogScan, Matched, OpenAttempt, Pacer

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
    read_at: dict[str, float] = field(default_factory=dict)
    """Account -> when its log was last read."""
    heeded: set[str] = field(default_factory=set)
    """Calls whose opt-out stands in the suppression list."""
    unmapped: list[str] = field(default_factory=list)
    """The words that nobody knows of the last reading; said when they change, as an open call shows them each time."""
    chance: Random = field(default_factory=SystemRandom)
    reader: LogReader = field(init=False)
    follow: FollowCalls = field(init=False)
    late: LateWords = field(init=False)
    trouble: LogTrouble = field(init=False)
    doubts: LogDoubts = field(init=False)
    recorder: RecordRows = field(init=False)

    def __post_init__(self) -> None:
        account = self.provider.account
        reader = LogReader(self.ledger, self.provider, self.horizon_s, self.passing)
        follow = FollowCalls(self.clock, self.chance, self.redial_scale)
        parts = {
            "reader": reader,
            "follow": follow,
            "late": LateWords(self.ledger, self.view, follow, account),
            "trouble": LogTrouble(self.ledger, self.pacer, self.clock, account, self.horizon_s),
            "doubts": LogDoubts(
                self.ledger,
                self.view,
                reader.clock,
                follow,
                account,
                self.provider.silent_when_unanswered,
                self.horizon_s,
            ),
            "recorder": RecordRows(self.ledger, self.pacer, account, self.passing),
        }
        for name, part in parts.items():
            object.__setattr__(self, name, part)

    async def tick(self) -> Reconciled:
        """One round: read the log as far back as it is time for, settle what it shows and what it cannot show."""
        account, started = self.provider.account, self.clock.now()
        waiting = await self.ledger.open_attempts(account, started - 2 * self.horizon_s)
        unsettled = [attempt for attempt in waiting if attempt.state is not AttemptState.UNCONFIRMED]
        late = await self.late.since(started)
        correct = not unsettled and bool(waiting) and self._quiet_s(started) >= CORRECT_EVERY_S
        oldest = unsettled[0].dialed_at if unsettled else None
        whole = self.reader.should_walk(started, oldest, at_once=correct)
        if not unsettled and not whole and late is None:
            return Reconciled()
        campaigns = await self.view.campaigns()
        specs = {campaign.campaign_id: campaign.spec for campaign in campaigns}
        calling = any(c.status is CampaignStatus.RUNNING and c.spec.provider == account for c in campaigns)
        await self._recall(calling, started)

        since, look_since = self._how_far(waiting, unsettled, specs, started, late)
        self.read_at[account] = started
        scan = await self.reader.read(since, started, None if whole else look_since)
        await self._remember(account, since, scan)
        await (self.trouble.over() if scan.failure is None else self.trouble.mind(scan.failure, calling=calling))
        self.passing("reconcile.scanned")

        explained = self.explainer().explain(scan, waiting)
        matched = self._matched(scan, explained, waiting, specs)
        self.passing("reconcile.matched")
        matched = await self._heed(list(scan.rows.values()), matched, scan, waiting, specs)
        ended = await self.recorder.record(matched)
        self.late.mind(matched, started)
        corrected = await self._correct(scan, explained, specs)
        strays = [row.log for row in matched if row.attempt_id is None]
        await AuditDenials(self.ledger, self.view, self.follow, account).audit(strays, specs, since)
        self._learn(scan, matched, waiting)
        over = {row.attempt_id for row in matched if row.log.disposition is not None and not row.leg}
        unseen = [a for a in unsettled if a.attempt_id not in over and a.state is not AttemptState.REVIEW]
        absent = await self.doubts.settle(unseen, matched, scan, specs, calling=calling)
        if absent:
            self.passing("reconcile.closed")
            await self.pacer.release(account, absent)
        await self.doubts.note(self.trouble.words())
        return self._counted(scan, matched, ended, len(absent), corrected, _scarce(unsettled, specs))

    async def hear(self, rows: Sequence[CallLog]) -> int:
        """Take rows that came unasked, such as webhooks, as hints; answers how many attempts ended by them.

        They may come early, twice or never: what matches no open attempt is left to the next reading of the log, and
        silence proves nothing.
        """
        account = self.provider.account
        waiting = await self.ledger.open_attempts(account, self.clock.now() - 2 * self.horizon_s)
        specs = {campaign.campaign_id: campaign.spec for campaign in await self.view.campaigns()}
        heard = LogReading(self.clock.now(), rows={row.call_id: self.reader.clock.corrected(row) for row in rows})
        heard.known.update(await self.ledger.known_calls(account, list(heard.rows)))
        explained = self.explainer().explain(heard, waiting)
        matched = self._matched(heard, explained, waiting, specs)
        matched = await self._heed(rows, matched, heard, waiting, specs)
        ended = await self.recorder.record([row for row in matched if row.attempt_id is not None])
        self.late.mind(matched, self.clock.now())
        await self._correct(heard, explained, specs)
        return ended

    async def _recall(self, calling: bool, now: float) -> None:
        facts = await self.ledger.log_facts(self.provider.account)
        self.trouble.recall(facts.get("trouble", ""))
        await self.doubts.recall(facts, now, calling=calling)

    def _how_far(
        self,
        waiting: Sequence[OpenAttempt],
        unsettled: Sequence[OpenAttempt],
        specs: Mapping[int, CampaignSpec],
        now: float,
        late: float | None,
    ) -> tuple[float, float]:
        """Back to when a walk goes, and to when a look: unix seconds."""
        dialed_at = [attempt.dialed_at for attempt in unsettled]
        back = [attempt.dialed_at for attempt in (unsettled or waiting)[:1]]
        since = min([*back, *([] if late is None else [late])]) - CLOCK_SKEW_S
        if dialed_at and dialed_at[0] + self.horizon_s < now:
            since -= self.doubts.most_shift_s
        look_since = self.reader.since(dialed_at, now, scarce=_scarce(unsettled, specs))
        return since, look_since if late is None else min(look_since, late - CLOCK_SKEW_S)

    def explainer(self) -> ExplainRows:
        """Finds whose calls rows are, and learns from them how the log is written."""
        return ExplainRows(self.reader, self.reader.clock, self.provider.ids_are_final, self.horizon_s)

    def _learn(self, scan: LogReading, matched: Sequence[Matched], waiting: Sequence[OpenAttempt]) -> None:
        dialed_at = {attempt.attempt_id: attempt.dialed_at for attempt in waiting}
        ours = {row.log.call_id: dialed_at[row.attempt_id] for row in matched if row.attempt_id in dialed_at}
        self.reader.remember([row.log for row in matched], ours, scan.started)
        begun = [(ours[row.log.call_id], row.log.started_at) for row in matched if row.log.call_id in ours]
        self.reader.learn(dialed - started for dialed, started in begun if started is not None)

    def _quiet_s(self, now: float) -> float:
        """Since when the log was not read."""
        return now - self.read_at.get(self.provider.account, 0.0)

    async def _heed(
        self,
        rows: Sequence[CallLog],
        matched: list[Matched],
        scan: LogReading,
        waiting: Sequence[OpenAttempt],
        specs: Mapping[int, CampaignSpec],
    ) -> list[Matched]:
        """Before anything is settled by these rows: a redial must not be planned for who asked for none."""
        heeding = HeedOptOuts(self.ledger, self.view, self.provider.account, self.heeded)
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

    async def _remember(self, account: str, since: float, scan: LogReading) -> None:
        """For the story of the attempts that waited. Reading the log matters more than this note."""
        summary = LogScan(scan.started, self.clock.now(), since, scan.pages, len(scan.rows), scan.complete)
        with suppress(LedgerUnavailable):
            await self.ledger.record_scan(account, summary)

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

    def _counted(
        self, scan: LogReading, matched: Sequence[Matched], ended: int, absent: int, corrected: int, scarce: bool
    ) -> Reconciled:
        unmapped = sorted({row.log.raw_status for row in matched if row.log.unmapped})
        if unmapped and unmapped != self.unmapped:
            log.error("log.unmapped_words", account=self.provider.account, words=unmapped)
        self.unmapped[:] = unmapped
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


def _scarce(unsettled: Sequence[OpenAttempt], specs: Mapping[int, CampaignSpec]) -> bool:
    lines = Counter(attempt.campaign_id for attempt in unsettled)
    return any(0 < specs[campaign_id].pace.concurrent_calls <= count for campaign_id, count in lines.items())
