"""Each point at which a process ends itself, and one whole story for each: die, go on, compare."""

import asyncio
import multiprocessing
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from multiprocessing.process import BaseProcess
from pathlib import Path

from dialer.adapters.ledger import SqlLedger
from dialer.adapters.local.system_clock import SystemClock
from dialer.domain.calling_window import ALWAYS
from dialer.domain.campaign import CampaignSpec, Pace
from dialer.domain.contact import NewContact
from dialer.domain.disposition import Disposition
from dialer.domain.limits import UNLIMITED
from dialer.domain.redial import RedialPolicy
from dialer.ports import ImportCounts
from dialer.simulator.options import Options
from tests.acceptance.dialer_process import Provider, number, until
from tests.chaos.agreements import (
    Evidence,
    events_replay,
    every_call_is_known,
    never_lost,
    never_twice,
    outcomes_are_equal,
)
from tests.chaos.records import ask, open_contacts, read_records
from tests.crash.crashing_worker import KILLED, ON_THE_WIRE, Orders, provide, run
from tests.redis_server import running_redis

PEOPLE = 10
SUPPRESSED = 2
DIES_WITHIN_S = 300.0
SETTLED_WITHIN_S = 300.0
VERBS = ("pass_gate", "record_sends", "record_logs", "settle_absent", "claim_due", "hand_back", "sweep")
POINTS: dict[str, int] = {
    "place.waiting": 3, "place.granted": 3, "place.gate_passed": 3, "place.slot": 3, "place.first_byte": 3,
    ON_THE_WIRE: 3, "place.answered": 3, "place.recorded": 3, "place.settled": 3,
    "feed.swept": 3, "feed.pacer_told": 3, "feed.claimed": 2, "feed.rung": 1, "feed.finished": 3,
    "reconcile.page": 2, "reconcile.scanned": 2, "reconcile.matched": 2, "reconcile.heeded": 2,
    "reconcile.recorded": 1, "reconcile.released": 1, "reconcile.closed": 1,
    **{f"commit.before.{verb}": 1 for verb in VERBS},
    **{f"commit.after.{verb}": 1 for verb in VERBS},
}  # fmt: skip
"""Point -> at which of its passings a worker ends."""
OPERATOR_POINTS = (
    "control.moved", "control.suppressed",
    "commit.before.move_campaigns", "commit.after.move_campaigns", "commit.before.suppress", "commit.after.suppress",
)  # fmt: skip
SILENT = {"reconcile.closed", "commit.before.settle_absent", "commit.after.settle_absent"}
"""Passed only where a call left no trace."""
FAULTS = {
    "unread": 0.08, "500-placed": 0.05, "dropped": 0.05, "garbage": 0.03, "half-body": 0.03, "429": 0.03,
    "stalled": 0.02, "log-500": 0.1, "log-repeat": 0.1, "log-late": 0.05,
}  # fmt: skip
EVERYTHING = os.environ.get("DIALER_TEST_CRASH") == "all"
SPEC = CampaignSpec(
    "list",
    "8cf3373e-0000-4000-8000-000000000001",
    "vaanivoice",
    window=ALWAYS,
    pace=Pace(0, 6),
    redial=RedialPolicy(2, dict.fromkeys(Disposition, 0.2)),
    limits=UNLIMITED,
)
TRACELESS = {"unread": 0.4}
QUICK = Options(
    start_delay_s=(0, 0.1), dial_s=(0, 0.1), ring_s=(0.1, 0.3), no_answer_ring_s=(0.2, 0.4), talk_s=(0.1, 0.8),
    voicemail_s=(0.1, 0.4), log_delay_s=0.2, answer_s=(0.05, 0.1), stall_s=4,
)  # fmt: skip
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.crash.crashing_worker"])


@dataclass(frozen=True)
class Case:
    """One point in one mode: ``alone`` (dies, its successor dies there too, a third goes on) or ``together``."""

    point: str
    mode: str
    faulty: bool

    @property
    def faults(self) -> dict[str, float]:
        """Of the provider."""
        if self.point in SILENT:
            return TRACELESS
        return FAULTS if self.faulty else {}

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.point}-{self.mode}-{'faulty' if self.faulty else 'calm'}"


