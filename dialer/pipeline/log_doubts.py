"""Calls that are missed beside rows that nobody explains: the account halts until somebody has looked.

The ledger keeps what is known of the log: its clock, since when it is read, and what an operator said of its rows.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

import structlog

from dialer.domain.call import CallLog
from dialer.domain.campaign import CampaignSpec
from dialer.domain.log_clock import FARTHEST_S, LogClock, hours_off
from dialer.pipeline.follow_calls import FollowCalls
from dialer.pipeline.judge_absence import JudgeAbsence, Verdict
from dialer.pipeline.read_log import LogReading
from dialer.ports import LOG_NOTES, Ledger, LedgerView, Matched, OpenAttempt

log = structlog.get_logger()

SCANS_FOR_ABSENCE = 2
KNOWN, DOUBT = "known", "doubt"
"""Names of facts in the ledger: what is known of the log; since when the account stands halted for a doubt."""


@dataclass
class LogDoubts:
    """Of one account. ``silent``: its log may not show a call that nobody picked up."""

    ledger: Ledger
    view: LedgerView
    clock: LogClock
    follow: FollowCalls
    account: str
    silent: bool
    horizon_s: float
    read_since: float = 0.0
    pardoned_at: float = 0.0
    verdict: Verdict = field(default_factory=Verdict)
    noted: str = "[]"
    _known: str = ""

    @property
    def most_shift_s(self) -> float:
        """How much earlier than its request a call may begin in the log, while no call has shown its clock."""
        return 0.0 if self.clock.proven else FARTHEST_S

    async def recall(self, facts: Mapping[str, str], now: float, *, calling: bool) -> None:
        """Take over what is noted. A campaign that runs after a halt for doubts: the operator has looked."""
        known = facts.get(KNOWN, "")
        if known and known != self._known:
            learned = json.loads(known)
            self.read_since, self.pardoned_at = learned["read_since"], learned["pardoned_at"]
            clock = self.clock
            clock.shift_s, clock.proven = learned["shift_s"], clock.proven or learned["proven"]
            clock.shows_numbers = clock.shows_numbers or learned["shows_numbers"]
            clock.shows_agent = clock.shows_agent or learned["shows_agent"]
            clock.shows_token = clock.shows_token or learned["shows_token"]
            clock.behind_s = learned["behind_s"] if clock.behind_s is None else clock.behind_s
            self._known = known
        self.noted = facts.get(LOG_NOTES, "[]")
        self.read_since = self.read_since or now
        if DOUBT in facts and calling:
            self.pardoned_at = now
            await self.ledger.note_log(self.account, {DOUBT: ""})

    async def settle(
        self,
        unseen: Sequence[OpenAttempt],
        matched: Sequence[Matched],
        scan: LogReading,
        specs: Mapping[int, CampaignSpec],
        *,
        calling: bool,
    ) -> list[int]:
        """Close the calls that are absent, and halt the account for those that are in doubt.

        Answers the attempts whose lines are free.
        """
        self.verdict = Verdict()
        past = [attempt for attempt in unseen if attempt.dialed_at + self.horizon_s < scan.started]
        if not past or not scan.complete:
            return []
        past = await self._looked_for(past, scan.started)
        if not past:
            return []
        own = {row.attempt_id: row.log for row in matched if row.attempt_id is not None and not row.leg}
        strangers = [row.log for row in matched if row.attempt_id is None and row.log.outbound]
        strangers = [row for row in strangers if not self._explained_before(row, scan)]
        shown = await self.ledger.rows_of([attempt.attempt_id for attempt in past])
        judge = JudgeAbsence(self.clock, self.follow, self.silent, self.horizon_s, self.read_since, self.pardoned_at)
        self.verdict = judge.judge(past, own, shown, strangers, scan, specs)
        if self.verdict.doubted and calling:
            await self._halt(self.verdict)
        if not self.verdict.absent:
            return []
        await self.ledger.settle_absent(self.verdict.absent)
        return [absent.attempt_id for absent in self.verdict.absent]

    async def note(self, troubles: Sequence[str]) -> None:
        """Keep what the report says of the log, and what was learned of it; written when it changes only."""
        known = json.dumps({"read_since": self.read_since, "pardoned_at": self.pardoned_at} | asdict(self.clock))
        notes = json.dumps([*troubles, *self._words()])
        changed = {KNOWN: known} if known != self._known else {}
        if notes != self.noted:
            changed[LOG_NOTES] = notes if notes != "[]" else ""
        if changed:
            await self.ledger.note_log(self.account, changed)
        self._known, self.noted = known, notes

    def _words(self) -> list[str]:
        words = []
        if self.clock.shift_s:
            words.append(f"the log's clock is {hours_off(self.clock.shift_s)}; its times are read so")
        if self.verdict.doubted:
            words.append(self._doubt(self.verdict))
        if self.verdict.queued:
            words.append(
                f"{self.verdict.queued} calls are still to be made, the provider says, long after they were asked for"
            )
        return words

    def _doubt(self, verdict: Verdict) -> str:
        return (
            f"{len(verdict.rows)} calls in the log that nobody explains, beside {verdict.doubted} of ours that are not "
            f"found in it: {verdict.why}"
        )

    async def _halt(self, verdict: Verdict) -> None:
        reason = (
            f"{self._doubt(verdict)}. Compare the log with `dialer attempts`, and have it corrected if they are "
            "ours. `dialer start` says that they are not: people whose calls were not found may then be called again"
        )
        halted = await self.ledger.halt_account(self.account, reason)
        await self.ledger.note_log(self.account, {DOUBT: "yes"})
        log.error("log.doubted", account=self.account, calls=verdict.doubted, rows=len(verdict.rows), campaigns=halted)

    async def _looked_for(self, past: Sequence[OpenAttempt], now: float) -> list[OpenAttempt]:
        """Those that enough complete readings, by any process, have looked for since their time was up."""
        oldest = max(past[0].dialed_at + self.horizon_s, now - 2 * self.horizon_s)
        scans = [scan for scan in await self.view.scans(self.account, oldest, now) if scan.whole]
        return [
            attempt
            for attempt in past
            if sum(
                scan.started_at > attempt.dialed_at + self.horizon_s and scan.since <= attempt.dialed_at
                for scan in scans
            )
            >= SCANS_FOR_ABSENCE
        ]

    @staticmethod
    def _explained_before(row: CallLog, scan: LogReading) -> bool:
        known = scan.known.get(row.call_id)
        return known is not None and known.attempt_id is not None
