"""What goes wrong in a run, how often, and how often at least it must have, for the run to count."""

import random
import signal
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field

from redis.exceptions import RedisError

from tests.acceptance.dialer_process import AGENT, Running, clock, number
from tests.chaos.machinery import House
from tests.chaos.records import ask

PROVIDER_FAULTS = {
    "429": 0.001, "429-retry-after": 0.001, "503": 0.002, "503-retry-after": 0.001, "500": 0.015, "500-placed": 0.015,
    "dropped": 0.02, "unread": 0.015, "stalled": 0.012, "garbage": 0.01, "half-body": 0.01,
    "log-500": 0.05, "log-repeat": 0.1, "log-late": 0.03,
}  # fmt: skip
"""Fault of the provider -> how likely a request, a page or a row meets it.

The pace is cut at each 429 and takes half a minute to recover: at a few in a hundred a run would mostly wait.
"""
PER_THOUSAND = {
    "worker killed (SIGKILL)": 15, "worker told to stop (SIGTERM)": 1, "worker frozen (SIGSTOP)": 1.5,
    "Redis flushed": 2, "Redis restarted empty": 0.4, "Redis away for 5 to 10 s": 0.4, "job rung again": 15,
    "number suppressed": 10, "paused and resumed": 2, "rate changed": 2,
}  # fmt: skip
"""Fault -> how often it must have happened for each 1,000 contacts."""
PER_THOUSAND_POSTGRESQL = {"PostgreSQL connection cut": 12, "PostgreSQL restarted": 0.3}
PATIENCE_S = 15.0
DIAL_QUEUE = "dialer:dial:v1"
FORMATS = ("+91{0}", "0{0}", "91{0}", "+91 {1} {2}", "+91-{1}-{2}", "(+91) {0}", "00 91 {0}")
"""Ways to write a number of ten digits: whole, and in two halves."""


@dataclass(frozen=True, slots=True)
class Span:
    """From a change being acknowledged until its opposite was asked for; unix seconds."""

    since: float
    until: float


@dataclass
class Happened:
    """What was done to the run, and when it was acknowledged."""

    counts: Counter[str] = field(default_factory=Counter)
    pauses: list[Span] = field(default_factory=list)
    suppressed_at: dict[str, float] = field(default_factory=dict)
    """E.164 -> when the command had returned."""
    rates: list[tuple[float, float, float]] = field(default_factory=list)
    """(asked at, acknowledged at, calls per second)."""
    took: dict[str, list[float]] = field(default_factory=dict)
    """Command -> seconds from its start to its end, the start of a process included."""
    leaks: list[str] = field(default_factory=list)
    """What was found in Redis that must not be there."""