def cases(engine: int) -> list[Case]:
    """Every point in both modes, of which the provider is faulty in one.

    For every push one mode each, turn about, the two engines (0 and 1) the other way round: so each point is met in
    both. DIALER_TEST_CRASH=all chooses everything.
    """
    found = []
    for n, point in enumerate([*POINTS, *OPERATOR_POINTS]):
        for m, mode in enumerate(("alone", "together")):
            if EVERYTHING or (n + m) % 2 == engine:
                found.append(Case(point, mode, point in SILENT or (n // 2 + m) % 2 == 0))
    return found


@dataclass
class Story:
    """The processes of one case over one ledger and one Redis."""

    orders: Orders
    provider: Provider
    started: list[BaseProcess] = field(default_factory=list)

    def start(self, point: str = "", nth: int = 1, suppress: tuple[str, ...] = ()) -> BaseProcess:
        """Start a worker, or an operator."""
        plain = self.orders
        orders = Orders(
            plain.home, f"{len(self.started)}", plain.ledger_url, plain.redis_url, plain.provider_url, point, nth,
            suppress,
        )  # fmt: skip
        process = PROCESSES.Process(target=run, args=(orders,))
        process.start()
        self.started.append(process)
        return process

    def dies(self, process: BaseProcess) -> None:
        """Wait for a process to end itself where it should."""
        process.join(DIES_WITHIN_S)
        assert process.exitcode == KILLED, f"exit {process.exitcode} instead of the point\n{self.logs()}"

    def settled(self) -> bool:
        """Whether everybody is."""
        return open_contacts(self.orders.ledger_url) == 0

    def until_settled(self) -> None:
        """Wait for it."""
        try:
            until(self.settled, "everybody settled", SETTLED_WITHIN_S, every_s=0.2)
        except AssertionError as late:
            sql = "SELECT state, count(*) AS n FROM attempts GROUP BY state"
            raise AssertionError(f"{late}: {ask(self.orders.ledger_url, sql)}\n{self.logs()}") from None

    def logs(self) -> str:
        """The ends of what its processes said."""
        return "\n".join(f"{path.name}:\n{path.read_text()[-1500:]}" for path in sorted(self.orders.home.glob("*.log")))

    def people(self) -> list[str]:
        """Their numbers."""
        return [number(n) for n in range(PEOPLE)]


@contextmanager
def story(ledger_url: str, faults: Mapping[str, float]) -> Iterator[Story]:
    """A ledger with a running campaign, a Redis, a provider, a home; at the end nothing of it runs."""
    home = Path(tempfile.mkdtemp(prefix="dc-"))
    with running_redis() as redis, _provider(faults) as provider:
        told = Story(Orders(home, "", ledger_url, redis.url, provider.url), provider)
        try:
            asyncio.run(_enlist(ledger_url, told.people()))
            yield told
        finally:
            for process in told.started:
                _end(process)
            shutil.rmtree(home, ignore_errors=True)


@contextmanager
def _provider(faults: Mapping[str, float]) -> Iterator[Provider]:
    ours, theirs = PROCESSES.Pipe()
    process = PROCESSES.Process(target=provide, args=(replace(QUICK, faults=dict(faults)), theirs))
    process.start()
    try:
        yield Provider(ours.recv())
    finally:
        _end(process)
        ours.close()
        theirs.close()


def _end(process: BaseProcess) -> None:
    process.kill()
    process.join()
    process.close()


async def _enlist(ledger_url: str, people: Sequence[str]) -> None:
    ledger = await SqlLedger.open(ledger_url, SystemClock())
    try:
        campaign = await ledger.open_campaign(SPEC)
        contacts = [NewContact(phone, "Person", n + 2) for n, phone in enumerate(people)]
        await ledger.add_contacts(campaign.campaign_id, contacts)
        await ledger.record_import(campaign.campaign_id, "list", "list.csv", ImportCounts(PEOPLE, PEOPLE))
        await ledger.move_campaign(campaign.campaign_id, "start", "")
    finally:
        await ledger.aclose()


def tell(case: Case, ledger_url: str) -> bool:
    """Live one case through and compare; whether a process died in it. Raises AssertionError."""
    with story(ledger_url, case.faults) as told:
        if case.point in OPERATOR_POINTS:
            _operator_dies(told, case)
        elif case.mode == "alone":
            _workers_die_in_turn(told, case)
        else:
            _one_of_two_dies(told, case)
        told.until_settled()
        _compare(told)
        return any(process.exitcode == KILLED for process in told.started)


def _workers_die_in_turn(told: Story, case: Case) -> None:
    told.dies(told.start(case.point, POINTS[case.point]))
    second = told.start(case.point, POINTS[case.point])
    until(lambda: not second.is_alive() or told.settled(), "the second died or is done", SETTLED_WITHIN_S, every_s=0.2)
    if not told.settled():
        told.start()


def _one_of_two_dies(told: Story, case: Case) -> None:
    dying = told.start(case.point, 1)
    until(lambda: not dying.is_alive() or "worker.started" in told.logs(), "the first is up", DIES_WITHIN_S)
    told.start()
    until(lambda: not dying.is_alive() or told.settled(), "one died or all is done", SETTLED_WITHIN_S, every_s=0.2)
    # Where the other was quicker at everything, nothing died; what was done must be right all the same.
    assert dying.is_alive() or dying.exitcode == KILLED, told.logs()


def _operator_dies(told: Story, case: Case) -> None:
    told.start()
    if case.mode == "together":
        told.start()
    unwanted = tuple(told.people()[-SUPPRESSED:])
    until(lambda: bool(ask(told.orders.ledger_url, "SELECT id FROM sends LIMIT 1")), "the first call")
    told.dies(told.start(case.point, 1, unwanted))
    again = told.start("", 1, unwanted)
    again.join(DIES_WITHIN_S)
    assert again.exitcode == 0, told.logs()


def _compare(told: Story) -> None:
    people = dict.fromkeys(told.people(), 1)
    calls = told.provider.books().calls
    seen = Evidence(calls, [], read_records(told.orders.ledger_url))
    judged = [
        never_twice(seen), never_lost(seen, people), every_call_is_known(seen), events_replay(seen),
        outcomes_are_equal(seen),
    ]  # fmt: skip
    against = [f"{one.name} ({one.told}): {'; '.join(one.against)}" for one in judged if not one.holds]
    against += _called_against_the_will(told, calls)
    assert not against, "\n".join([*against, told.logs()])


def _called_against_the_will(told: Story, calls: Sequence[dict[str, object]]) -> list[str]:
    """Calls accepted after the operator was told that none would be."""
    file = told.orders.home / "acknowledged"
    if not file.exists():
        return []
    since = [float(line.split()[1]) for line in file.read_text().splitlines() if line.startswith("suppress")]
    unwanted = told.people()[-SUPPRESSED:]
    return [
        f"called {float(str(call['accepted_at'])) - since[0]:.3f} s after the suppression was acknowledged"
        for call in calls
        if since and call["to"] in unwanted and float(str(call["accepted_at"])) > since[0]
    ]
