"""The ledger on SQLite and on PostgreSQL, side by side: the same commands give the same answers and books."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from dialer.adapters.ledger import SqlLedger
from dialer.adapters.ledger.postgresql_engine import PostgresqlEngine
from dialer.adapters.ledger.store import Store
from dialer.adapters.ledger.tables import metadata
from dialer.domain.attempt import Actor, AttemptState, allowed
from dialer.domain.call import NotPlaced, Placed, PlaceResult, Refused, Unknown
from dialer.domain.calling_window import ALWAYS, parse_window
from dialer.domain.campaign import CAMPAIGN_TRANSITIONS
from dialer.domain.contact import OPEN_CONTACTS
from dialer.domain.disposition import Disposition
from dialer.domain.limits import DAY_S, PersonLimits
from dialer.domain.redial import Redial, RedialPolicy, Settle, after_attempt
from dialer.errors import UsageError
from dialer.ports import (
    Absent,
    Admitted,
    Denied,
    GateRequest,
    ImportCounts,
    Matched,
    QueuedAttempt,
    SendOutcome,
    Suppression,
)
from tests.fakes.clock import ManualClock
from tests.ledger_steps import ACCOUNT, FullLedger, listed, log_of, person, phone, spec
from tests.memory_ledger import memory_ledger

T = TypeVar("T")

NAMES = ("spring", "autumn")
WINDOWS = {"spring": ALWAYS, "autumn": parse_window("mon-fri 10:00-18:00")}
LIMITS = {"spring": PersonLimits(2, 3, 0, 5, silence_s=3600.0), "autumn": PersonLimits(1, 0, 4, 0, spacing_s=7200.0)}
ZONES = ((), ("America/New_York",), ("Asia/Kolkata", "UTC"))
POLICY = RedialPolicy(delays_s=dict.fromkeys(Disposition, 600.0))
NUMBERS = st.lists(st.integers(1, 6), min_size=1, max_size=4)
CAMPAIGNS = st.sampled_from((1, 2))
RESULTS: st.SearchStrategy[PlaceResult] = st.sampled_from(
    [
        Placed("call"),
        Placed(None),
        NotPlaced("refused connection"),
        Refused(Disposition.REJECTED, "no"),
        Unknown("lost"),
    ]
)
EMPTIED = f"TRUNCATE {', '.join(metadata.tables)} RESTART IDENTITY"
FINAL_WORDS = [word for word in Disposition if word is not Disposition.UNCONFIRMED]


class LedgerMachine(RuleBasedStateMachine):
    """Commands from every room, in any order, well or badly timed."""

    def __init__(self, postgres_url: str) -> None:
        super().__init__()
        self.engine = PostgresqlEngine(postgres_url)

    @initialize()
    def open(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.clock = ManualClock()
        with self.engine.writing(serial=True) as transaction:
            transaction.run("SET LOCAL session_replication_role = replica")  # past the triggers that keep every row
            transaction.run(EMPTIED)
        self.postgresql = SqlLedger(Store(self.engine, self.clock), self.clock, "machine")
        self.sqlite = memory_ledger(self.clock)
        self.queued: list[QueuedAttempt] = []
        self.calls: list[Admitted] = []
        self.tokens = 0
        for name in NAMES:
            self.same(lambda ledger, name=name: ledger.open_campaign(spec(name, WINDOWS[name], limits=LIMITS[name])))  # type: ignore[misc]
        self.same(lambda ledger: ledger.move_campaign(1, "start", ""))
        self.same(lambda ledger: ledger.move_campaign(2, "start", ""))
        for campaign in (1, 2):
            self.import_list(campaign, [1, 2, 3, 4])

    def teardown(self) -> None:
        if not hasattr(self, "loop"):
            return
        try:
            self.every_row_agrees()
        finally:
            self.loop.run_until_complete(self.postgresql.aclose())
            self.loop.run_until_complete(self.sqlite.aclose())
            self.loop.run_until_complete(self.loop.shutdown_default_executor())
            self.loop.close()

    def same(self, ask: Callable[[FullLedger], Awaitable[T]]) -> T:
        """Ask both; they must agree."""

        async def both() -> tuple[T, T]:
            return await ask(self.sqlite), await ask(self.postgresql)

        sqlite, postgresql = self.loop.run_until_complete(both())
        assert _unnumbered(postgresql) == _unnumbered(sqlite)
        return sqlite

    @rule(campaign=CAMPAIGNS, numbers=NUMBERS)
    def import_list(self, campaign: int, numbers: list[int]) -> None:
        people = [replace(person(n, *ZONES[n % 3]), key=_key(n, campaign)) for n in numbers]

        async def add(ledger: FullLedger) -> list[str] | None:
            try:
                return await ledger.add_contacts(campaign, people)
            except UsageError:  # it was cancelled
                return None

        answers = self.same(add)
        if answers is None:
            return
        queued, duplicate, suppressed = (answers.count(word) for word in ("queued", "duplicate", "suppressed"))
        counts = ImportCounts(len(people), queued, duplicate, suppressed)
        self.same(lambda ledger: ledger.record_import(campaign, str(sorted(numbers)), "list", counts))

    @rule(campaign=CAMPAIGNS, limit=st.integers(1, 5))
    def claim(self, campaign: int, limit: int) -> None:
        (claimed,) = self.same(lambda ledger: ledger.claim_due({campaign: limit}, 30.0))
        self.queued += claimed

    @precondition(lambda self: self.queued)
    @rule(data=st.data())
    def pass_gate(self, data: st.DataObject) -> None:
        chosen = data.draw(st.lists(st.sampled_from(self.queued[-4:]), min_size=1, max_size=4))
        asked = []
        for queued in chosen:
            self.tokens += 1
            asked.append(GateRequest(queued.attempt_id, queued.dispatch, f"t{self.tokens}", "w", 60.0))
        answers = self.same(lambda ledger: ledger.pass_gate(asked))
        self.admit([answer for answer in answers if isinstance(answer, Admitted)])

    def admit(self, calls: list[Admitted]) -> None:
        """Count anew, from every attempt there is, what was made of each person."""
        self.calls += calls
        if not calls:
            return
        rows = [row for one in (1, 2) for row in self.same(lambda ledger, one=one: listed(ledger.attempt_rows(one)))]  # type: ignore[misc]
        owners = {name: number for number, name in enumerate(NAMES, 1)}
        counted = [row for row in rows if row.dialed_at is not None and row.state is not AttemptState.REFUSED]
        for call in calls:
            key = _key(_number(call.phone), call.campaign_id)
            same = [
                row.dialed_at
                for row in counted
                if row.phone == call.phone or (key and _key(_number(row.phone), owners[row.campaign]) == key)
            ]
            limits, now = call.spec.limits, self.clock.now()
            for most, days in ((limits.per_day, 1), (limits.per_7_days, 7), (limits.per_30_days, 30)):
                made = sum(now - days * DAY_S < at for at in same if at is not None)
                assert not most or made <= most, f"{made} calls in {days} days"
            assert not limits.lifetime or len(same) <= limits.lifetime

    @precondition(lambda self: self.queued)
    @rule(data=st.data(), wait=st.sampled_from((0.0, 40.0)), keep=st.booleans())
    def hand_back_or_renew(self, data: st.DataObject, wait: float, keep: bool) -> None:
        chosen = data.draw(st.lists(st.sampled_from(self.queued), min_size=1, max_size=3))
        due_at = self.clock.now() + wait
        if keep:
            self.same(lambda ledger: ledger.renew_leases(chosen, 90.0))
        else:
            self.same(lambda ledger: ledger.hand_back(chosen, "no line", due_at))

    @precondition(lambda self: self.calls)
    @rule(data=st.data(), result=RESULTS, wait=st.sampled_from((0.0, 40.0)))
    def record_send(self, data: st.DataObject, result: PlaceResult, wait: float) -> None:
        call = data.draw(st.sampled_from(self.calls))
        follow = after_attempt(POLICY, Disposition.REJECTED, call.attempts_made, self.clock.now())
        told = SendOutcome(call.attempt_id, call.token, result, 1, self.clock.now() + wait, follow)
        self.same(lambda ledger: ledger.record_sends([told]))

    @precondition(lambda self: self.calls)
    @rule(data=st.data(), words=st.lists(st.sampled_from([None, *FINAL_WORDS]), min_size=1, max_size=2))
    def read_log(self, data: st.DataObject, words: list[Disposition | None]) -> None:
        rows = []
        for word in words:
            call = data.draw(st.sampled_from(self.calls))
            follow = after_attempt(POLICY, word, call.attempts_made, self.clock.now()) if word else None
            rows.append(Matched(log_of(call, word, str(word or "ringing")), call.attempt_id, "token", follow))
        self.same(lambda ledger: ledger.record_logs(ACCOUNT, rows))

    @precondition(lambda self: self.calls)
    @rule(data=st.data(), word=st.sampled_from([None, Disposition.ANSWERED, Disposition.BUSY]))
    def call_that_should_not_exist(self, data: st.DataObject, word: Disposition | None) -> None:
        async def denied_sends(ledger: FullLedger) -> list[Denied]:
            return sorted(await ledger.denied_sends(ACCOUNT, self.clock.now() - 3600), key=lambda send: send.token)

        denied = self.same(denied_sends)
        calls = [call for call in self.calls if call.token in {send.token for send in denied}]
        if calls:
            call = data.draw(st.sampled_from(calls))
            follow = after_attempt(POLICY, word, call.attempts_made, self.clock.now()) if word else None
            row = log_of(call, word, call_id=f"phantom-{call.token}")
            told = Matched(row, call.attempt_id, "the log shows a call", follow)
            self.same(lambda ledger: ledger.record_phantoms(ACCOUNT, [told]))

    @precondition(lambda self: self.calls)
    @rule(data=st.data(), word=st.sampled_from([Disposition.UNCONFIRMED, Disposition.NO_ANSWER]))
    def settle_absent(self, data: st.DataObject, word: Disposition) -> None:
        call = data.draw(st.sampled_from(self.calls))
        follow: Redial | Settle = after_attempt(POLICY, word, call.attempts_made, self.clock.now())
        self.same(lambda ledger: ledger.settle_absent([Absent(call.attempt_id, word, "no trace", follow)]))

    @rule(
        campaign=CAMPAIGNS,
        verb=st.sampled_from([*CAMPAIGN_TRANSITIONS, "start", "resume", "reopen"]),
        often=st.integers(0, 3),
    )
    def move_campaign(self, campaign: int, verb: str, often: int) -> None:
        if verb not in ("cancel", "finish") or often == 0:
            self.same(lambda ledger: ledger.move_campaign(campaign, verb, "why"))

    @rule(
        numbers=NUMBERS,
        campaign=st.sampled_from((None, 1)),
        remove=st.booleans(),
        once=st.sampled_from(("", "call 1")),
    )
    def suppress(self, numbers: list[int], campaign: int | None, remove: bool, once: str) -> None:
        if remove:
            self.same(lambda ledger: ledger.unsuppress([phone(n) for n in numbers]))
        else:
            entries = [Suppression(phone(n), "asked", "", campaign, once=once) for n in numbers[:1]]
            self.same(lambda ledger: ledger.suppress(entries))

    @rule(seconds=st.sampled_from((1.0, 35.0, 61.0, 700.0, 6 * 3600.0, 20 * 3600.0)))
    def time_passes(self, seconds: float) -> None:
        self.clock.skip(seconds)
        self.same(lambda ledger: ledger.sweep())
        self.same(lambda ledger: ledger.finish_campaigns())

    @rule()
    def go_on(self) -> None:
        """Most of the time, campaigns run."""
        for campaign in (1, 2):
            for verb in ("start", "resume", "reopen"):
                self.same(lambda ledger, verb=verb, campaign=campaign: ledger.move_campaign(campaign, verb, ""))  # type: ignore[misc]

    @rule(limit=st.integers(1, 6), result=RESULTS)
    def dial(self, limit: int, result: PlaceResult) -> None:
        """What a worker does when nothing goes wrong, in both campaigns with one commit of the gate."""
        claimed = self.same(lambda ledger: ledger.claim_due({1: limit, 2: limit}, 30.0))
        queued = [attempt for share in claimed for attempt in share]
        self.queued += queued
        asked = [GateRequest(q.attempt_id, q.dispatch, f"d{q.attempt_id}-{q.dispatch}", "w", 60.0) for q in queued]
        answers = self.same(lambda ledger: ledger.pass_gate(asked))
        calls = [answer for answer in answers if isinstance(answer, Admitted)]
        self.admit(calls)
        now = self.clock.now()
        told = [SendOutcome(call.attempt_id, call.token, result, 1, now, Redial(now + 40)) for call in calls[1:]]
        self.same(lambda ledger: ledger.record_sends(told))

    @invariant()
    def the_books_agree(self) -> None:
        """After each step, what is counted; at the end, every row and every event."""
        if not hasattr(self, "loop"):
            return
        live = self.same(lambda ledger: ledger.live_attempts(ACCOUNT))
        numbers = [attempt.phone for attempt in live]
        assert len(numbers) == len(set(numbers)), "I2: one line per number"
        for campaign in (1, 2):
            report = self.same(lambda ledger, campaign=campaign: ledger.report(campaign))  # type: ignore[misc]
            self.same(lambda ledger, campaign=campaign: listed(ledger.attempt_rows(campaign)))  # type: ignore[misc]
            open_people = sum(report.contacts[status] for status in OPEN_CONTACTS)
            assert sum(report.waiting.values()) >= open_people, "I3: who is not final is visibly waiting"

    def every_row_agrees(self) -> None:
        self.same(lambda ledger: ledger.campaigns())
        self.same(lambda ledger: ledger.waiting_in_queue())
        self.same(lambda ledger: ledger.open_attempts(ACCOUNT, self.clock.now() - 3600))
        self.same(lambda ledger: listed(ledger.suppressions()))
        for campaign in (1, 2):
            self.same(lambda ledger, campaign=campaign: listed(ledger.contact_rows(campaign)))  # type: ignore[misc]
        for number in range(1, 7):
            for row, told in self.same(lambda ledger, number=number: ledger.story(phone=phone(number))):  # type: ignore[misc]
                at = AttemptState.PLANNED
                for event in told:
                    assert event.before == at
                    assert allowed(at, AttemptState(event.after), Actor(event.actor))
                    at = AttemptState(event.after)
                assert at is row.state, "I9: events replay to the state"


def _unnumbered(answer: Any) -> Any:
    """Without the numbers of contacts: PostgreSQL spends one on a duplicate too."""
    if isinstance(answer, list):
        return [_unnumbered(one) for one in answer]
    return replace(answer, contact_id=0) if hasattr(answer, "contact_id") else answer


def _key(number: int, campaign: int) -> str:
    """Two numbers of one person, one without a key, and one that each campaign knows by another key."""
    return {2: "k2", 3: "k2", 4: "", 5: f"k{campaign}"}.get(number, f"own{number}")


def _number(number: str) -> int:
    return int(number[-4:])


def test_both_engines_give_the_same_answers_and_books(postgres_ledger_url: str) -> None:
    run_state_machine_as_test(
        lambda: LedgerMachine(postgres_ledger_url),  # type: ignore[arg-type]  # any factory will do
        settings=settings(
            max_examples=40,
            stateful_step_count=40,
            deadline=None,
            derandomize=True,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
