"""How fast, how many at once, and never after an operator was told that it had stopped: by the provider's clock."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise

from tests.acceptance.dialer_process import PLACE_PATHS
from tests.chaos.agreements import Agreement, Evidence, token_of
from tests.chaos.faults import Happened
from tests.chaos.records import Row
from tests.chaos.schedule import REFUSING

TAKES_HOLD_S = 2.0
"""A new rate is in use everywhere so long after it was acknowledged."""
GOES_ON_WITHIN_S = 20.0
"""So long after one worker was struck another has placed a call, where nothing else was away: leases, and a machine
that others use too."""
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
        rate, count = _in_force(happened.rates, at[first], moment), last - first + 1
        most[rate] = max(most[rate], count)
        if count > rate + JITTER:
            found.against.append(f"{count} requests in a second at {rate:g} calls/s")
    highest = ", ".join(f"{count} at {rate:g} calls/s" for rate, count in sorted(most.items()))
    found.told = f"{len(at)} requests, {len(happened.rates)} changes; most in a rolling second: {highest}"
    return found


def _in_force(changes: Sequence[tuple[float, float, float]], start: float, end: float) -> float:
    """The highest limit that may have been in force at any moment of a window."""
    spans = [(one[0], other[1] + TAKES_HOLD_S, one[2]) for one, other in pairwise(changes)]
    spans.append((changes[-1][0], float("inf"), changes[-1][2]))
    return max(limit for since, until, limit in spans if since <= end and start <= until)


def lines_are_kept(seen: Evidence, happened: Happened) -> Agreement:
    """No call is placed beside as many others as there were lines; who talks when lines are taken away goes on."""
    found = Agreement("lines kept")
    # By when it was asked for: a request that arrives late took its line when it left.
    steps = [(call["asked_at"], 1) for call in seen.calls] + [(call["ended_at"], -1) for call in seen.calls]
    live = 0
    most: dict[float, int] = defaultdict(int)
    for moment, step in sorted(steps):
        live += step
        lines = _in_force(happened.lines, moment, moment)
        if step > 0:
            most[lines] = max(most[lines], live)
            found.against += [f"{live} calls at once with {lines:g} lines"] * (live > lines)
    highest = ", ".join(f"{count} of {lines:g}" for lines, count in sorted(most.items()))
    found.told = f"{len(happened.lines)} changes; most at once when a call was placed: {highest}"
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
        if since is not None and call["asked_at"] > since:
            found.against.append(f"called {call['asked_at'] - since:.3f} s after the acknowledgement")
    held = {row["phone"] for row in seen.ledger.suppressions}
    found.against += [f"{len(set(happened.suppressed_at) - held)} numbers are not on the list"] * bool(
        set(happened.suppressed_at) - held
    )
    found.told = f"{len(happened.suppressed_at)} numbers; commands took {_took(happened, 'suppress')}"
    return found


def others_go_on(seen: Evidence, happened: Happened) -> Agreement:
    """Whoever is killed, told to stop or frozen holds up nobody else."""
    found = Agreement("one worker's fault is not the others'")
    calls = sorted((row["dialed_at"], _pid(row)) for row in seen.ledger.attempts if row["dialed_at"] is not None)
    excused = [*happened.pauses, *happened.outages, *happened.away]
    waited: list[float] = []
    for struck in happened.struck:
        until = struck.at + GOES_ON_WITHIN_S
        # Beside what stops everybody, and when nobody is left to call, silence says nothing of this worker.
        if until > calls[-1][0] or any(span.since < until and struck.at < span.until for span in excused):
            continue
        others = (at for at, pid in calls if at > struck.at and pid != struck.pid)
        waited.append(next(others, float("inf")) - struck.at)
        if waited[-1] > GOES_ON_WITHIN_S:
            found.against.append(f"{waited[-1]:.1f} s without a call after a worker was {struck.how}")
    waited.sort()
    if waited:
        half, most = waited[len(waited) // 2], waited[int(len(waited) * 0.99)]
        found.told = f"the others' next call: half within {half:.2f} s, 99 % {most:.2f} s, at most {waited[-1]:.2f} s; "
    found.told += f"{len(waited)} of {len(happened.struck)} judged, beside the rest something stopped everybody"
    return found


def _pid(attempt: Row) -> int:
    """The process that dialed it."""
    return int(attempt["worker"].rpartition(":")[2])


def _took(happened: Happened, command: str) -> str:
    took = sorted(happened.took.get(command, [0.0]))
    half, most = took[len(took) // 2], took[int(len(took) * 0.99)]
    return f"{half:.2f} s, 99 % {most:.2f} s, at most {took[-1]:.2f} s (start of the process and repeats included)"


def requests_are_explained(seen: Evidence, happened: Happened) -> Agreement:
    """Every request received is one that the ledger counted, or that of a worker which died before it could."""
    found = Agreement("requests received = requests sent")
    received = len(placing(seen))
    counted = sum(send["requests"] for send in seen.ledger.sends)
    silent = [send for send in seen.ledger.sends if not send["requests"] and send["class"] in ("placed", "unknown")]
    rang = {token_of(call) for call in seen.calls}
    silent_rang = sum(1 for send in silent if send["token"] in rang)
    difference = received - counted
    cut = sum(1 for send in seen.ledger.sends if _cut_off(send, happened) and send["token"] not in rang)
    if not silent_rang - cut <= difference <= len(silent):
        found.against.append(f"{difference} requests more than counted")
    found.told = (
        f"{received} received, {counted} counted, {difference} by workers that died before they could "
        f"({len(silent)} such sends, {silent_rang} rang; {cut} that did not ring left as the provider went away)"
    )
    return found


def _cut_off(send: Row, happened: Happened) -> bool:
    """Whether a request may have left and met nobody, because the provider closed its connections meanwhile."""
    around = (send["started_at"], send["answered_at"] or send["started_at"] + 2)
    return send["class"] == "unknown" and any(
        outage.since <= around[1] and around[0] <= outage.until for outage in happened.outages
    )


def sends_in_outages(sends: Sequence[Row], happened: Happened) -> int:
    """Sends in hand while the provider refused connections.

    Few end there as not sent: calls wait in place, and no other leaves, until connections are taken again.
    """
    return sum(
        1
        for send in sends
        if any(
            outage.since <= (send["answered_at"] or send["started_at"]) and send["started_at"] <= outage.until
            for outage in happened.outages
        )
    )


def attempts_are_spent_rightly(seen: Evidence) -> Agreement:
    """Each attempt that was spent rang, or could not be told from one that rang."""
    found = Agreement("attempts spent = calls + unconfirmed")
    rang = {seen.send_of[token_of(call)]["attempt_id"] for call in seen.calls if token_of(call) in seen.send_of}
    spent = [row for row in seen.ledger.attempts if row["state"] in ("ended", "unconfirmed", "refused")]
    silent: list[Row] = [row for row in spent if row["id"] not in rang]
    refused = [row for row in silent if row["state"] == "refused"]
    refusals = sum(1 for request in seen.requests if request["fault"] in REFUSING)
    if len(refused) > refusals:
        found.against.append(f"{len(refused)} attempts refused, and the provider refused {refusals} times")
    for row in silent:
        if row["state"] == "ended":
            found.against.append(f"attempt {row['id']}: ended {row['disposition']}, and nothing rang")
    unspent = rang - {row["id"] for row in spent}
    found.against += [f"attempt {one}: rang and is not spent" for one in sorted(unspent)]
    unconfirmed = [row for row in spent if row["state"] == "unconfirmed"]
    found.told = (
        f"{len(spent)} spent, {len(rang)} rang, {len(unconfirmed)} unconfirmed of which "
        f"{len(unconfirmed) + len(refused) - len(silent)} had rung, {len(refused)} refused by the provider"
    )
    return found


def killed_on_the_wire(ledger_events: Sequence[Row]) -> int:
    """Attempts whose worker died between the intent and the answer."""
    return sum(1 for event in ledger_events if event["actor"] == "sweeper" and event["after"] == "unknown")


def reasons(seen: Evidence) -> Counter[str]:
    """How each send ended, by class."""
    return Counter(send["class"] for send in seen.ledger.sends)
