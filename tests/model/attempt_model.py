"""Every state that one attempt can come to, with two workers and everything that goes wrong.

Invariants: I1, one call at most for the attempt; I8, no first byte after an acknowledged pause or cancel; I9, every
move is in the table, by its actor, and to ``planned`` only with proof; I10, a way to a final state without anybody
cancelling; R1 (where the log shows every call in time), nobody who was called is called again for want of evidence.

A model of the protocol, not of the code; it obeys the table of ``dialer.domain.attempt``. Two things keep it finite
and exact. A dispatch number or a token is only ever compared with the ledger's own, so the model keeps "is it still
that one". Time is what has passed: the send bound, a lease, the horizon; each may pass as soon as it can.

``python -m tests.model.attempt_model`` prints what each variant breaks and the shortest way there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from dialer.domain.attempt import FINAL, Actor, AttemptState, allowed, sources
from tests.model import Event, Explored, explore

S, A = AttemptState, Actor
Campaign = Literal["running", "pausing", "paused", "cancelling", "cancelled"]
Step = Literal[
    "idle", "holds", "intent", "sent", "lost", "placed", "throttled", "unsent", "refused", "failed", "silent"
]
Log = Literal["nothing", "open", "over"]
Waited = Literal["no", "horizon", "scanned"]

STOPPED = ("paused", "cancelled")
"""Acknowledged: from here on no first byte may leave."""
PROOF: tuple[Step, ...] = ("unsent", "throttled")
"""Answers that prove that nothing was placed: no byte left, or a 429."""
AMBIGUOUS: tuple[Step, ...] = ("failed", "silent")
"""A 5xx, and no answer in time: a call may exist."""
BEFORE_INTENT = ("idle", "holds")


class Worker(NamedTuple):
    """One worker's place for the attempt. ``current``: its job is of the latest dispatch; ``owns``: the ledger
    holds its token; ``late``: the send bound has passed since its intent."""

    step: Step = "idle"
    current: bool = False
    owns: bool = False
    late: bool = False


IDLE = Worker()


class World(NamedTuple):
    """One state. ``recent``: the ledger's intent is younger than the send bound; ``live_send``: a send of a worker
    that is through with it counts as live; ``adrift``: requests under way whose client has gone."""

    state: AttemptState = S.PLANNED
    campaign: Campaign = "running"
    workers: tuple[Worker, Worker] = (IDLE, IDLE)
    rung: bool = False
    stale_job: bool = False
    adrift: int = 0
    calls: int = 0
    log: Log = "nothing"
    waited: Waited = "no"
    recent: bool = False
    live_send: bool = False


@dataclass(frozen=True, slots=True)
class Rules:
    """The protocol as it is; every field that is not at its default is a mutant or a different surrounding."""

    send_index: bool = False
    """The partial unique index on live sends; off by default: the guards must hold alone."""
    bounded_lag: bool = False
    """Every call is in the log within the horizon; else a row may come at any time, or never."""
    rows_end: bool = True
    scans_complete: bool = True
    denials_hold: bool = True
    sweeper: bool = True
    gives_up: bool = True
    send_bound: bool = True
    drains: bool = True
    guards_state: bool = True
    intent_first: bool = True
    judges_one_by_one: bool = True
    sweep_to: AttemptState = S.UNKNOWN
    absent_to: AttemptState = S.UNCONFIRMED
    not_placed: tuple[Step, ...] = PROOF
    cancelled_error_plans: bool = False
    repeats_silent_in_place: bool = False
    believes_incomplete: bool = False
    reconnects: bool = False


Happens = Iterator[Event["World"]]


def move(world: World, after: AttemptState, actor: Actor, *, proven: bool = True) -> tuple[World, str]:
    """The attempt moved in the ledger, and the invariant that this breaks.

    In a cancelled campaign nothing is planned again: the same commit ends it.
    """
    lawful = allowed(world.state, after, actor) and (proven or after is not S.PLANNED)
    if after is S.PLANNED and world.campaign in ("cancelling", "cancelled"):
        lawful, after = lawful and allowed(S.PLANNED, S.CANCELLED, A.OPERATOR), S.CANCELLED
    return world._replace(state=after), "" if lawful else "I9"


@dataclass(frozen=True)
class Model:
    """What may happen next, under some rules."""

    rules: Rules

    def events(self, world: World) -> Happens:
        """Every action that is possible now."""
        for event in self._raw_events(world):
            after = self._tidy(event.after)
            yield event if after is event.after else event._replace(after=after)

    def _tidy(self, world: World) -> World:
        """Without what can no longer matter; the workers are alike, so their order is forgotten."""
        first, second = world.workers
        live = world.state in (S.UNKNOWN, S.PLACED)
        if first <= second and not world.recent and world.waited == "no" and not world.live_send:
            return world
        return world._replace(
            workers=(second, first) if second < first else world.workers,
            recent=world.recent and world.state is S.DIALING,
            waited=world.waited if live else "no",
            live_send=world.live_send and self.rules.send_index,
        )

    def _raw_events(self, world: World) -> Happens:
        yield from self.feeder(world)
        yield from self.operator(world)
        yield from self.sweeper(world)
        yield from self.adrift(world)
        yield from self.log(world)
        yield from self.reconciler(world)
        yield from self.gate_of_both(world)
        for n in (0, 1):
            if n == 0 or world.workers[0] != world.workers[1]:
                yield from self.worker(world, n)

    def feeder(self, world: World) -> Happens:
        if world.state is S.PLANNED and world.campaign == "running":
            first, second = (w._replace(current=False) for w in world.workers)
            after, broken = move(world, S.QUEUED, A.FEEDER)
            after = after._replace(workers=(first, second), stale_job=world.stale_job or world.rung)
            yield Event("the feeder claims the attempt and rings", after._replace(rung=True), broken)
        if world.rung or world.stale_job:
            yield Event("Redis is flushed", world._replace(rung=False, stale_job=False))

    def operator(self, world: World) -> Happens:
        if world.campaign == "running":
            pausing = world._replace(campaign="pausing")
            moved, broken = move(pausing, S.PLANNED, A.OPERATOR) if world.state is S.QUEUED else (pausing, "")
            yield Event("the operator's pause is committed", moved, broken, helps=False)
        if world.campaign in ("pausing", "paused"):
            yield Event("the operator resumes", world._replace(campaign="running"))
        if world.campaign in ("running", "pausing", "paused"):
            stopping = world._replace(campaign="cancelling")
            waits = world.state in (S.PLANNED, S.QUEUED)
            moved, broken = move(stopping, S.CANCELLED, A.OPERATOR) if waits else (stopping, "")
            yield Event("the operator's cancel is committed", moved, broken, helps=False)
        drained = not (world.state is S.DIALING and world.recent) or not self.rules.drains
        if world.campaign == "pausing" and drained:
            yield Event("the pause is acknowledged", world._replace(campaign="paused"))
        if world.campaign == "cancelling" and drained:
            yield Event("the cancel is acknowledged", world._replace(campaign="cancelled"))

    def sweeper(self, world: World) -> Happens:
        owner = any(w.owns for w in world.workers)
        if world.recent and not owner:
            yield Event("the send bound of a dead worker passes", world._replace(recent=False))
        if self.rules.sweeper and world.state is S.QUEUED:
            after, broken = move(world, S.PLANNED, A.SWEEPER)
            yield Event("the lease runs out and is swept", after, broken)
        if self.rules.sweeper and world.state is S.DIALING and not world.recent:
            after, broken = move(world, self.rules.sweep_to, A.SWEEPER)
            yield Event(f"the answer is overdue: swept to {self.rules.sweep_to}", after, broken)
        if self.rules.sweeper and world.state is S.REFUSED:
            # Everybody was refused: the people are given back, each after proof that nothing was placed.
            after, broken = move(world, S.PLANNED, A.SWEEPER)
            yield Event("who was refused with everybody is given back", after, broken)

    def worker(self, world: World, n: int) -> Happens:
        me = world.workers[n]
        if me.step == "idle":
            if world.rung:
                yield self._at(world, n, Worker("holds", current=True), "Redis delivers the job")
            if world.stale_job:
                yield self._at(world, n, Worker("holds"), "Redis delivers a job of an earlier dispatch")
            return
        yield from self.dies(world, n)
        if me.step not in BEFORE_INTENT and not me.late:
            stalled = self._at(world, n, me._replace(late=True), "the worker stalls past the send bound")
            yield stalled._replace(after=stalled.after._replace(recent=world.recent and not me.owns))
        match me.step:
            case "holds":
                yield self.gate(world, n)
                yield from self.hands_back(world, n)
            case "intent":
                yield from self.sends(world, n)
            case "sent":
                yield from self.arrives(world, n)
                words = "the client times out, the request goes on"
                yield self._at(_adrift(world), n, me._replace(step="silent"), words)
            case "lost":
                yield self._at(world, n, me._replace(step="silent"), "no answer comes: the client times out")
            case _:
                yield self.records(world, n)
                yield from self.repeats(world, n)

    def dies(self, world: World, n: int) -> Happens:
        me = world.workers[n]
        left = _adrift(world) if me.step == "sent" else world
        if me.step not in BEFORE_INTENT and self.rules.intent_first:
            left = left._replace(live_send=True)
        yield self._at(left, n, IDLE, f"the worker is killed ({me.step})")
        if self.rules.cancelled_error_plans and me.step in ("sent", "lost") and me.owns and world.state is S.DIALING:
            after, broken = move(left._replace(live_send=world.live_send), S.PLANNED, A.WORKER, proven=False)
            yield self._at(after, n, IDLE, "the job is cancelled and puts the attempt back", broken)

    def hands_back(self, world: World, n: int) -> Happens:
        words, broken = "SIGTERM, or no line in time: the worker hands its job back", ""
        if world.state is S.QUEUED and world.workers[n].current:
            world, broken = move(world, S.PLANNED, A.WORKER)
        yield self._at(world, n, IDLE, words, broken)

    def gate(self, world: World, n: int) -> Event[World]:
        me, rules = world.workers[n], self.rules
        expected = world.state is S.QUEUED or not rules.guards_state
        if not me.current or not expected:
            return self._at(world, n, IDLE, "the gate finds the job stale")
        if world.campaign != "running":
            after, broken = move(world, S.PLANNED, A.WORKER)
            return self._at(after, n, IDLE, "the gate puts the attempt off: the campaign does not run", broken)
        if not rules.intent_first:
            return self._at(world, n, me._replace(step="intent"), "the gate lets the job pass, nothing is committed")
        if rules.send_index and _has_live_send(world):
            return self._at(world, n, IDLE, "the database refuses a second live send")
        admitted, broken = move(world, S.DIALING, A.WORKER)
        workers = tuple(w._replace(owns=False) for w in world.workers)
        admitted = admitted._replace(workers=(workers[0], workers[1]), recent=True, waited="no")
        return self._at(admitted, n, Worker("intent", owns=True), "the gate admits: the intent is committed", broken)

    def gate_of_both(self, world: World) -> Happens:
        """Two deliveries in one commit. Judged one by one, that is two passes; judged on facts read once, the
        second finds its number taken, puts the attempt off, and the first one's guarded move hits no row."""
        both = all(w.step == "holds" and w.current for w in world.workers)
        refused = self.rules.send_index and _has_live_send(world)
        if self.rules.judges_one_by_one or not both or world.state is not S.QUEUED or refused:
            return
        if world.campaign == "running":
            after, broken = move(world, S.PLANNED, A.WORKER)
            words = "one commit judges both deliveries: one is admitted, the other puts the attempt off"
            yield Event(words, after._replace(workers=(Worker("intent"), IDLE)), broken)

    def sends(self, world: World, n: int) -> Happens:
        me = world.workers[n]
        yield self._at(world, n, me._replace(step="unsent"), "no connection, or the last instant says no: 0 bytes")
        if not me.late or not self.rules.send_bound:
            broken = "I8" if world.campaign in STOPPED else ""
            yield self._at(world, n, me._replace(step="sent"), "the first byte leaves", broken)

    def arrives(self, world: World, n: int) -> Happens:
        me, called = world.workers[n], _called(world)
        broken = "I1" if called.calls > 1 else ""

        def to(step: Step, words: str, *, placed: bool = False) -> Event[World]:
            return self._at(called if placed else world, n, me._replace(step=step), words, broken if placed else "")

        yield to("placed", "the provider places the call and says so", placed=True)
        yield to("failed", "the provider places the call and answers 500", placed=True)
        yield to("lost", "the provider places the call, its answer is lost", placed=True)
        yield to("failed", "the provider places nothing and answers 500")
        yield to("throttled", "the provider places nothing and answers 429")
        if not self.rules.denials_hold:
            yield to("throttled", "the provider places the call and answers 429", placed=True)
        yield to("refused", "the provider refuses the number")
        yield to("lost", "the request is lost on the way, or its answer that nothing was placed")

    def records(self, world: World, n: int) -> Event[World]:
        """The guarded move of its own attempt; too late, it changes nothing, not even its send."""
        me = world.workers[n]
        after = self._meaning(me.step)
        closes = after in (S.PLANNED, S.REFUSED)
        broken, words = "", f"the worker records its answer ({me.step})"
        if not self.rules.intent_first:
            return self._records_all(world, n, after, words)
        moves = me.owns and world.state in sources(after, A.WORKER)
        recorded = world._replace(live_send=world.live_send or not (closes and moves))
        if moves:
            recorded, broken = move(recorded, after, A.WORKER, proven=me.step in PROOF)
        else:
            words += ", too late to move the attempt"
        return self._at(recorded, n, IDLE, words, broken)

    def _records_all(self, world: World, n: int, after: AttemptState, words: str) -> Event[World]:
        if world.state is not S.QUEUED or not world.workers[n].current:
            return self._at(world, n, IDLE, words + ", and finds the attempt elsewhere")
        dialing, first = move(world, S.DIALING, A.WORKER)
        recorded, second = move(dialing, after, A.WORKER)
        return self._at(recorded._replace(live_send=after is not S.PLANNED), n, IDLE, words, first or second)

    def _meaning(self, step: Step) -> AttemptState:
        if step in self.rules.not_placed:
            return S.PLANNED
        return {"placed": S.PLACED, "refused": S.REFUSED}.get(step, S.UNKNOWN)

    def repeats(self, world: World, n: int) -> Happens:
        me, rules = world.workers[n], self.rules
        if me.step in PROOF and not me.late:
            yield self._at(world, n, me._replace(step="intent"), "on this proof the worker asks again in place")
        if rules.reconnects and me.step == "unsent":
            yield self._at(world, n, me._replace(step="intent"), "the transport connects once more")
        if rules.repeats_silent_in_place and me.step in AMBIGUOUS:
            yield self._at(world, n, me._replace(step="intent"), "a library repeats the request")

    def adrift(self, world: World) -> Happens:
        if world.adrift:
            landed = world._replace(adrift=world.adrift - 1)
            called = _called(landed)
            yield Event("a late request arrives and is placed", called, "I1" if called.calls > 1 else "")
            yield Event("a late request is lost, or places nothing", landed)

    def log(self, world: World) -> Happens:
        if world.calls and world.log == "nothing":
            yield Event("the log shows the call, still open", world._replace(log="open"))
        if world.calls and world.log != "over" and self.rules.rows_end:
            yield Event("the log shows the call as over", world._replace(log="over"))
        if world.waited == "no" and world.state in (S.UNKNOWN, S.PLACED) and self._may_be_past(world):
            yield Event("the horizon passes", world._replace(waited="horizon"))

    def _may_be_past(self, world: World) -> bool:
        under_way = world.adrift or any(w.step == "sent" for w in world.workers)
        return not self.rules.bounded_lag or not (under_way or (world.calls and world.log == "nothing"))

    def reconciler(self, world: World) -> Happens:
        rules, state = self.rules, world.state
        if world.log == "open" and state in sources(S.PLACED, A.RECONCILER):
            yield Event("the reconciler adopts the call", *move(world, S.PLACED, A.RECONCILER))
        if world.log == "over" and state in sources(S.ENDED, A.RECONCILER):
            yield Event("the reconciler ends the attempt by the log", *move(world, S.ENDED, A.RECONCILER))
        if state is S.UNCONFIRMED and rules.bounded_lag and world.calls:
            yield Event("the contact's next attempt dials a person already called", world, "R1")
        if not rules.gives_up or state not in (S.UNKNOWN, S.PLACED):
            return
        if world.waited == "horizon" and world.log == "nothing" and rules.scans_complete:
            yield Event("a complete scan shows nothing", world._replace(waited="scanned"))
        if world.waited == "scanned":
            yield self._gives_up(world, "the reconciler believes the absence")
        elif world.waited == "horizon" and rules.believes_incomplete:
            yield self._gives_up(world, "a scan that broke off shows nothing, and is believed")

    def _gives_up(self, world: World, words: str) -> Event[World]:
        after, broken = move(world, self.rules.absent_to, A.RECONCILER)
        return Event(f"{words}: {self.rules.absent_to}", after, broken)

    def _at(self, world: World, n: int, me: Worker, words: str, broken: str = "") -> Event[World]:
        pair = (me, world.workers[1]) if n == 0 else (world.workers[0], me)
        return Event(words, world._replace(workers=pair), broken)


def _adrift(world: World) -> World:
    return world._replace(adrift=min(2, world.adrift + 1))  # two are enough for a second call


def _called(world: World) -> World:
    return world._replace(calls=world.calls + 1)


def _has_live_send(world: World) -> bool:
    return world.live_send or any(w.step not in BEFORE_INTENT for w in world.workers)


def explored(rules: Rules, until: frozenset[str] = frozenset()) -> Explored:
    """All that follows under ``rules`` from the planned attempt on; a second call is not followed further."""
    return explore(World(), Model(rules).events, lambda w: w.state in FINAL, lambda w: w.calls > 1, until)


def main() -> None:
    """Print the table of variants, which lives with the test that holds it."""
    from tests.model.test_attempt_model import VARIANTS

    print("| Variant | States looked at | Breaks, in how many actions | With the index on sends |")
    print("|---|---|---|---|")
    for name, variant in VARIANTS.items():
        alone, indexed = (variant.explored(indexed=index) for index in (False, True))
        print(f"| {name} | {alone.states:,} | {alone.broken()} | {indexed.broken()} |", flush=True)


if __name__ == "__main__":
    main()
