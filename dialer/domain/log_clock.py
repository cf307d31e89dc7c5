"""By how much a log's clock differs from ours, as our own calls teach it.

A log may be written in local time without a zone. Then each of its times is off by one and the same number of quarters
of an hour; less than that is a call that waited for its turn, or two clocks that are not quite together.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dialer.domain.call import CallLog

QUARTER_S = 900.0
FARTHEST_S = 14.5 * 3600.0
"""No zone is farther from UTC, with a bit to spare."""
AHEAD_S, BEHIND_S = 300.0, 540.0
"""How much earlier or later than its request a call begins by a clock that is wrong by whole quarters only."""
CLOSE_S = 120.0
"""One call alone teaches a clock only if it begins so close to its request."""


@dataclass(slots=True)
class LogClock:
    """What is known of one account's log. ``shift_s``: how much later its times are than ours.

    ``proven``: calls of ours were found where their requests say. ``shows_numbers`` and ``shows_agent``: those calls
    showed the number, and the agent, that we know; ``shows_token``: and our token. ``behind_s``: the most that one was
    seen to begin before its request, by two clocks.
    """

    shift_s: float = 0.0
    proven: bool = False
    shows_numbers: bool = False
    shows_agent: bool = False
    shows_token: bool = False
    behind_s: float | None = None

    def corrected(self, row: CallLog) -> CallLog:
        """The row with its times by our clock."""
        return shifted(row, -self.shift_s)


def shifted(row: CallLog, by_s: float) -> CallLog:
    """The row with its times moved."""
    if by_s == 0 or (row.started_at is None and row.ended_at is None):
        return row
    begun = None if row.started_at is None else row.started_at + by_s
    over = None if row.ended_at is None else row.ended_at + by_s
    return replace(row, started_at=begun, ended_at=over)


def bounded(row: CallLog, dialed_at: float, now: float, skew_s: float) -> CallLog:
    """The row without times that cannot be: a call begins about when it was asked for, and is over by now."""
    begun = (
        row.started_at if row.started_at is not None and dialed_at - skew_s <= row.started_at <= now + skew_s else None
    )
    over = row.ended_at if row.ended_at is not None and dialed_at - skew_s <= row.ended_at <= now + skew_s else None
    if (begun, over) == (row.started_at, row.ended_at):
        return row
    return replace(row, started_at=begun, ended_at=over)


def further_shift(late_by: Sequence[float], alone: bool) -> float | None:
    """By how many seconds more the log's clock differs, if calls that are not where they should be agree on it.

    ``late_by``: how much later than its request each of them begins; negative for earlier. ``alone``: no other call
    is missed, so that one is enough.
    """
    quarters = Counter(quarter for late in late_by if (quarter := quarter_of(late)) is not None)
    if not quarters:
        return None
    # Where all are off by the same seconds beyond that, the clock is not only in another zone, but wrong.
    (best, count), *others = quarters.most_common()
    if others and others[0][1] * 2 > count:
        return None
    if count >= 2:
        of_best = [late - best for late in late_by if quarter_of(late) == best]
        drifted = max(of_best) - min(of_best) <= CLOSE_S < abs(min(of_best))
        return best + round(min(of_best)) if drifted else best
    close = any(abs(late - best) <= CLOSE_S for late in late_by)
    return best if alone and close and len(late_by) == 1 else None


def quarter_of(late_s: float) -> float | None:
    """The whole quarters of an hour in a difference; None where it is no zone's."""
    quarter = QUARTER_S * ((late_s + AHEAD_S) // QUARTER_S)
    fits = quarter != 0 and abs(quarter) <= FARTHEST_S and late_s - quarter <= BEHIND_S
    return quarter if fits else None


def hours_off(shift_s: float) -> str:
    """A difference in words: "5.5 h ahead", "10 min behind"."""
    size = abs(shift_s)
    amount = f"{size / 3600:.3g} h" if size >= 3600 else f"{size / 60:.0f} min"
    return f"{amount} {'ahead' if shift_s > 0 else 'behind'}"