@dataclass
class Faults:
    """Does things to a house, in an order that the seed decides, as the clock goes on."""

    house: House
    chance: random.Random
    contacts: int
    rate: float
    happened: Happened = field(default_factory=Happened)
    over: threading.Event = field(default_factory=threading.Event)
    lines: int = 60
    _calls: int = 0
    _old_jobs: list[tuple[str, bytes]] = field(default_factory=list)
    _bags: dict[str, list[str]] = field(default_factory=dict)

    def rage(self, done: Callable[[], bool]) -> None:
        """Until ``done``; returns when nothing is broken any more."""
        lanes = [self._processes, self._doorbell, self._operator]
        if self.house.postgres is not None:
            lanes.append(self._ledger)
        with ThreadPoolExecutor(len(lanes)) as pool:
            running = [pool.submit(self._lane, lane) for lane in lanes]
            try:
                while not done() and not any(one.done() for one in running):
                    self.house.crew.fill()
                    self._calls = self.house.provider.placed()
                    self.over.wait(0.3)
            finally:
                self.over.set()
            for one in running:
                one.result()
        self.house.crew.fill()

    def _lane(self, lane: Callable[[], None]) -> None:
        self._rest(1.0, 2.0, 10)
        while not self.over.is_set():
            lane()

    def _rest(self, least_s: float, most_s: float, calls: int = 0) -> None:
        """For so long, and until so many more calls were placed: on a slow machine faults come slower, not fewer."""
        wanted, latest = self._calls + calls, clock.monotonic() + PATIENCE_S
        self.over.wait(self.chance.uniform(least_s, most_s))
        while self._calls < wanted and clock.monotonic() < latest and not self.over.is_set():
            self.over.wait(0.1)

    def _drawn(self, lane: str, bag: Mapping[str, int]) -> str:
        """One of a bag's contents, which is filled again when it is empty: chance in order, not in number."""
        left = self._bags.setdefault(lane, [])
        if not left:
            left.extend(name for name, count in bag.items() for _ in range(count))
            self.chance.shuffle(left)
        return left.pop()

    def _count(self, what: str) -> None:
        self.happened.counts[what] += 1

    # workers

    def _processes(self) -> None:
        crew, worker = self.house.crew, self.house.crew.pick(self.chance)
        slow = 2.0 if crew.size == 1 else 1.0
        if worker is None:
            self._rest(0.2, 0.4)
            return
        match self._drawn("processes", {"kill": 8, "stop": 1, "freeze": 2}):
            case "kill":
                crew.end(worker, signal.SIGKILL)
                self._count("worker killed (SIGKILL)")
                self._rest(0.5 * slow, 2.0 * slow, 40)
            case "stop":
                crew.end(worker, signal.SIGTERM)
                self._count("worker told to stop (SIGTERM)")
                self._rest(0.5 * slow, 1.0 * slow, 40)
            case _:
                self._freeze(worker)

    def _freeze(self, worker: Running) -> None:
        """Stop a worker for a while; the lane goes on, a timer lets it go."""
        pid = worker.process.pid
        self.house.crew.stopped[pid] = worker
        worker.signal(signal.SIGSTOP)
        self._count("worker frozen (SIGSTOP)")

        def thaw() -> None:
            worker.signal(signal.SIGCONT)
            self.house.crew.stopped.pop(pid, None)

        timer = threading.Timer(self.chance.uniform(5.0, 20.0), thaw)
        timer.start()
        self._rest(0.5, 1.0, 25)
        if self.house.crew.size == 1:
            timer.join()

    def thaw_all(self) -> None:
        """Let every frozen worker go on."""
        for worker in list(self.house.crew.stopped.values()):
            worker.signal(signal.SIGCONT)
        self.house.crew.stopped.clear()

    # Redis

    def _doorbell(self) -> None:
        self._look_into_redis()
        match self._drawn("doorbell", {"ring": 3, "flush": 3, "restart": 1, "outage": 1}):
            case "ring":
                self._ring_again()
                self._rest(0.5, 1.0, 30)
            case "flush":
                with suppress(RedisError, OSError):
                    self.house.redis_client().flushall()
                    self._count("Redis flushed")
                self._rest(1.0, 3.0, 60)
            case "restart":
                self.house.redis.kill()
                self.house.redis.start()
                self._count("Redis restarted empty")
                self._rest(1.0, 3.0, 90)
            case _:
                self.house.redis.kill()
                self._rest(5.0, 10.0)
                self.house.redis.start()
                self._count("Redis away for 5 to 10 s")
                self._rest(1.0, 3.0, 120)

    def _ring_again(self) -> None:
        """Hand over what was handed over before, now or some time ago."""
        with suppress(RedisError, OSError):
            client = self.house.redis_client()
            for job in client.zrange(DIAL_QUEUE, 0, 20):
                if body := client.get(b"arq:job:" + job):
                    self._old_jobs.append((job.decode(), bytes(body)))
            for name, body in self.chance.sample(self._old_jobs, min(5, len(self._old_jobs))):
                again = f"{name}.{self.chance.getrandbits(32):08x}"
                client.setex(f"arq:job:{again}", 30, body)
                client.zadd(DIAL_QUEUE, {again: int(clock.now() * 1000)})
                self._count("job rung again")

    def _look_into_redis(self) -> None:
        from tests.chaos.leftovers import numbers_in
        from tests.chaos.machinery import texts_in

        with suppress(RedisError, OSError):
            found = numbers_in("\n".join(texts_in(self.house.redis_client())), self.contacts)
            self._count("look into Redis")
            self.happened.leaks += [f"Redis held {len(found)} numbers"] * bool(found)

    # PostgreSQL

    def _ledger(self) -> None:
        assert self.house.postgres is not None
        if self._drawn("ledger", {"cut": 15, "restart": 1}) == "restart":
            self.house.postgres.restart()
            self._count("PostgreSQL restarted")
        elif self.house.postgres.kill_backend(self.chance):
            self._count("PostgreSQL connection cut")
        self._rest(0.5, 2.0, 40)

    # the operator

    def _operator(self) -> None:
        done = {"pause": self._pause, "suppress": self._suppress, "rate": self._change_rate}
        done[self._drawn("operator", {"pause": 1, "suppress": 2, "rate": 1})]()
        self._rest(0.5, 2.0, 45)

    def _tell(self, *words: str) -> tuple[float, float]:
        asked = clock.now()
        ended = self.house.command(*words)
        self.happened.took.setdefault(words[0], []).append(ended.at - asked)
        return asked, ended.at

    def _pause(self) -> None:
        _, held = self._tell("pause", "list")
        self._rest(0.5, 2.0)
        asked, _ = self._tell("resume", "list")
        self.happened.pauses.append(Span(held, asked))
        self._count("paused and resumed")

    def _suppress(self) -> None:
        sql = "SELECT phone FROM contacts WHERE status = 'pending' OR status = 'active' ORDER BY id LIMIT 400"
        with suppress(Exception):
            waiting = [row["phone"] for row in ask(self.house.ledger_url, sql)]
            chosen = self.chance.sample(waiting, min(3, len(waiting)))
            if chosen:
                _, held = self._tell("suppress", "add", *map(self._written, chosen), "--region", "IN")
                self.happened.suppressed_at |= dict.fromkeys(chosen, held)
                self.happened.counts["number suppressed"] += len(chosen)

    def _written(self, phone: str) -> str:
        digits = phone[-10:]
        return self.chance.choice(FORMATS).format(digits, digits[:5], digits[5:])

    def _change_rate(self) -> None:
        rate = self.rate if self.chance.random() < 0.5 else round(self.rate * 0.6)
        self.change_rate(rate)
        self._count("rate changed")

    def change_rate(self, rate: float) -> None:
        """Give the campaign another rate, as an operator does: with the list again."""
        again = self.house.home.path / "again.csv"
        again.write_text(f"name,phone\nPerson,{number(0)}\n")
        words = ("enqueue", str(again), "--name", "list", "--rate", str(rate))
        asked, held = self._tell(*words, *self.plain())
        self.happened.rates.append((asked, held, rate))

    def plain(self) -> list[str]:
        """The options of the campaign that never change."""
        return [
            "--provider", "vaanivoice", "--agent", AGENT["vaanivoice"], "--window", "always",
            "--concurrency", str(self.lines), "--max-attempts", "2",
        ]  # fmt: skip
