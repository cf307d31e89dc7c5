"""When does a call that is not in the log count as none, and when may it be there unrecognised?

Absence is believed only from complete readings past the horizon, and only where nothing in the log could be the call
that is missed. A row could be it unless something speaks against that: it was there before the call was made, its
token, number, agent or time is another's, and calls of ours have proved that this log shows such things as they are.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dialer.domain.attempt import AttemptState
from dialer.domain.call import CallLog
from dialer.domain.campaign import CampaignSpec
from dialer.domain.contact import ContactStatus
from dialer.domain.disposition import Disposition
from dialer.domain.log_clock import FARTHEST_S, LogClock, hours_off, quarter_of
from dialer.domain.matching import CLOCKS_APART_S, HIDDEN, is_agents, may_be_number, same_number
from dialer.domain.redial import Settle
from dialer.pipeline.follow_calls import FollowCalls
from dialer.pipeline.read_log import CLOCK_SKEW_S, LogReading
from dialer.ports import Absent, OpenAttempt

DAY_S = 86_400.0
DOUBTED_FOR_S, DOUBTED_HORIZONS = DAY_S, 3.0
"""After so long, or so many horizons if that is longer, a call in doubt is given up; its person is not called again."""


@dataclass(slots=True)
class Verdict:
    """Of attempts past their horizon: those that are over, and why the others are in doubt."""

    absent: list[Absent] = field(default_factory=list)
    doubted: int = 0
    rows: set[str] = field(default_factory=set)
    """The rows that may be the calls in doubt."""
    why: str = ""
    queued: int = 0
    """Calls that the provider says are still to come."""


@dataclass(frozen=True)
class JudgeAbsence:
    """For one account. ``silent``: it may not log a call that nobody picked up."""

    clock: LogClock
    follow: FollowCalls
    silent: bool
    horizon_s: float
    read_since: float
    """Since when this log has been read by us (unix seconds): what came up later and was not there is new."""
    pardoned_at: float
    """The operator said that no row seen until then is a call of ours."""

    def judge(
        self,
        past: Sequence[OpenAttempt],
        own: Mapping[int, CallLog],
        shown: Mapping[int, str],
        strangers: Sequence[CallLog],
        scan: LogReading,
        specs: Mapping[int, CampaignSpec],
    ) -> Verdict:
        """``own``: the row of each attempt that has one; ``shown``: what its last row said, also if it is gone."""
        verdict, reasons = Verdict(), Counter[str]()
        for attempt in past:
            row = own.get(attempt.attempt_id)
            if row is not None and row.still_to_come and attempt.dialed_at + self.horizon_s + DAY_S > scan.started:
                verdict.queued += 1
                continue
            said = row.raw_status if row is not None else shown.get(attempt.attempt_id)
            if said is not None:
                gone = "is gone from the log, where it said" if row is None else "still says"
                verdict.absent.append(self._unconfirmed(attempt, specs, f'its row {gone} "{said or "nothing"}"'))
                continue
            suspects = [one for one in strangers if self._may_be(one, attempt, scan)]
            if not suspects:
                verdict.absent.append(self._absent(attempt, specs))
            elif attempt.dialed_at + max(DOUBTED_FOR_S, DOUBTED_HORIZONS * self.horizon_s) < scan.started:
                verdict.absent.append(_given_up(attempt, len(suspects)))
            else:
                verdict.doubted += 1
                verdict.rows.update(one.call_id for one in suspects)
                likeliest = [one for one in suspects if same_number(one.to_number, attempt.phone)] or suspects
                reasons.update(self._why(one, attempt) for one in likeliest)
        verdict.why = reasons.most_common(1)[0][0] if reasons else ""
        return verdict

    def _may_be(self, row: CallLog, attempt: OpenAttempt, scan: LogReading) -> bool:
        seen_at = scan.first_seen(row.call_id)
        if seen_at < attempt.dialed_at - CLOCKS_APART_S or seen_at <= self.pardoned_at:
            return False
        if not row.readable:
            return True
        if row.token and attempt.token and row.token != attempt.token:
            return False
        clock, another = self.clock, not may_be_number(row.to_number, attempt.phone)
        if another and (clock.shows_numbers or is_agents(row, attempt.agent) is False):
            return False
        if clock.shows_agent and is_agents(row, attempt.agent) is False:
            return False
        if row.started_at is None:
            return True
        late = row.started_at - attempt.dialed_at
        if -CLOCK_SKEW_S <= late <= self.horizon_s:
            return True
        if abs(late) > FARTHEST_S + self.horizon_s:
            return False
        # With a clock that was right so far, only what is to the same person and came up since.
        is_new = attempt.dialed_at > self.read_since and seen_at >= attempt.dialed_at
        return not clock.proven or (is_new and same_number(row.to_number, attempt.phone))

    def _why(self, row: CallLog, attempt: OpenAttempt) -> str:
        """What may keep a row from being recognised."""
        if not row.readable:
            return "they cannot be read"
        if HIDDEN in row.to_number:
            return "its numbers are masked, and fit more than one of the people who were called"
        if not row.to_number:
            return "they show no number that can be read"
        if not may_be_number(row.to_number, attempt.phone):
            return "its numbers are not those that were called"
        if row.started_at is None:
            return "they show no time that can be read"
        if is_agents(row, attempt.agent) is False:
            return "they are shown as another agent's"
        late = row.started_at - attempt.dialed_at
        if -CLOCK_SKEW_S <= late <= self.horizon_s:
            return "more than one of them fits"
        return f"its clock is {hours_off(quarter_of(late) or late)}"

    def _absent(self, attempt: OpenAttempt, specs: Mapping[int, CampaignSpec]) -> Absent:
        if not (self.silent and attempt.state is AttemptState.PLACED):
            return self._unconfirmed(attempt, specs, "")
        reason = "accepted, and no row in the log: this provider logs only calls that connected"
        follow = self.follow.after(specs[attempt.campaign_id], Disposition.NO_ANSWER, attempt.attempts_made, None)
        return Absent(attempt.attempt_id, Disposition.NO_ANSWER, reason, follow)

    def _unconfirmed(self, attempt: OpenAttempt, specs: Mapping[int, CampaignSpec], why: str) -> Absent:
        reason = "no outcome in the call log past the horizon" + (f": {why}" if why else "")
        follow = self.follow.after(specs[attempt.campaign_id], Disposition.UNCONFIRMED, attempt.attempts_made, None)
        return Absent(attempt.attempt_id, Disposition.UNCONFIRMED, reason, follow)


def _given_up(attempt: OpenAttempt, suspects: int) -> Absent:
    reason = f"no outcome in the call log, and {suspects} of its rows that nobody explains may be this call"
    return Absent(attempt.attempt_id, Disposition.UNCONFIRMED, reason, Settle(ContactStatus.EXHAUSTED))
