"""The reconciler: call logs become dispositions, lines come free, lost answers are found again."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from random import Random, SystemRandom

import structlog

from dialer.domain.attempt import AttemptState
from dialer.domain.call import CallLog
from dialer.domain.campaign import CampaignSpec
from dialer.domain.checkpoint import Passing, unwatched
from dialer.domain.contact import ContactStatus
from dialer.domain.disposition import Disposition
from dialer.domain.matching import Match, Matcher, contradicts
from dialer.domain.redial import CallBack, Redial, Settle, after_attempt
from dialer.errors import LedgerUnavailable
from dialer.pipeline.heed_opt_outs import HeedOptOuts
from dialer.pipeline.read_log import CLOCK_SKEW_S, LogReader, LogReading
from dialer.ports import (
    Absent,
    CallProvider,
    Clock,
    Denied,
    Ledger,
    LedgerView,
    LogScan,
    Matched,
    OpenAttempt,
    Pacer,
)

log = structlog.get_logger()

CORRECT_EVERY_S = 600.0
"""With nothing else open, the log is still read so often for rows that come after all."""
ANALYSED_WITHIN_S = 900.0
ANALYSED_EVERY_S = 30.0
"""How long after a call its analysis is waited for, and how often it is asked for when nothing else is open."""
ANALYSIS = "/analysis"
SCANS_FOR_ABSENCE = 2
UNREADABLE_PATIENCE = 3
"""Horizons to wait before absence is believed although a row of the log cannot be read."""


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


@dataclass(frozen=True)
class ReconcileCalls:
    """The reconciler's room, for one account. Times are seconds."""

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
    """Account -> when its log was last read; and with ANALYSIS, when as far as calls without one."""
    unseen: dict[int, int] = field(default_factory=dict)
    """Attempt -> complete scans past its horizon, one after the other, that showed nothing of it."""
    unanalysed: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Call that was answered, of which more may come -> when it began, and until when that is waited for."""
    heeded: set[str] = field(default_factory=set)
    """Calls whose opt-out stands in the suppression list."""
    chance: Random = field(default_factory=SystemRandom)
    reader: LogReader = field(init=False)

    def __post_init__(self) -> None:
        reader = LogReader(self.ledger, self.provider, self.horizon_s, self.passing)
        object.__setattr__(self, "reader", reader)

    async def tick(self) -> Reconciled:
        """One round: read the log as far back as it is time for, settle what it shows and what it cannot show."""
        account, started = self.provider.account, self.clock.now()
        waiting = await self.ledger.open_attempts(account, started - 2 * self.horizon_s)
        unsettled = [attempt for attempt in waiting if attempt.state is not AttemptState.UNCONFIRMED]
        late = self._unanalysed_since(started)
        correct = not unsettled and bool(waiting) and self._quiet_s(started) >= CORRECT_EVERY_S
        oldest = unsettled[0].dialed_at if unsettled else None
        whole = self.reader.should_walk(started, oldest, at_once=correct or late is not None)
        if not unsettled and not whole:
            return Reconciled()
        back = [attempt.dialed_at for attempt in (unsettled or waiting)[:1]]
        since = min([*back, *([late] if late is not None and whole else [])]) - CLOCK_SKEW_S
        self.read_at[account] = started
        if late is not None and whole:
            self.read_at[account + ANALYSIS] = started
        specs = {campaign.campaign_id: campaign.spec for campaign in await self.view.campaigns()}
        scarce = _scarce(unsettled, specs)
        look_since = self.reader.since([attempt.dialed_at for attempt in unsettled], started, scarce=scarce)
        scan = await self.reader.read(since, started, None if whole else look_since)
        await self._remember(account, since, scan)
        self._mind_analysis(scan)
        self.passing("reconcile.scanned")
        matched = self._match(scan, waiting, specs, self._stranded(scan, unsettled))
        self.passing("reconcile.matched")
        matched = await self._heed(list(scan.rows.values()), matched, waiting, specs)
        ended = await self._record(account, matched)
        await self._audit(account, matched, specs, since)
        self._learn(scan, matched, waiting)
        over = {row.attempt_id for row in matched if row.log.disposition is not None}
        absent = await self._settle_absent(
            account, [attempt for attempt in unsettled if attempt.attempt_id not in over], specs, scan
        )
        return self._told(scan, matched, ended, absent, scarce)

    async def hear(self, rows: Sequence[CallLog]) -> int:
        """Take rows that came unasked, such as webhooks, as hints; answers how many attempts ended by them.

        They may come early, twice or never: what matches no open attempt is left to the next reading of the log, and
        silence proves nothing.
        """
        account = self.provider.account
        waiting = await self.ledger.open_attempts(account, self.clock.now() - 2 * self.horizon_s)
        specs = {campaign.campaign_id: campaign.spec for campaign in await self.view.campaigns()}
        heard = LogReading(self.clock.now(), rows={row.call_id: row for row in rows})
        heard.settled |= (await self.ledger.known_calls(account, list(heard.rows))).keys()
        matched = self._match(heard, waiting, specs, set())
        matched = await self._heed(rows, matched, waiting, specs)
        return await self._record(account, [row for row in matched if row.attempt_id is not None])

    def _learn(self, scan: LogReading, matched: Sequence[Matched], waiting: Sequence[OpenAttempt]) -> None:
        dialed_at = {attempt.attempt_id: attempt.dialed_at for attempt in waiting}
        ours = {row.log.call_id: dialed_at[row.attempt_id] for row in matched if row.attempt_id in dialed_at}
        self.reader.remember([row.log for row in matched], ours, scan.started)
        begun = [(ours[row.log.call_id], row.log.started_at) for row in matched if row.log.call_id in ours]
        self.reader.learn(dialed - started for dialed, started in begun if started is not None)

    def _quiet_s(self, now: float, what: str = "") -> float:
        """Since when the log was not read, or not for ``what``."""
        return now - self.read_at.get(self.provider.account + what, 0.0)

    def _unanalysed_since(self, now: float) -> float | None:
        """When the oldest call began of which it is time to ask again what was said."""
        if not self.unanalysed:
            self.read_at[self.provider.account + ANALYSIS] = now
        if self._quiet_s(now, ANALYSIS) < ANALYSED_EVERY_S:
            return None
        for call_id in [call_id for call_id, (_, until) in self.unanalysed.items() if until <= now]:
            del self.unanalysed[call_id]
        return min((began_at for began_at, _ in self.unanalysed.values()), default=None)

    def _mind_analysis(self, scan: LogReading) -> None:
        now = scan.started
        for call_id, row in scan.rows.items():
            if row.analysed:
                self.unanalysed.pop(call_id, None)
            elif row.disposition is Disposition.ANSWERED and (row.ended_at or now) + ANALYSED_WITHIN_S > now:
                began_at, until = row.started_at or now, (row.ended_at or now) + ANALYSED_WITHIN_S
                self.unanalysed.setdefault(call_id, (began_at, until))

    async def _heed(
        self,
        rows: Sequence[CallLog],
        matched: list[Matched],
        waiting: Sequence[OpenAttempt],
        specs: Mapping[int, CampaignSpec],
    ) -> list[Matched]:
        """Before anything is settled by these rows: a row that is settled is not read again."""
        heeding = HeedOptOuts(self.ledger, self.view, self.provider.account, self.heeded)
        gone = await heeding.heed(rows, matched, {attempt.attempt_id: attempt for attempt in waiting}, specs)
        self.passing("reconcile.heeded")
        never = Settle(ContactStatus.SUPPRESSED)
        return [
            replace(row, follow=never) if row.log.call_id in gone and isinstance(row.follow, Redial) else row
            for row in matched
        ]

    async def _remember(self, account: str, since: float, scan: LogReading) -> None:
        """For the story of whoever waited for it; to read the log matters more than to say so."""
        whole = scan.complete and not scan.unreadable
        told = LogScan(scan.started, self.clock.now(), since, scan.pages, len(scan.rows), whole)
        with suppress(LedgerUnavailable):
            await self.ledger.record_scan(account, told)

    def _stranded(self, scan: LogReading, unsettled: Sequence[OpenAttempt]) -> set[int]:
        """Attempts whose call ids are nowhere in a whole log, though their time is up: other evidence must do."""
        if not scan.complete:
            return set()
        return {
            attempt.attempt_id
            for attempt in unsettled
            if attempt.call_id not in scan.rows and attempt.dialed_at + self.horizon_s < scan.started
        }

    def _match(
        self,
        scan: LogReading,
        waiting: Sequence[OpenAttempt],
        specs: Mapping[int, CampaignSpec],
        stranded: set[int],
    ) -> list[Matched]:
        attempts = {attempt.attempt_id: attempt for attempt in waiting}
        matcher = Matcher(CLOCK_SKEW_S, self.horizon_s, self.provider.ids_are_final, stranded)
        matcher.add(waiting)
        rows = [row for call_id, row in scan.rows.items() if call_id not in scan.settled]
        found: dict[str, Match] = {}
        for evidence in (matcher.by_id, matcher.by_token, matcher.likely):
            for row in rows:
                if row.call_id not in found and (match := evidence(row)) is not None:
                    found[row.call_id] = match
        return [self._matched(row, found.get(row.call_id), attempts, specs) for row in rows]

    def _matched(
        self,
        row: CallLog,
        match: Match | None,
        attempts: Mapping[int, OpenAttempt],
        specs: Mapping[int, CampaignSpec],
    ) -> Matched:
        if match is None:
            return Matched(row, None)
        attempt = attempts[match.attempt_id]
        follow = None
        if row.disposition is not None:
            follow = self._follow(specs[attempt.campaign_id], row.disposition, attempt, row)
        return Matched(row, match.attempt_id, match.evidence, follow)

    def _follow(
        self, spec: CampaignSpec, disposition: Disposition, attempt: OpenAttempt | Denied, row: CallLog | None
    ) -> Redial | Settle:
        at = self.clock.now() if row is None or row.ended_at is None else row.ended_at
        luck = self.chance.random() if spec.redial.jitter_s else 0.0
        call_back = CallBack(row.callback_at) if row is not None and row.callback_requested else None
        return after_attempt(
            spec.redial, disposition, attempt.number_of, at, self.redial_scale, luck=luck, call_back=call_back
        )

    async def _record(self, account: str, matched: Sequence[Matched]) -> int:
        if not matched:
            return 0
        ended = await self.ledger.record_logs(account, matched)
        self.passing("reconcile.recorded")
        over = [row.attempt_id for row, won in zip(matched, ended, strict=True) if won and row.attempt_id is not None]
        await self.pacer.release(account, over)
        self.passing("reconcile.released")
        return len(over)

    async def _audit(
        self, account: str, matched: Sequence[Matched], specs: Mapping[int, CampaignSpec], since: float
    ) -> None:
        """A call that the provider said it had not placed: no answer of that kind can be believed any more."""
        strays = [row.log for row in matched if row.attempt_id is None]
        denied = await self.ledger.denied_sends(account, since) if strays else []
        # A row may belong to an attempt that is being dialed now, and that nobody may match yet.
        busy = {attempt.phone for attempt in await self.view.live_attempts(account)} if denied else set()
        phantoms = [
            self._phantom(row, send, by, specs)
            for row in strays
            for send, by in _contradicted(row, denied)
            if by == "token" or send.phone not in busy
        ]
        if not phantoms:
            return
        ended = await self.ledger.record_phantoms(account, phantoms)
        reason = f"{phantoms[0].evidence}. Check with the provider before `dialer start`"
        halted = await self.ledger.halt_account(account, reason)
        log.error("provider.lied", account=account, calls=len(phantoms), ended=sum(ended), campaigns=halted)

    def _phantom(self, row: CallLog, send: Denied, by: str, specs: Mapping[int, CampaignSpec]) -> Matched:
        evidence = (
            f"the log shows a call of attempt {send.attempt_id} (by {by}), to which the provider had answered that it "
            f'placed nothing: "{send.answer}"'
        )
        follow = None
        if row.disposition is not None:
            follow = self._follow(specs[send.campaign_id], row.disposition, send, row)
        return Matched(row, send.attempt_id, evidence, follow)

    async def _settle_absent(
        self,
        account: str,
        unseen: Sequence[OpenAttempt],
        specs: Mapping[int, CampaignSpec],
        scan: LogReading,
    ) -> int:
        """Believe that a call left no outcome: only from complete scans that began after the horizon.

        A row that cannot be read might be the one that is missed: then the wait is longer, but not for ever.
        """
        patience_s = self.horizon_s * (UNREADABLE_PATIENCE if scan.unreadable else 1)
        past = [attempt for attempt in unseen if attempt.dialed_at + patience_s < scan.started]
        if not scan.complete:
            return 0
        looked = {attempt.attempt_id: self.unseen.get(attempt.attempt_id, 0) + 1 for attempt in past}
        self.unseen.clear()
        self.unseen.update(looked)
        past = [attempt for attempt in past if looked[attempt.attempt_id] >= SCANS_FOR_ABSENCE]
        if not past:
            return 0
        closed = await self.ledger.settle_absent(
            [self._absent(attempt, specs[attempt.campaign_id], scan) for attempt in past]
        )
        self.passing("reconcile.closed")
        await self.pacer.release(account, [attempt.attempt_id for attempt in past])
        return sum(closed)

    def _absent(self, attempt: OpenAttempt, spec: CampaignSpec, scan: LogReading) -> Absent:
        open_row = scan.rows.get(attempt.call_id or "")
        silent = attempt.state is AttemptState.PLACED and self.provider.silent_when_unanswered and open_row is None
        disposition = Disposition.NO_ANSWER if silent else Disposition.UNCONFIRMED
        reason = (
            "accepted, and no row in the log: this provider logs only calls that connected"
            if silent
            else "no outcome in the call log past the horizon"
        )
        if open_row is not None:
            reason += f': its row still says "{open_row.raw_status}"'
        return Absent(attempt.attempt_id, disposition, reason, self._follow(spec, disposition, attempt, None))

    def _told(self, scan: LogReading, matched: Sequence[Matched], ended: int, absent: int, scarce: bool) -> Reconciled:
        unmapped = sorted({row.log.raw_status for row in matched if row.log.unmapped})
        if unmapped:
            log.error("log.unmapped_words", account=self.provider.account, words=unmapped)
        adopted = sum(1 for row in matched if row.attempt_id is not None and row.evidence != "call id")
        complete = scan.complete and not scan.unreadable
        return Reconciled(
            scan.pages, len(scan.rows), scan.news, ended, adopted, absent, len(unmapped), complete, scarce
        )


def _scarce(unsettled: Sequence[OpenAttempt], specs: Mapping[int, CampaignSpec]) -> bool:
    lines = Counter(attempt.campaign_id for attempt in unsettled)
    return any(0 < specs[campaign_id].pace.concurrent_calls <= count for campaign_id, count in lines.items())


def _contradicted(row: CallLog, denied: Sequence[Denied]) -> list[tuple[Denied, str]]:
    """The request whose answer this row gives the lie, if any, and by what evidence."""
    found = [(send, contradicts(row, send.token, send.phone, send.sent_at)) for send in denied]
    return [(send, by) for send, by in found if by][:1]
