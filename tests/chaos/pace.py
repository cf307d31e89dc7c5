"""How fast, how many at once, and never after an operator was told that it had stopped: by the provider's clock."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise

from tests.acceptance.dialer_process import PLACE_PATHS
from tests.chaos.agreements import Agreement, Evidence, token_of
from tests.chaos.faults import Happened
from tests.chaos.records import Row

TAKES_HOLD_S = 2.0
"""A new rate is in use everywhere so long after it was acknowledged."""
JITTER = 1
"""Requests that may fall into a rolling second too early or too late, between the slot and the provider's clock."""


def placing(seen: Evidence) -> list[float]:
    """When each request for a call was received."""
    return sorted(request["at"] for request in seen.requests if request["path"] in PLACE_PATHS)


def rates_are_kept(seen: Evidence, happened: Happened) -> Agreement:
    """No rolling second holds more requests than the highest rate that was in force in it, and the jitter."""
    found = Agreement("rate kept")
    at, first = placing(seen), 0
    most: dict[float, int] = defaultdict(int)
    for last, moment in enumerate(at):
        while moment - at[first] >= 1:
            first += 1
        rate, count = _rate_at(happened, at[first], moment), last - first + 1
        most[rate] = max(most[rate], count)
        if count > rate + JITTER:
            found.against.append(f"{count} requests in a second at {rate:g} calls/s")
    highest = ", ".join(f"{count} at {rate:g} calls/s" for rate, count in sorted(most.items()))
    found.told = f"{len(at)} requests, {len(happened.rates)} changes; most in a rolling second: {highest}"
    return found


def _rate_at(happened: Happened, start: float, end: float) -> float:
    """The highest rate that may have been in force at any moment of a window."""
    changes = happened.rates
    spans = [(one[0], other[1] + TAKES_HOLD_S, one[2]) for one, other in pairwise(changes)]
    spans.append((changes[-1][0], float("inf"), changes[-1][2]))
    return max(rate for since, until, rate in spans if since <= end and start <= until)


def lines_are_kept(seen: Evidence, lines: int) -> Agreement:
    """Never more calls at once than lines."""
    found = Agreement("lines kept")
    steps = [(call["accepted_at"], 1) for call in seen.calls] + [(call["ended_at"], -1) for call in seen.calls]
    live = most = 0
    for _, step in sorted(steps):
        live += step
        most = max(most, live)
    found.against += [f"{most} calls at once"] * (most > lines)
    found.told = f"most at once {most} of {lines}"
    return found


def pauses_hold(seen: Evidence, happened: Happened) -> Agreement:
    """Nothing was received between an acknowledged pause and the command to resume."""
    found = Agreement("nothing sent while paused")
    at = placing(seen)
    for pause in happened.pauses:
        late = [moment - pause.since for moment in at if pause.since < moment < pause.until]
        if late:
            found.against.append(f"{len(late)} requests, the last {late[-1]:.3f} s after the acknowledgement")
    seconds = sum(pause.until - pause.since for pause in happened.pauses)
    found.told = f"{len(happened.pauses)} pauses, {seconds:.0f} s; commands took {_took(happened, 'pause')}"
    return found


def suppressions_hold(seen: Evidence, happened: Happened) -> Agreement:
    """Nobody was called after the command that suppressed the number had returned."""
    found = Agreement("nobody suppressed is called")
    for call in seen.calls:
        since = happened.suppressed_at.get(call["to"])
        if since is not None and call["accepted_at"] > since:
            found.against.append(f"called {call['accepted_at'] - since:.3f} s after the acknowledgement")
    held = {row["phone"] for row in seen.ledger.suppressions}
    found.against += [f"{len(set(happened.suppressed_at) - held)} numbers are not on the list"] * bool(
        set(happened.suppressed_at) - held
    )
    found.told = f"{len(happened.suppressed_at)} numbers; commands took {_took(happened, 'suppress')}"
    return found


def _took(happened: Happened, command: str) -> str:
    took = sorted(happened.took.get(command, [0.0]))
    return f"{took[len(took) // 2]:.2f} s, at most {took[-1]:.2f} s (start of the process included)"


def requests_are_explained(seen: Evidence) -> Agreement:
    """Every request received is one that the ledger counted, or that of a worker which died before it could."""
    found = Agreement("requests received = requests sent")
    received = len(placing(seen))
    counted = sum(send["requests"] for send in seen.ledger.sends)
    silent = [send for send in seen.ledger.sends if not send["requests"] and send["class"] in ("placed", "unknown")]
    rang = {token_of(call) for call in seen.calls}
    silent_rang = sum(1 for send in silent if send["token"] in rang)
    difference = received - counted
    if not silent_rang <= difference <= len(silent):
        found.against.append(f"{difference} requests more than counted")
    found.told = (
        f"{received} received, {counted} counted, {difference} by workers that died before they could "
        f"({len(silent)} such sends, {silent_rang} rang)"
    )
    return found


def attempts_are_spent_rightly(seen: Evidence) -> Agreement:
    """Each attempt that was spent rang, or could not be told from one that rang."""
    found = Agreement("attempts spent = calls + unconfirmed")
    rang = {seen.send_of[token_of(call)]["attempt_id"] for call in seen.calls if token_of(call) in seen.send_of}
    spent = [row for row in seen.ledger.attempts if row["state"] in ("ended", "unconfirmed", "refused")]
    silent: list[Row] = [row for row in spent if row["id"] not in rang]
    for row in silent:
        if row["state"] != "unconfirmed":
            found.against.append(f"attempt {row['id']}: {row['state']} {row['disposition']}, and nothing rang")
    unspent = rang - {row["id"] for row in spent}
    found.against += [f"attempt {one}: rang and is not spent" for one in sorted(unspent)]
    unconfirmed = [row for row in spent if row["state"] == "unconfirmed"]
    found.told = (
        f"{len(spent)} spent, {len(rang)} rang, {len(unconfirmed)} unconfirmed of which "
        f"{len(unconfirmed) - len(silent)} had rung"
    )
    return found


def killed_on_the_wire(ledger_events: Sequence[Row]) -> int:
    """Attempts whose worker died between the intent and the answer."""
    return sum(1 for event in ledger_events if event["actor"] == "sweeper" and event["after"] == "unknown")


def reasons(seen: Evidence) -> Counter[str]:
    """How each send ended, by class."""
    return Counter(send["class"] for send in seen.ledger.sends)
