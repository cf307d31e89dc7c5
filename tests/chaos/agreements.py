"""What the provider's books and the ledger must agree on, counted here and not by the dialer's own code."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from tests.chaos.records import Records, Row

TOKEN = "dialer_attempt_token"
FINAL = {"ended", "refused", "unconfirmed", "cancelled"}
MOVES = {
    ("ended", "ended"): "reconciler",  # the log told more of it later
    ("planned", "queued"): "feeder",
    ("planned", "cancelled"): "feeder operator reconciler",
    ("queued", "planned"): "worker sweeper operator",
    ("queued", "dialing"): "worker",
    ("queued", "cancelled"): "worker operator reconciler",
    ("dialing", "placed"): "worker",
    ("dialing", "planned"): "worker",
    ("dialing", "refused"): "worker",
    ("dialing", "unknown"): "worker sweeper",
    ("unknown", "placed"): "worker reconciler",
    ("unknown", "ended"): "reconciler",
    ("unknown", "unconfirmed"): "reconciler",
    ("placed", "ended"): "reconciler",
    ("placed", "unconfirmed"): "reconciler",
    ("unconfirmed", "ended"): "reconciler",
}
"""Each move that may be written down, and who may make it (docs/lifecycle.md)."""
REDIAL_S = {"no_answer": 7200.0, "busy": 900.0, "voicemail": 14400.0, "failed": 1800.0}
"""Outcome after which a person is called again -> seconds to wait by the default rules, before they are scaled."""


@dataclass(slots=True)
class Agreement:
    """One thing that must hold: the numbers it was judged by, and what spoke against it."""

    name: str
    told: str = ""
    against: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether nothing spoke against it."""
        return not self.against


@dataclass(frozen=True)
class Evidence:
    """Both sides of the story."""

    calls: Sequence[Row]
    requests: Sequence[Row]
    ledger: Records

    @property
    def send_of(self) -> dict[str, Row]:
        """Each send by its token."""
        return {send["token"]: send for send in self.ledger.sends}

    @property
    def attempt_of(self) -> dict[int, Row]:
        """Each attempt by its id."""
        return {attempt["id"]: attempt for attempt in self.ledger.attempts}


def token_of(call: Mapping[str, Any]) -> str:
    """The token that the call was placed with."""
    return str((call["variables"] or {}).get(TOKEN, ""))


def never_twice(seen: Evidence) -> Agreement:
    """No attempt rang twice, and nobody had two calls at once."""
    found = Agreement("no attempt called twice")
    sends = seen.send_of
    per_attempt = Counter(sends[token_of(call)]["attempt_id"] for call in seen.calls if token_of(call) in sends)
    found.against += [f"attempt {attempt}: {times} calls" for attempt, times in per_attempt.items() if times > 1]
    per_number: dict[str, list[Row]] = defaultdict(list)
    for call in seen.calls:
        per_number[call["to"]].append(call)
    for calls in per_number.values():
        ordered = sorted(calls, key=lambda call: call["accepted_at"])
        for first, second in pairwise(ordered):
            if second["accepted_at"] < first["ended_at"]:
                late = first["ended_at"] - second["accepted_at"]
                found.against.append(f"a number was called {late:.2f} s before its last call was over")
    found.told = f"{len(seen.calls)} calls, {len(per_attempt)} attempts, {len(per_number)} people"
    return found


def redials_wait(seen: Evidence, horizon_s: float, scale: float) -> Agreement:
    """Nobody is called again too early, nor at all whose outcome allows no other call and was there to be read."""
    found = Agreement("called again only when due")
    sends = seen.send_of
    per_number: dict[str, list[Row]] = defaultdict(list)
    for call in seen.calls:
        per_number[call["to"]].append(call)
    again = 0
    for calls in per_number.values():
        for first, second in pairwise(sorted(calls, key=lambda call: call["asked_at"])):
            again += 1
            gap, send = second["asked_at"] - first["ended_at"], sends.get(token_of(first))
            if send is not None and _hidden(first, send, horizon_s):
                continue
            delay = REDIAL_S.get(first["outcome"])
            if delay is None:
                found.against.append(f"called again {gap:.2f} s after a call that was {first['outcome']}")
            elif gap < delay * scale:
                found.against.append(f"called again {gap:.2f} s after {first['outcome']}, not {delay * scale:.2f} s")
    found.told = f"{again} people's second calls"
    return found


def never_lost(seen: Evidence, listed: Mapping[str, int]) -> Agreement:
    """Everybody on the list is in the ledger and settled; ``listed``: the numbers of the file."""
    found = Agreement("nobody lost")
    known = Counter(contact["phone"] for contact in seen.ledger.contacts)
    found.against += [f"not in the ledger: {len(set(listed) - set(known))} people"] * bool(set(listed) - set(known))
    found.against += [f"in the ledger, not listed: {len(set(known) - set(listed))}"] * bool(set(known) - set(listed))
    statuses = Counter(contact["status"] for contact in seen.ledger.contacts)
    found.against += [f"{statuses[name]} contacts {name}" for name in ("pending", "active") if statuses[name]]
    left = Counter(attempt["state"] for attempt in seen.ledger.attempts if attempt["state"] not in FINAL)
    found.against += [f"{count} attempts {state}" for state, count in left.items()]
    found.told = f"{len(listed)} listed, {sum(known.values())} contacts: " + _counts(statuses)
    return found


