"""A worker process: its rooms, over ports that die with it."""

import asyncio
from dataclasses import dataclass, field, replace

from dialer.adapters.ledger import SqlLedger
from dialer.domain.call import PlaceResult, Unknown
from dialer.errors import LedgerUnavailable, QueueUnavailable
from dialer.pipeline.dialing_times import DialingTimes
from dialer.pipeline.enqueue_due import EnqueueDue
from dialer.pipeline.keep_lines import KeepLines
from dialer.pipeline.place_call import PlaceCall
from dialer.pipeline.reconcile_calls import ReconcileCalls
from dialer.ports import Limits
from tests.fakes.clock import ManualClock
from tests.memory_ledger import Tables
from tests.simulation.books import LONGEST_CALL_S, Books
from tests.simulation.faults import Faults
from tests.simulation.job_queue import LifeQueue, LossyQueue
from tests.simulation.ledger import LifeStore
from tests.simulation.life import Killed, Life, LifeClock
from tests.simulation.pacer import ForgetfulPacer, LifePacer
from tests.simulation.provider import READ_TIMEOUT_S, LifeProvider

LATEST_ARRIVAL_S = 900.0
HORIZON_S = LATEST_ARRIVAL_S + LONGEST_CALL_S + 335.0
LINE_LIFE_S = LONGEST_CALL_S + 60.0
TIMES = replace(DialingTimes(), lease_s=15.0, patience_s=60.0, answer_within_s=READ_TIMEOUT_S + 41.0)


@dataclass(frozen=True)
class Build:
    """What a process is made of; a mutant is a build with one part wrong."""

    ledger: type[SqlLedger] = SqlLedger
    reconciler: type[ReconcileCalls] = ReconcileCalls
    place_call: type[PlaceCall] = PlaceCall
    times: DialingTimes = TIMES
    reads_timeout_as: type[PlaceResult] = Unknown


@dataclass
class Shared:
    """What all processes of a run share."""

    clock: ManualClock
    faults: Faults
    tables: Tables
    pacer: ForgetfulPacer
    queue: LossyQueue
    books: Books
    limits: Limits
    build: Build
    crashes: list[str] = field(default_factory=list)


class Process:
    """One worker process of many."""

    def __init__(self, shared: Shared, name: str) -> None:
        self.shared = shared
        clock, faults, build = shared.clock, shared.faults, shared.build
        self.life = Life(name, clock, faults, faults.dice(f"{name}:life"))
        self.life.on_error = self._on_error
        life_clock = LifeClock(self.life)
        ledger = build.ledger(LifeStore(shared.tables, self.life, faults), life_clock, "simulation")
        pacer = LifePacer(shared.pacer, self.life, faults)
        self.provider = LifeProvider(shared.books, self.life, faults, build.reads_timeout_as)
        account, passing = self.provider.account, self.life.passing
        self.place_call = build.place_call(
            ledger,
            pacer,
            {account: self.provider},
            life_clock,
            faults.dice(f"{name}:chance"),
            build.times,
            name,
            passing,
        )
        queue = LifeQueue(shared.queue, self.life, faults)
        lines = KeepLines(ledger, pacer, life_clock, LINE_LIFE_S)
        self.feeder = EnqueueDue(
            ledger, ledger, queue, pacer, life_clock, {account: shared.limits}, lines,
            lease_s=build.times.lease_s, passing=passing,
        )  # fmt: skip
        self.reconciler = build.reconciler(ledger, ledger, self.provider, pacer, life_clock, HORIZON_S, passing=passing)
        self.stopping = False
        self._feeding: asyncio.Task[int] | None = None
        self.life.spawn(self.place_call.keep_leases())

    @property
    def takes_jobs(self) -> bool:
        return not self.life.dead and not self.stopping

    def stop(self, within_s: float) -> None:
        """What SIGTERM does."""
        self.stopping = True
        self.life.spawn(self.place_call.stop(within_s))

    def feed(self) -> "asyncio.Task[int] | None":
        """A tick of the feeder, unless one is still running here."""
        if self._feeding is not None and not self._feeding.done():
            return None
        self._feeding = self.life.spawn(self._fed())
        return self._feeding

    async def _fed(self) -> int:
        done = await self.feeder.tick()
        return done.queued + done.leases_expired + done.made_unknown

    def _on_error(self, name: str, error: BaseException) -> None:
        for one in _leaves(error):
            if not isinstance(one, Killed | LedgerUnavailable | QueueUnavailable | asyncio.CancelledError):
                self.shared.crashes.append(f"{name}: {one!r}")


def _leaves(error: BaseException) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [leaf for part in error.exceptions for leaf in _leaves(part)]
    return [error]
