"""The judge: reads the provider's books and the ledger's rows, and asks the rooms nothing."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from dialer.adapters.ledger.states import in_states
from dialer.domain.attempt import FINAL, TRANSITIONS, Actor, AttemptState
from dialer.domain.calling_window import CallingWindow
from dialer.domain.contact import FINAL_CONTACTS
from dialer.domain.hours import WHOLE_DAY, Hours
from tests.simulation.books import Call
from tests.simulation.world import World

S = AttemptState
SCAN_S = 120.0
"""No reading of the log takes longer from its first page to its verdict, unless its process stood still."""
STALL_S = 100.0
READ_WITHIN_S = 300.0
"""After that the log was read, though processes died and pages failed."""


@dataclass(frozen=True, slots=True)
class Violation:
    """What does not agree, named after the invariant, and the attempt to look at."""

    invariant: str
    what: str
    attempt_id: int = 0


@dataclass(slots=True)
class Move:
    """One event of an attempt."""

    at: float
    actor: str
    before: str
    after: str
    reason: str


@dataclass
class Evidence:
    """Books and ledger, side by side."""

    world: World
    moves: dict[int, list[Move]] = field(default_factory=lambda: defaultdict(list))
    attempt_of: dict[str, int] = field(default_factory=dict)
    """Token -> attempt, from every request that the ledger ever admitted."""

    def __post_init__(self) -> None:
        tables = self.world.tables
        for attempt_id, at, actor, before, after, reason in tables.rows(
            "SELECT attempt_id, at, actor, before, after, reason FROM events ORDER BY id"
        ):
            self.moves[attempt_id].append(Move(at, actor, before, after, reason))
        self.attempt_of = dict(tables.rows("SELECT token, attempt_id FROM sends"))
        self.call_of: dict[str, Call] = {call.token: call for call in self.world.books.calls}
        self.states: dict[int, str] = dict(tables.rows("SELECT id, state FROM attempts"))

    def attempt(self, token: str) -> int:
        """The attempt of a token; 0 when the ledger never heard of it."""
        return self.attempt_of.get(token, 0)


def violations(world: World) -> list[Violation]:
    """Everything that does not agree."""
    seen = Evidence(world)
    found = [Violation("crash", crash) for crash in world.shared.crashes]
    checks = (once, one_line, nothing_lost, pace, own_pace, lines, open_hours, person_limits, no_means_no, heard_late,
              pause_holds, explained, agreed, found_again)  # fmt: skip
    for check in checks:
        found += check(seen)
    return found


def once(seen: Evidence) -> Iterator[Violation]:
    """I1: an attempt places at most one call."""
    placed = Counter(seen.attempt(call.token) for call in seen.world.books.calls)
    for attempt_id, count in placed.items():
        if attempt_id == 0:
            yield Violation("I1 once", f"{count} calls of which the ledger holds no intent")
        elif count > 1:
            yield Violation("I1 once", f"{count} calls were placed", attempt_id)


def one_line(seen: Evidence) -> Iterator[Violation]:
    """I2: never two live calls to one number."""
    to: dict[str, list[Call]] = defaultdict(list)
    for call in sorted(seen.world.books.calls, key=lambda call: call.placed_at):
        to[call.to].append(call)
    for calls in to.values():
        for earlier, later in pairwise(calls):
            if later.placed_at < earlier.ended_at:
                other = seen.attempt(earlier.token)
                yield Violation(
                    "I2 one line", f"called while the call of attempt {other} rang", seen.attempt(later.token)
                )


def nothing_lost(seen: Evidence) -> Iterator[Violation]:
    """I3: contacts add up, and all are final when the run is over."""
    world = seen.world
    counts = world.tables.rows("SELECT count(*) FROM contacts")[0][0]
    listed = world.plan.campaigns * world.plan.people
    if counts != listed:
        yield Violation("I3 lost", f"{counts} contacts of {listed}")
    final = ", ".join(f"'{status}'" for status in FINAL_CONTACTS)
    for contact_id, status in world.tables.rows(f"SELECT id, status FROM contacts WHERE status NOT IN ({final})"):
        hanging = world.tables.rows(f"SELECT max(id) FROM attempts WHERE contact_id = {contact_id}")[0][0]
        yield Violation("I3 lost", f"contact {contact_id} is still {status}", hanging or 0)
    open_ = f"SELECT id, state FROM attempts WHERE state NOT IN ({in_states(FINAL)}) AND contact_id NOT IN "
    open_ += f"(SELECT id FROM contacts WHERE status NOT IN ({final}))"
    for attempt_id, state in world.tables.rows(open_):
        yield Violation("I3 lost", f"still {state} though its contact is final", attempt_id)


def pace(seen: Evidence) -> Iterator[Violation]:
    """I4: no rolling second holds more requests than the rate allows."""
    limit = max(1, math.floor(seen.world.limits.calls_per_second))
    sent = sorted(seen.world.books.sent, key=lambda sent: sent.at)
    for first, last in zip(sent, sent[limit:], strict=False):
        if last.at - first.at < 1.0:
            yield Violation(
                "I4 pace", f"{limit + 1} requests within {last.at - first.at:.3f} s", seen.attempt(last.token)
            )


def own_pace(seen: Evidence) -> Iterator[Violation]:
    """I4: nor does a campaign send more than its own rate allows."""
    for name, spec in seen.world.specs.items():
        limit = math.floor(spec.pace.calls_per_second)
        sent = [sent for sent in seen.world.books.sent if sent.agent == name] if limit else []
        for first, last in zip(sent, sent[limit:], strict=False):
            if last.at - first.at < 1.0:
                yield Violation("I4 pace", f"{limit + 1} requests of {name} within a second", seen.attempt(last.token))


def open_hours(seen: Evidence) -> Iterator[Violation]:
    """I6: nothing is sent while the campaign's window is shut. All of them are told in UTC."""
    for sent in seen.world.books.sent:
        minute = sent.at % 86400 / 60
        if not any(begin <= minute < end for begin, end in _hours(seen.world.specs[sent.agent].window)):
            yield Violation("I6 hours", f"sent in minute {minute:.2f} of the day", seen.attempt(sent.token))


