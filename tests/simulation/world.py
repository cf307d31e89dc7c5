"""One run: campaigns, three workers, a provider, an operator, and every fault, from one seed."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

import structlog

from dialer.adapters.ledger import SqlLedger
from dialer.domain.calling_window import ALWAYS, CallingWindow
from dialer.domain.campaign import CampaignSpec, Pace
from dialer.domain.contact import NewContact
from dialer.domain.disposition import Disposition
from dialer.domain.limits import UNLIMITED, PersonLimits
from dialer.domain.redial import RedialPolicy
from dialer.pipeline.control_campaign import ControlCampaign
from dialer.ports import ImportCounts, Limits, QueuedAttempt
from tests.memory_ledger import Tables
from tests.simulation.books import Books, Dialect
from tests.simulation.faults import Faults, Outage, Rates
from tests.simulation.job_queue import LossyQueue
from tests.simulation.ledger import LifeStore
from tests.simulation.life import Life, LifeClock, WorldClock
from tests.simulation.operator import Operator
from tests.simulation.pacer import ForgetfulPacer
from tests.simulation.processes import HORIZON_S, TIMES, Build, Process, Shared

Tick = Callable[[], "asyncio.Task[int] | None"]

WORKERS = 3
NAMES = ("spring", "autumn", "winter", "summer", "north", "south", "east", "west", "dawn", "dusk")
TWICE, APART = PersonLimits(0, 0, 0, 2), PersonLimits(0, 0, 0, 0, spacing_s=1800.0)
SOMETIMES = CallingWindow(
    frozenset(range(7)), tuple((begin, begin + 12) for begin in range(0, 1440, 20)), "UTC", lead_s=20.0,
    rules="off", rules_reason="nobody is called",
)  # fmt: skip
"""Open for twelve minutes of every twenty."""
DIALECTS = (
    Dialect("vaanivoice", ids_are_final=True, echoes_token=True, silent_when_unanswered=False),
    Dialect("vaanivoice", ids_are_final=True, echoes_token=False, silent_when_unanswered=False),
    Dialect("vaani", ids_are_final=False, echoes_token=True, silent_when_unanswered=True),
    Dialect("vaani", ids_are_final=False, echoes_token=False, silent_when_unanswered=True),
)
REDIAL = RedialPolicy(2, {Disposition.NO_ANSWER: 300.0, Disposition.BUSY: 60.0, Disposition.VOICEMAIL: 240.0,
                          Disposition.FAILED: 90.0, Disposition.UNCONFIRMED: 120.0})  # fmt: skip
OPEN_CONTACTS = "SELECT count(*) FROM contacts WHERE status IN ('pending', 'active')"
OPEN_CAMPAIGNS = "SELECT count(*) FROM campaigns WHERE status NOT IN ('finished', 'cancelled')"
LIVE_ATTEMPTS = "SELECT count(*) FROM attempts WHERE state IN ('dialing', 'placed', 'unknown')"
IDLE_S, IDLE_LOG_S = 20.0, 60.0


@dataclass(frozen=True)
class Plan:
    """What a run is about."""

    seed: int
    people: int = 40
    """On each list."""
    shared: int = 8
    """Of them on the next list too."""
    campaigns: int = 2
    """More than two have rates, windows and limits of their own."""
    faults_for_s: float = 420.0
    rates: Rates = field(default_factory=Rates)
    build: Build = field(default_factory=Build)
    outage: tuple[str, float, float] | None = None
    """How the provider is away, after how many seconds, and for how many."""

    @property
    def names(self) -> tuple[str, ...]:
        """The campaigns."""
        return NAMES[: self.campaigns]

    @property
    def bound_s(self) -> float:
        """When all must be over: each attempt to a number, over all campaigns, may need the whole horizon."""
        return self.faults_for_s + self.campaigns * REDIAL.max_attempts * (HORIZON_S + 900.0)


class World:
    """``run`` it once, then let the oracle read ``books`` and ``tables``."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.faults = Faults(plan.seed, plan.rates)
        dice = self._dice = self.faults.dice("world")
        self.clock = WorldClock()
        self.started = self.clock.now()
        if plan.outage is not None:
            kind, after_s, for_s = plan.outage
            self.faults.outage = Outage(kind, self.started + after_s, self.started + after_s + for_s)
        self.tables = Tables(self.clock)
        self.books = Books(dice.choices(DIALECTS, (3, 3, 1, 1))[0], self.faults)
        # Where a call that nobody picked up leaves no row, its line is only given up when no call can last longer.
        lines = dice.randint(20, 50) if self.books.dialect.silent_when_unanswered else dice.randint(8, 24)
        self.limits = Limits(dice.choice((1.0, 2.0, 3.0, 5.0)), lines)
        self.queue = LossyQueue(self.clock, self.faults, self._spawn)
        self.queue.deliver = self._deliver
        self.shared = Shared(
            self.clock,
            self.faults,
            self.tables,
            ForgetfulPacer(self.clock),
            self.queue,
            self.books,
            self.limits,
            plan.build,
        )
        self.processes: list[Process] = []
        self.specs: dict[str, CampaignSpec] = {}
        self._born = 0
        self._tasks: list[asyncio.Task[Any]] = []
        self.quiet = False
        life = Life("operator", self.clock, self.faults, self.faults.dice("operator:life"))
        life.mortal = False
        ledger = SqlLedger(LifeStore(self.tables, life, self.faults), LifeClock(life), "simulation")
        self.ledger = ledger
        control = ControlCampaign(ledger, ledger, LifeClock(life), TIMES.send_within_s)
        self.operator = Operator(control, ledger, self.clock, self.faults, self.tables)

    async def run(self) -> None:
        """From the first contact until all are final, or the bound is reached."""
        try:
            await self.clock.run(self._live())
        finally:
            for process in self.processes:
                process.life.kill()
            for task in self._tasks:
                task.cancel()
            await asyncio.sleep(0)
            await asyncio.sleep(0)

    async def _live(self) -> None:
        await self._import()
        self.processes = [self._birth() for _ in range(WORKERS)]
        operator = self.operator
        for work in (
            self._feeds(), self._reads(), self._kills(), self._stops(), self._stalls(), self._flushes(),
            self._strangers(), operator.pauses(self.plan.names), operator.cancels(NAMES[1]), operator.suppresses(),
            operator.restarts(self.plan.names),
        ):  # fmt: skip
            self._spawn(work)
        end = self.started + self.plan.bound_s
        while self.clock.now() < end and not self.quiet:
            await self.clock.sleep(15.0)
            if self.clock.now() - self.started >= self.plan.faults_for_s:
                self.faults.on = False
            self.quiet = self.tables.rows(OPEN_CONTACTS)[0][0] == 0 and not self.faults.on and self._all_over()

    def _all_over(self) -> bool:
        return all(self.tables.rows(asked)[0][0] == 0 for asked in (OPEN_CAMPAIGNS, LIVE_ATTEMPTS))

    async def _import(self) -> None:
        plan = self.plan
        for n, name in enumerate(plan.names):
            spec = self.specs[name] = self._spec(name)
            campaign = await self.ledger.open_campaign(spec)
            first = n * (plan.people - plan.shared)
            people = [NewContact(phone(first + k), f"Person {k}", k + 2) for k in range(plan.people)]
            await self.ledger.add_contacts(campaign.campaign_id, people)
            counts = ImportCounts(len(people), len(people))
            await self.ledger.record_import(campaign.campaign_id, name, "list.csv", counts)
            await self.ledger.move_campaign(campaign.campaign_id, "start", "")

    def _spec(self, name: str) -> CampaignSpec:
        dice, crowded = self._dice, self.plan.campaigns > 2
        pace = Pace(0.0, dice.choice((0, self.limits.concurrent_calls // 2)), dice.randint(1, 3))
        if crowded:
            pace = replace(pace, calls_per_second=dice.choice((0.0, 1.0, 2.0)))
        window = dice.choice((ALWAYS, SOMETIMES)) if crowded else ALWAYS
        limits = dice.choice((UNLIMITED, TWICE, APART)) if crowded else UNLIMITED
        account = self.books.dialect.account
        return CampaignSpec(name, name, account, window=window, pace=pace, redial=REDIAL, limits=limits)

    # processes

    def _birth(self) -> Process:
        self._born += 1
        return Process(self.shared, f"worker-{self._born}")

    def _deliver(self, part: Sequence[QueuedAttempt]) -> bool:
        ready = [process for process in self.processes if process.takes_jobs]
        if not ready:
            return False
        process = self._dice.choice(ready)
        process.life.spawn(process.place_call.slice(part))
        return True

    def _alive(self) -> list[Process]:
        """The workers; one that died at a point is born again here."""
        self.processes = [self._birth() if process.life.dead else process for process in self.processes]
        return self.processes

    async def _kills(self) -> None:
        dice, every_s = self.faults.dice("kills"), self.plan.rates.kill_every_s
        while True:
            await self.clock.sleep(dice.expovariate(1 / every_s))
            alive = self._alive()
            if self.faults.on:
                victim = dice.choice(alive)
                self.faults.happened["killed"] += 1
                self.faults.happened["killed with a request out"] += bool(victim.provider.out)
                victim.life.kill()
                await self.clock.sleep(dice.uniform(0.1, 5.0))
                self._alive()

    async def _stops(self) -> None:
        dice = self.faults.dice("stops")
        while self.faults.on:
            await self.clock.sleep(dice.expovariate(1 / self.plan.rates.stop_every_s))
            victim = dice.choice(self._alive())
            self.faults.happened["stopped"] += 1
            patience_s = dice.uniform(1.0, 45.0)
            victim.stop(patience_s)
            await self.clock.sleep(patience_s)
            victim.life.kill()

    async def _stalls(self) -> None:
        dice = self.faults.dice("stalls")
        while self.faults.on:
            await self.clock.sleep(dice.expovariate(1 / self.plan.rates.stall_every_s))
            self.faults.happened["stalled"] += 1
            dice.choice(self._alive()).life.stall(dice.uniform(1.0, 90.0))

    async def _flushes(self) -> None:
        dice = self.faults.dice("flushes")
        while self.faults.on:
            await self.clock.sleep(dice.expovariate(1 / self.plan.rates.flush_every_s))
            self.faults.happened["flush"] += 1
            self.queue.flush()
            self.shared.pacer.flush()

    async def _strangers(self) -> None:
        """Calls at the provider that are none of ours, some to the same numbers."""
        dice, people = self.faults.dice("strangers"), self.plan.people
        every_s = 60.0 / max(1e-9, 60.0 * self.plan.rates.foreign_row)
        while self.faults.on:
            await self.clock.sleep(dice.expovariate(1 / every_s))
            self.books.foreign(phone(dice.randrange(2 * people)), dice.choice(self.plan.names), self.clock.now())

    # crons

    async def _feeds(self) -> None:
        dice, pause_s = self.faults.dice("feeds"), 1.0
        while True:
            running = self._tick(dice, [p.feed for p in self._alive()])
            await self.clock.sleep(0.02)
            pause_s = 1.0 if _busy(running) else min(IDLE_S, pause_s * 1.6)
            await self.clock.sleep(pause_s)

    async def _reads(self) -> None:
        dice, pause_s = self.faults.dice("reads"), 3.0
        while True:
            running = self._tick(dice, [self._reader(p) for p in self._alive()])
            await self.clock.sleep(pause_s)
            pause_s = 3.0 if _busy(running) else min(IDLE_LOG_S, pause_s * 1.5)

    def _reader(self, process: Process) -> Tick:
        async def read() -> int:
            done = await process.reconciler.tick()
            return done.ended + done.absent + done.adopted

        return lambda: process.life.spawn(read())

    def _tick(self, dice: Random, ticks: Sequence[Tick]) -> list["asyncio.Task[int]"]:
        """One tick in one process; now and then in none, or in two at once."""
        if self.faults.strikes(dice, self.plan.rates.tick_skipped, "tick skipped"):
            return []
        count = 2 if self.faults.strikes(dice, self.plan.rates.tick_doubled, "tick doubled") else 1
        return [task for tick in dice.sample(ticks, count) if (task := tick()) is not None]

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.append(task)
        task.add_done_callback(self._over)

    def _over(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.remove(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.shared.crashes.append(f"world: {error!r}")


def _busy(running: Sequence["asyncio.Task[int]"]) -> bool:
    """Whether a tick did anything; one that is still under way, or failed, may have."""
    return any(not t.done() or t.cancelled() or t.exception() is not None or t.result() > 0 for t in running)


def phone(number: int) -> str:
    """A number of the range that is kept for fiction."""
    return f"+1415555{number:04d}"


@contextmanager
def silence() -> Iterator[None]:
    """The rooms' own log is not wanted here."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        structlog.configure(**before)


def simulate(plan: Plan) -> World:
    """Run it. The same plan gives the same world."""
    world = World(plan)
    with silence():
        asyncio.run(world.run())
    return world