def every_call_is_known(seen: Evidence) -> Agreement:
    """Each call belongs to exactly one send, and that one was never taken for not placed."""
    found = Agreement("every call known")
    sends, attempts = seen.send_of, seen.attempt_of
    classes: Counter[str] = Counter()
    for call in seen.calls:
        send = sends.get(token_of(call))
        if send is None:
            found.against.append("a call that no send explains")
            continue
        classes[send["class"]] += 1
        attempt = attempts[send["attempt_id"]]
        if send["class"] not in ("placed", "unknown"):
            found.against.append(f"attempt {attempt['id']}: rang, and its send is {send['class']}")
        if attempt["phone"] != call["to"]:
            found.against.append(f"attempt {attempt['id']}: another number was called")
    rang = {token_of(call) for call in seen.calls}
    for send in seen.ledger.sends:
        if send["class"] == "placed" and send["token"] not in rang:
            found.against.append(f"attempt {send['attempt_id']}: its send is placed, and nothing rang")
        if send["class"] == "inflight":
            found.against.append(f"attempt {send['attempt_id']}: its send is still in flight")
    found.told = "calls by the class of their send: " + _counts(classes)
    return found


def outcomes_are_equal(seen: Evidence) -> Agreement:
    """What the ledger says a call came to is what it came to."""
    found = Agreement("outcomes equal")
    sends, attempts = seen.send_of, seen.attempt_of
    compared = unconfirmed = 0
    for call in seen.calls:
        send = sends.get(token_of(call))
        if send is None:
            continue
        attempt = attempts[send["attempt_id"]]
        if attempt["state"] == "unconfirmed":
            unconfirmed += 1
            continue
        compared += 1
        if (attempt["state"], attempt["disposition"]) != ("ended", call["outcome"]):
            found.against.append(
                f"attempt {attempt['id']}: {attempt['state']} {attempt['disposition']}, in truth {call['outcome']}"
            )
    found.told = f"{compared} compared, {unconfirmed} rang and are unconfirmed"
    return found


def absence_was_true(seen: Evidence, horizon_s: float) -> Agreement:
    """Whoever rang and is unconfirmed is one whose row the log did not show within the horizon."""
    found = Agreement("absence from the log was true")
    sends, attempts = seen.send_of, seen.attempt_of
    never = late = corrected = 0
    for call in seen.calls:
        send = sends.get(token_of(call))
        if send is None:
            continue
        attempt = attempts[send["attempt_id"]]
        hidden = _hidden(call, send, horizon_s)
        never += call["visible_at"] is None
        late += hidden and call["visible_at"] is not None
        corrected += hidden and attempt["state"] == "ended"
        if attempt["state"] == "unconfirmed" and not hidden:
            found.against.append(f"attempt {attempt['id']}: unconfirmed, and the log showed it in time")
    found.told = f"{never} rows never shown, {late} shown after the horizon; {corrected} corrected all the same"
    return found


def _hidden(call: Row, send: Row, horizon_s: float) -> bool:
    """Whether the log did not show a call within the horizon."""
    return call["visible_at"] is None or call["visible_at"] > send["started_at"] + horizon_s


def strangers_stay_strangers(seen: Evidence) -> Agreement:
    """No attempt was ended by a call that somebody else had placed; every call of ours was seen, or is hidden."""
    found = Agreement("calls of strangers belong to nobody")
    ours = {call["call_id"] for call in seen.calls}
    foreign = [row for row in seen.ledger.log_rows if row["call_id"] not in ours]
    taken = [row for row in foreign if row["attempt_id"] is not None]
    found.against += [f"attempt {row['attempt_id']} took the call of a stranger" for row in taken]
    found.told = f"{len(foreign)} rows of strangers in the log"
    return found


def events_replay(seen: Evidence) -> Agreement:
    """The events of each attempt, one after the other, lead to the state it is in, by allowed moves only."""
    found = Agreement("events replay")
    of_attempt: dict[int, list[Row]] = defaultdict(list)
    for event in seen.ledger.events:
        of_attempt[event["attempt_id"]].append(event)
    for attempt in seen.ledger.attempts:
        wrong = _replayed(attempt, of_attempt[attempt["id"]])
        if wrong:
            found.against.append(f"attempt {attempt['id']}: {wrong}")
    found.told = f"{len(seen.ledger.events)} events of {len(seen.ledger.attempts)} attempts"
    return found


def _replayed(attempt: Row, events: Sequence[Row]) -> str:
    state = "planned"
    for event in events:
        before, after, actor = event["before"], event["after"], event["actor"]
        # Handing an attempt to the workers is not written down: it happens to each, and often.
        if before != state and (state, before) != ("planned", "queued"):
            return f"an event leaves {before}, it was {state}"
        if actor not in MOVES.get((before, after), "").split():
            return f"{actor} moved it from {before} to {after}"
        state = after
    if state != attempt["state"] and (state, attempt["state"]) != ("planned", "queued"):
        return f"its events lead to {state}, it is {attempt['state']}"
    return ""


def _counts(counted: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counted.items())) or "none"