def _hours(window: CallingWindow) -> Hours:
    return WHOLE_DAY if window.always else window.hours


def person_limits(seen: Evidence) -> Iterator[Violation]:
    """I6: nobody is called again too soon or too often, over all campaigns, by the requests that became calls."""
    calls = [sent for sent in sorted(seen.world.books.sent, key=lambda sent: sent.at) if sent.token in seen.call_of]
    before: dict[str, list[float]] = defaultdict(list)
    for sent in calls:
        limits, earlier = seen.world.specs[sent.agent].limits, before[sent.to]
        if 0 < limits.lifetime <= len(earlier):
            yield Violation("I6 limits", f"call {len(earlier) + 1} of {limits.lifetime}", seen.attempt(sent.token))
        if limits.spacing_s and earlier and sent.at - earlier[-1] < limits.spacing_s:
            yield Violation("I6 limits", f"{sent.at - earlier[-1]:.0f} s after another", seen.attempt(sent.token))
        earlier.append(sent.at)


def heard_late(seen: Evidence) -> Iterator[Violation]:
    """I7: whoever asked in a call not to be called is not, once the log told it and there was time to read it."""
    for sent in seen.world.books.sent:
        told = seen.world.books.opted_out.get(sent.to, math.inf)
        if sent.at > told + READ_WITHIN_S:
            yield Violation(
                "I7 no means no", f"sent {sent.at - told:.0f} s after the log told", seen.attempt(sent.token)
            )


def lines(seen: Evidence) -> Iterator[Violation]:
    """I5: calls that are live, or may be, never outnumber the lines."""
    cap = seen.world.limits.concurrent_calls
    steps = [(at, change, id_) for id_, start, end in _busy(seen) for at, change in ((start, 1), (end, -1))]
    used = 0
    for _, change, attempt_id in sorted(steps):
        used += change
        if used > cap:
            yield Violation("I5 lines", f"{used} lines of {cap} in use", attempt_id)
            return


def _busy(seen: Evidence) -> Iterator[tuple[int, float, float]]:
    """From its first byte until its call is over, and for as long as the ledger does not know its fate."""
    for sent in seen.world.books.sent:
        attempt_id, end = seen.attempt(sent.token), sent.at
        if (call := seen.call_of.get(sent.token)) is not None:
            end = call.ended_at
        yield attempt_id, sent.at, max(end, _unknown_to(seen.moves[attempt_id], sent.at))


def _unknown_to(moves: list[Move], sent_at: float) -> float:
    """Until when the ledger did not know what became of a request; 0 when it always knew."""
    answered = [n for n, move in enumerate(moves) if move.before == S.DIALING and move.at >= sent_at]
    if not answered or moves[answered[0]].after != S.UNKNOWN:
        return 0.0
    return moves[answered[0] + 1].at if answered[0] + 1 < len(moves) else math.inf


