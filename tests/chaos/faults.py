"""What is done to a run: to its workers, its Redis, its ledger, its provider, and by its operator."""

import random
import signal
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field

import httpx
import psycopg
from redis.exceptions import RedisError

from tests.acceptance.dialer_process import AGENT, KEY, Running, clock, number, until
from tests.chaos.machinery import House, redis_dump, texts_in
from tests.chaos.numbers import numbers_in
from tests.chaos.records import ask
from tests.chaos.schedule import faults_in

PATIENCE_S = 25.0
RAISED = 10
DUE_SOON_S = 5.0
DIAL_QUEUE = "dialer:dial:v1"
FORMATS = ("+91{0}", "0{0}", "91{0}", "+91 {1} {2}", "+91-{1}-{2}", "+91 ({1}) {2}", "00 91 {0}")
"""Ways to write a number of ten digits: whole, and in two halves."""


@dataclass(frozen=True, slots=True)
class Span:
    """From a change being acknowledged until its opposite was asked for; unix seconds."""

    since: float
    until: float


@dataclass(frozen=True, slots=True)
class Struck:
    """A worker that was killed, told to stop or frozen, by its process id; unix seconds."""

    how: str
    pid: int
    at: float


@dataclass
class Happened:
    """What was done to the run, and when it was acknowledged."""

    counts: Counter[str] = field(default_factory=Counter)
    pauses: list[Span] = field(default_factory=list)
    suppressed_at: dict[str, float] = field(default_factory=dict)
    """E.164 -> when the command had returned."""
    rates: list[tuple[float, float, float]] = field(default_factory=list)
    """(asked at, acknowledged at, calls per second)."""
    lines: list[tuple[float, float, float]] = field(default_factory=list)
    """(asked at, acknowledged at, calls at the same time)."""
    outages: list[Span] = field(default_factory=list)
    """When the provider refused connections."""
    away: list[Span] = field(default_factory=list)
    """When Redis or PostgreSQL did not answer."""
    struck: list[Struck] = field(default_factory=list)
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
    lines: int = 150
    _throttled: bool = False
    _calls: int = 0
    _old_jobs: list[tuple[str, bytes]] = field(default_factory=list)
    _bags: dict[str, list[str]] = field(default_factory=dict)

    def rage(self, done: Callable[[], bool]) -> None:
        """Until ``done``; returns when nothing is broken any more."""
        lanes = [self._processes, self._doorbell, self._operator, self._provider]
        if self.house.postgres is not None:
            lanes.append(self._ledger)
        with ThreadPoolExecutor(len(lanes)) as pool:
            running = [pool.submit(self._lane, lane) for lane in lanes]
            try:
                while not done() and not any(one.done() for one in running):
                    self.house.crew.fill()
                    with suppress(httpx.HTTPError):
                        self._calls = self.house.provider.placed()
                    self.over.wait(0.5)
            finally:
                self.over.set()
            for one in running:
                one.result()
        self.house.crew.fill()

    def second_act(self) -> None:
        """The provider throttles all the time from now on, and the operator asks for ten times the rate."""
        if not self._throttled:
            self.house.provider.change(faults=faults_in("second act"))
            self.rate *= RAISED
            self._throttled = True

    def _lane(self, lane: Callable[[], None]) -> None:
        self._rest(1.0, 2.0, 10)
        while not self.over.is_set():
            lane()

    def _rest(self, least_s: float, most_s: float, calls: int = 0, patience_s: float = PATIENCE_S) -> None:
        """For so long, and until so many more calls were placed: on a slow machine faults come slower, not fewer."""
        wanted, latest = self._calls + calls, clock.monotonic() + patience_s
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
        match self._drawn("processes", {"kill": 13, "stop": 1, "freeze": 2}):
            case "kill":
                self._strike(worker, "killed")
                crew.end(worker, signal.SIGKILL)
                self._count("worker killed (SIGKILL)")
                self._rest(0.5 * slow, 2.0 * slow, 34)
            case "stop":
                self._strike(worker, "stopped")
                crew.end(worker, signal.SIGTERM)
                self._count("worker told to stop (SIGTERM)")
                self._rest(0.5 * slow, 1.0 * slow, 40)
            case _:
                self._freeze(worker)

    def _strike(self, worker: Running, how: str) -> None:
        self.happened.struck.append(Struck(how, worker.process.pid, clock.now()))

    def _freeze(self, worker: Running) -> None:
        """Stop a worker for a while; the lane goes on, a timer lets it go."""
        pid = worker.process.pid
        self.house.crew.stopped[pid] = worker
        self._strike(worker, "frozen")
        worker.signal(signal.SIGSTOP)
        self._count("worker frozen (SIGSTOP) for 5 to 20 s")

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
        match self._drawn("doorbell", {"ring": 6, "flush": 4, "break": 1}):
            case "ring":
                self._ring_again()
                self._rest(0.5, 1.0, 40)
            case "flush":
                with suppress(RedisError, OSError):
                    self.house.redis_client().flushall()
                    self._count("Redis flushed")
                self._rest(1.0, 3.0, 110)
            case _:
                how = self._drawn("redis", {"restart": 2, "outage": 1, "freeze": 1})
                self._break_redis(how)
                self._count("Redis restarted empty, away or frozen")
                self._count(f"Redis: {how}")
                self._rest(1.0, 3.0, 120)

    def _break_redis(self, how: str) -> None:
        redis, began = self.house.redis, clock.now()
        if how == "freeze":
            assert redis.process is not None
            redis.process.send_signal(signal.SIGSTOP)
            self._rest(5.0, 10.0)
            redis.process.send_signal(signal.SIGCONT)
        else:
            redis.kill()
            if how == "outage":
                self._rest(5.0, 10.0)
            redis.start()
        self.happened.away.append(Span(began, clock.now()))

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
        with suppress(RedisError, OSError):
            text = "\n".join([*texts_in(self.house.redis_client()), redis_dump(self.house)])
            found = numbers_in(text, self.contacts)
            self._count("look into Redis")
            self.happened.leaks += [f"Redis held {len(found)} numbers"] * bool(found)
            self.happened.leaks += ["Redis held a key"] * (KEY in text)

    # PostgreSQL

    def _ledger(self) -> None:
        assert self.house.postgres is not None
        if self._drawn("ledger", {"cut": 20, "restart": 1}) == "restart":
            began = clock.now()
            self.house.postgres.restart()
            self.happened.away.append(Span(began, clock.now()))
            self._count("PostgreSQL restarted")
        elif self.house.postgres.kill_backend(self.chance):
            self._count("PostgreSQL connection cut")
        self._rest(0.5, 2.0, 38)

    # the provider

    def _provider(self) -> None:
        self._rest(2.0, 5.0, 300, patience_s=60.0)
        if self.over.is_set():
            return
        seconds = round(self.chance.uniform(1.0, 2.5), 2)
        began = clock.now()
        self.house.provider.refuse_connections(seconds)
        self.over.wait(seconds)
        with suppress(AssertionError):
            until(self.house.provider.answers, "the provider is back", 10)
        self.happened.outages.append(Span(began, clock.now()))
        self._count("provider refuses connections for 1 to 2.5 s")

    # the operator

    def _operator(self) -> None:
        if self._throttled and self.happened.rates[-1][2] <= self.rate / RAISED:
            self.change_pace(self.rate, self.lines)
        done = {"pause": self._pause, "suppress": self._suppress, "pace": self._change_pace}
        done[self._drawn("operator", {"pause": 2, "suppress": 4, "pace": 2})]()
        self._rest(0.5, 2.0, 42)

    def _tell(self, *words: str) -> tuple[float, float]:
        asked = clock.now()
        ended = self.house.command(*words)
        self.happened.took.setdefault(words[0], []).append(ended.at - asked)
        return asked, ended.at

    def _pause(self) -> None:
        sql = "SELECT count(*) AS n FROM attempts WHERE state = 'dialing'"
        dialing = 0
        with suppress(psycopg.Error, sqlite3.Error):
            dialing = int(ask(self.house.ledger_url, sql)[0]["n"])
        _, held = self._tell("pause", "list")
        self._rest(0.3, 1.0)
        asked, _ = self._tell("resume", "list")
        self.happened.pauses.append(Span(held, asked))
        self._count("paused and resumed")
        self.happened.counts["of them with calls on the wire"] += bool(dialing)

    def _suppress(self) -> None:
        soon, later = self._waiting()
        due = self.chance.sample(soon, min(2, len(soon)))
        chosen = due + self.chance.sample(later, min(3, len(later)))
        if chosen:
            _, held = self._tell("suppress", "add", *map(self._written, chosen), "--region", "IN")
            self.happened.suppressed_at |= dict.fromkeys(chosen, held)
            self.happened.counts["number suppressed"] += len(chosen)
            self.happened.counts["of them due within 5 s"] += len(due)

    def _waiting(self) -> tuple[list[str], list[str]]:
        """Numbers whose attempt is queued or due within 5 s, and numbers of whoever else is not settled."""
        sql = "SELECT phone, due_at FROM attempts WHERE state IN ('planned', 'queued') ORDER BY id LIMIT 400"
        fresh = "SELECT phone FROM contacts WHERE status = 'pending' ORDER BY id LIMIT 400"
        with suppress(psycopg.Error, sqlite3.Error):
            begun = ask(self.house.ledger_url, sql)
            soon = [row["phone"] for row in begun if row["due_at"] < clock.now() + DUE_SOON_S]
            late = [row["phone"] for row in begun if row["due_at"] >= clock.now() + DUE_SOON_S]
            return soon, late + [row["phone"] for row in ask(self.house.ledger_url, fresh)]
        return [], []

    def _written(self, phone: str) -> str:
        digits = phone[-10:]
        return self.chance.choice(FORMATS).format(digits, digits[:5], digits[5:])

    def _change_pace(self) -> None:
        """Another rate, or more or fewer lines."""
        _, _, rate = self.happened.rates[-1]
        _, _, lines = self.happened.lines[-1]
        if self.chance.random() < 0.5:
            rate = self.rate if rate < self.rate else round(self.rate * 0.6)
        else:
            lines = self.lines if lines < self.lines else round(self.lines * 0.4)
        self.change_pace(rate, int(lines))
        self._count("rate or lines changed")

    def change_pace(self, rate: float, lines: int) -> None:
        """Give the campaign another rate and so many lines, as an operator does: with the list again."""
        again = self.house.home.path / "again.csv"
        again.write_text(f"name,phone\nPerson,{number(0)}\n")
        asked, held = self._tell("enqueue", str(again), "--name", "list", *self.options(rate, lines))
        self.happened.rates.append((asked, held, rate))
        self.happened.lines.append((asked, held, lines))

    def options(self, rate: float, lines: int) -> list[str]:
        """The options of the campaign."""
        return [
            "--provider", "vaanivoice", "--agent", AGENT["vaanivoice"], "--window", "always",
            "--rate", str(rate), "--concurrency", str(lines), "--max-attempts", "2",
        ]  # fmt: skip
