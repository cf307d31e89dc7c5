"""Whose calls are these? Finds the attempt of each row of a reading, and learns from them how the log is written."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import structlog

from dialer.domain.call import CallLog
from dialer.domain.log_clock import LogClock, bounded, further_shift, hours_off, shifted
from dialer.domain.matching import SAME_CALL_S, Match, Matcher, is_agents, same_number
from dialer.pipeline.follow_calls import TALKED
from dialer.pipeline.read_log import CLOCK_SKEW_S, LogReader, LogReading
from dialer.ports import OpenAttempt

log = structlog.get_logger()

ANOTHER_ROW = "another row of the same call"
TEACHERS = 200
"""So many calls that are missed are asked what the log's clock is; they are the youngest."""


@dataclass(slots=True)
class Explained:
    """Rows of a reading that are not settled, with the attempts they belong to."""

    matches: dict[str, Match] = field(default_factory=dict)
    legs: dict[str, int] = field(default_factory=dict)
    """Further rows of calls that another row settles -> the attempt."""
    corrections: dict[str, int] = field(default_factory=dict)
    """Further rows of settled calls which say that somebody talked after all -> the attempt."""


@dataclass(frozen=True)
class ExplainRows:
    """For one account. ``horizon_s``: for how long a call may turn up in the log."""

    reader: LogReader
    clock: LogClock
    ids_are_final: bool
    horizon_s: float

    def explain(self, scan: LogReading, waiting: Sequence[OpenAttempt]) -> Explained:
        """Match every row that is not settled; once more if the log's clock turns out to be off."""
        explained = self._matched(scan, waiting)
        shift = self._further_shift(scan, waiting, explained)
        if shift is not None:
            self.clock.shift_s += shift
            log.warning("log.clock_learned", account=self.reader.provider.account, clock=hours_off(self.clock.shift_s))
            scan.rows = {call_id: shifted(row, -shift) for call_id, row in scan.rows.items()}
            self.clock.behind_s = None
            explained = self._matched(scan, waiting)
        self._learn(scan, waiting, explained)
        self._bound(scan, waiting, explained)
        if not self.ids_are_final:
            self._join_legs(scan, explained)
        return explained

    def _matched(self, scan: LogReading, waiting: Sequence[OpenAttempt]) -> Explained:
        matcher = Matcher(
            self.reader.most_behind_s,
            self.horizon_s,
            self.ids_are_final,
            self._stranded(scan, waiting),
            {call_id: known.first_seen_at for call_id, known in scan.known.items()},
        )
        matcher.add(waiting)
        for call_id, known in scan.known.items():
            if known.settled and known.attempt_id is not None:
                matcher.mislead(call_id, known.attempt_id)
        rows = [row for row in scan.rows.values() if not scan.is_settled(row.call_id) and row.readable]
        explained = Explained()
        for evidence in (matcher.by_id, matcher.by_token, matcher.likely):
            for row in rows:
                if row.call_id not in explained.matches and (match := evidence(row)) is not None:
                    explained.matches[row.call_id] = match
        return explained

    def _stranded(self, scan: LogReading, waiting: Sequence[OpenAttempt]) -> set[int]:
        """Attempts whose time is up and whose call ids are nowhere in a whole log: they need other evidence."""
        if not scan.complete:
            return set()
        return {
            attempt.attempt_id
            for attempt in waiting
            if attempt.call_id not in scan.rows and attempt.dialed_at + self.horizon_s < scan.started
        }

    def _further_shift(self, scan: LogReading, waiting: Sequence[OpenAttempt], explained: Explained) -> float | None:
        """How much further the log's clock is from ours than was thought; None if it is not."""
        attempts = {attempt.attempt_id: attempt for attempt in waiting}
        certain = [
            (scan.rows[call_id], attempts[match.attempt_id].dialed_at)
            for call_id, match in explained.matches.items()
            if match.evidence != "number and time"
        ]
        if certain:
            if any(_begun_sanely(row, dialed_at, scan.started) for row, dialed_at in certain):
                return None
            late_by = [row.started_at - dialed_at for row, dialed_at in certain if row.started_at is not None]
            return further_shift(late_by, alone=True)
        matched = {match.attempt_id for match in explained.matches.values()}
        missed = [attempt for attempt in waiting if attempt.attempt_id not in matched][-TEACHERS:]
        return further_shift(
            self._lateness(scan, missed, explained), alone=len(missed) == 1 and not matched and not self.clock.proven
        )

    def _lateness(self, scan: LogReading, missed: Sequence[OpenAttempt], explained: Explained) -> list[float]:
        """How late the calls to missed attempts' numbers begin, where one row only has come up since."""
        by_ending: dict[str, list[CallLog]] = {}
        for row in scan.rows.values():
            if row.outbound and row.started_at is not None and row.to_number and row.call_id not in explained.matches:
                by_ending.setdefault(row.to_number[-4:], []).append(row)
        late_by = []
        for attempt in missed:
            rows = [
                row
                for row in by_ending.get(attempt.phone[-4:], ())
                if not scan.is_settled(row.call_id)
                and scan.first_seen(row.call_id) >= attempt.dialed_at
                and same_number(row.to_number, attempt.phone)
                and is_agents(row, attempt.agent) is not False
            ]
            begun = {row.started_at for row in rows if row.started_at is not None}
            if begun and max(begun) - min(begun) <= SAME_CALL_S:
                late_by.append(min(begun) - attempt.dialed_at)
        return late_by

    def _learn(self, scan: LogReading, waiting: Sequence[OpenAttempt], explained: Explained) -> None:
        """What the rows of our own calls prove of the log."""
        attempts = {attempt.attempt_id: attempt for attempt in waiting}
        clock = self.clock
        for call_id, match in explained.matches.items():
            row, attempt = scan.rows[call_id], attempts[match.attempt_id]
            clock.shows_numbers = clock.shows_numbers or same_number(row.to_number, attempt.phone)
            clock.shows_token = clock.shows_token or bool(row.token)
            clock.shows_agent = clock.shows_agent or is_agents(row, attempt.agent) is True
            clock.proven = clock.proven or _begun_sanely(row, attempt.dialed_at, scan.started)

    def _bound(self, scan: LogReading, waiting: Sequence[OpenAttempt], explained: Explained) -> None:
        dialed_at = {attempt.attempt_id: attempt.dialed_at for attempt in waiting}
        for call_id, match in explained.matches.items():
            at = dialed_at[match.attempt_id]
            row = bounded(scan.rows[call_id], at, scan.started, CLOCK_SKEW_S)
            if row.disposition is None and row.presumed is not None and at + self.horizon_s < scan.started:
                row = replace(row, disposition=row.presumed)  # its end was never written
            scan.rows[call_id] = row

    def _join_legs(self, scan: LogReading, explained: Explained) -> None:
        """Rows of one number that begin together are one call: any of them may say that somebody talked."""
        partners: dict[str, list[tuple[float, CallLog, int, bool]]] = {}
        unmatched = []
        for row in scan.rows.values():
            if row.started_at is None or not row.to_number or not row.outbound:
                continue
            known, match = scan.known.get(row.call_id), explained.matches.get(row.call_id)
            settled_by = known.attempt_id if known is not None and known.settled else None
            attempt_id = settled_by if match is None else match.attempt_id
            if attempt_id is None:
                unmatched.append((row.started_at, row))
            else:
                partners.setdefault(row.to_number, []).append((row.started_at, row, attempt_id, match is None))
        for begun, row in unmatched:
            near = [one for one in partners.get(row.to_number, ()) if abs(one[0] - begun) <= SAME_CALL_S]
            if near:
                self._join(scan, row, near[0][1:], explained)

    def _join(self, scan: LogReading, row: CallLog, partner: tuple[CallLog, int, bool], explained: Explained) -> None:
        other, attempt_id, settled = partner
        if settled:
            before = scan.known[other.call_id].disposition
            better = row.disposition in TALKED and before not in TALKED
            (explained.corrections if better else explained.legs)[row.call_id] = attempt_id
            return
        lead_id = next(call_id for call_id, match in explained.matches.items() if match.attempt_id == attempt_id)
        if _tells_more(row, scan.rows[lead_id]):
            explained.matches[row.call_id] = replace(explained.matches.pop(lead_id), evidence=ANOTHER_ROW)
            explained.legs[lead_id] = attempt_id
        else:
            explained.legs[row.call_id] = attempt_id


def _begun_sanely(row: CallLog, dialed_at: float, now: float) -> bool:
    """Whether a call of ours begins between its request and now, as far as clocks agree."""
    return row.started_at is not None and dialed_at - CLOCK_SKEW_S <= row.started_at <= now + CLOCK_SKEW_S


def _tells_more(row: CallLog, than: CallLog) -> bool:
    """A call is over when all its rows are; then talk counts more than silence."""
    if row.disposition is None or than.disposition is None:
        return row.disposition is None and than.disposition is not None
    return row.disposition in TALKED and than.disposition not in TALKED