def no_means_no(seen: Evidence) -> Iterator[Violation]:
    """I7: nothing is sent to a number after its suppression was acknowledged."""
    for sent in seen.world.books.sent:
        if sent.at > seen.world.operator.suppressed.get(sent.to, math.inf):
            yield Violation("I7 no means no", "sent after the suppression was acknowledged", seen.attempt(sent.token))


def pause_holds(seen: Evidence) -> Iterator[Violation]:
    """I8: nothing is sent for a campaign that is paused or cancelled."""
    for stop in seen.world.operator.stops:
        for sent in seen.world.books.sent:
            if sent.agent == stop.agent and stop.since < sent.at < stop.until:
                yield Violation("I8 pause holds", "sent after the stop was acknowledged", seen.attempt(sent.token))


def explained(seen: Evidence) -> Iterator[Violation]:
    """I9: the events replay to the state, and every move is one of the machine's."""
    for attempt_id, state in seen.states.items():
        now = str(S.PLANNED)
        for move in seen.moves[attempt_id]:
            allowed = TRANSITIONS.get((S(move.before), S(move.after)), frozenset())
            if move.before != now or Actor(move.actor) not in allowed:
                yield Violation("I9 explained", f"{move.actor}: {move.before} -> {move.after} when {now}", attempt_id)
            now = move.after
        if now != state:
            yield Violation("I9 explained", f"events lead to {now}, the ledger says {state}", attempt_id)


def agreed(seen: Evidence) -> Iterator[Violation]:
    """What the ledger says of each request, and of each call's outcome, is what the provider's books say."""
    sends = seen.world.tables.rows("SELECT token, attempt_id, class FROM sends")
    for token, attempt_id, kind in sends:
        placed = token in seen.call_of
        if kind in ("not_placed", "refused") and placed:
            yield Violation("agreed", f"the send is {kind}, and a call was placed", attempt_id)
        if kind == "placed" and not placed:
            yield Violation("agreed", "the send is placed, and no call was", attempt_id)
    ended = seen.world.tables.rows("SELECT id, disposition FROM attempts WHERE state = 'ended'")
    told: dict[int, str] = dict(ended)
    for call in seen.world.books.calls:
        attempt_id = seen.attempt(call.token)
        said, true, since = told.get(attempt_id), str(call.disposition), call.final_from
        if said is not None and since is not None and said != true and since < seen.moves[attempt_id][-1].at - STALL_S:
            yield Violation("agreed", f"ended as {said}, the call was {true}", attempt_id)


def found_again(seen: Evidence) -> Iterator[Violation]:
    """A call that the log showed in time is known, and absence is believed of none that it showed."""
    for call in seen.world.books.calls:
        attempt_id, since = seen.attempt(call.token), call.final_from
        for move in seen.moves[attempt_id]:
            if move.after == S.UNCONFIRMED and since is not None and since < move.at - SCAN_S - STALL_S:
                yield Violation("found again", f"shown {move.at - since:.0f} s before it was given up", attempt_id)


def lost_answers(world: World) -> tuple[int, int]:
    """Of calls whose answer was lost and whose row was shown before the end: how many, and how many are known."""
    seen = Evidence(world)
    shown = known = 0
    fates = {sent.token: sent.fate for sent in world.books.sent}
    for call in world.books.calls:
        since = call.final_from
        if fates.get(call.token) == "placed" or since is None or since > world.clock.now() - SCAN_S:
            continue
        shown += 1
        known += seen.states.get(seen.attempt(call.token)) in (S.ENDED, S.PLACED)
    return shown, known


def story(world: World, found: Iterable[Violation]) -> str:
    """The last 40 events of each attempt at fault, of the first three."""
    lines, seen = [], Evidence(world)
    for violation in list(found)[:3]:
        lines.append(f"{violation.invariant}: attempt {violation.attempt_id}: {violation.what}")
        told = [(m.at, f"{m.actor}: {m.before} -> {m.after} ({m.reason})") for m in seen.moves[violation.attempt_id]]
        for sent in world.books.sent:
            if seen.attempt(sent.token) == violation.attempt_id:
                told.append((sent.at, f"first byte from {sent.worker}: {sent.fate}"))
                if (call := seen.call_of.get(sent.token)) is not None:
                    told.append((call.placed_at, f"the provider calls, {call.call_id}"))
                    told.append((call.ended_at, f"the call is over: {call.disposition}"))
                    told += [(since, f"the log shows {row.raw_status}") for since, row in call.shows]
        lines += [f"  {at - world.started:10.3f} {what}" for at, what in sorted(told)[-40:]]
    return "\n".join(lines)
