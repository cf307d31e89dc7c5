"""The processes of a run: workers that are replaced when they die, a Redis, a ledger's server, the provider."""

import os
import random
import signal
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from redis import Redis

from tests.acceptance.dialer_process import Ended, Home, Provider, Running, until
from tests.postgres_server import fresh_database, postgres_server
from tests.redis_server import RedisServer

ACCOUNT = "vaanivoice"
THREADS = 3


@dataclass
class Crew:
    """So many worker processes at any time: one that ended is replaced at once."""

    home: Home
    size: int
    at_work: list[Running] = field(default_factory=list)
    stopped: dict[int, Running] = field(default_factory=dict)
    """Process id -> workers that a SIGSTOP holds."""
    bad_ends: list[int] = field(default_factory=list)
    """Exit codes of workers that ended without having been asked to, or badly."""
    _expected: set[int] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def fill(self) -> None:
        """Replace who is gone."""
        with self._lock:
            for worker in [worker for worker in self.at_work if not worker.alive]:
                self.at_work.remove(worker)
                code = worker.process.returncode
                expected = worker.process.pid in self._expected and code in (0, -signal.SIGKILL)
                # Whoever finds no ledger at its start may say so and end; once at work, it has to ride it out.
                if not expected and "worker.started" in worker.err.read_text():
                    self.bad_ends.append(code)
            while len(self.at_work) < self.size:
                self.at_work.append(self.home.start("worker"))

    def pick(self, chance: random.Random) -> Running | None:
        """A worker that has begun to work and is not stopped."""
        free = [one for one in self.at_work if one.process.pid not in self.stopped and _is_up(one)]
        return chance.choice(free) if free else None

    def end(self, worker: Running, how: signal.Signals) -> None:
        """Kill or terminate one."""
        self._expected.add(worker.process.pid)
        worker.signal(how)

    def dismiss(self) -> list[int]:
        """Terminate all of them; their exit codes."""
        for worker in self.at_work:
            self.end(worker, signal.SIGTERM)
        return [worker.ended(90).code for worker in self.at_work]


def _is_up(worker: Running) -> bool:
    """Whether it has come as far as its ledger, which has threads of its own."""
    with suppress(OSError):
        return worker.alive and len(list(Path(f"/proc/{worker.process.pid}/task").iterdir())) >= THREADS
    return False


@dataclass(frozen=True)
class Postgres:
    """A server that can be restarted under its users' feet."""

    url: str
    started: list["subprocess.Popen[bytes]"] = field(default_factory=list)
    """Servers that were started again here."""

    @property
    def directory(self) -> Path:
        """Where its socket and its data are."""
        return Path(self.url.split("host=", 1)[1])

    def kill_backend(self, chance: random.Random) -> bool:
        """End the connection of one of its users, if there is one."""
        others = "SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        try:
            with psycopg.connect(self.url, connect_timeout=5, autocommit=True) as connection:
                found = [row[0] for row in connection.execute(others).fetchall()]
                if not found:
                    return False
                connection.execute("SELECT pg_terminate_backend(%s)", (chance.choice(found),))
        except psycopg.Error:
            return False
        return True

    def restart(self) -> None:
        """A fast shutdown, which cuts every connection, and the same command again."""
        pid_file = self.directory / "data" / "postmaster.pid"
        pid = int(pid_file.read_text().split()[0])
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[:-1]
        owner = Path(f"/proc/{pid}").stat()
        options: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        if os.geteuid() == 0:
            options |= {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}
        os.kill(pid, signal.SIGINT)
        until(lambda: not pid_file.exists(), "PostgreSQL is down", 30)
        self.started.append(subprocess.Popen(command, cwd=self.directory, **options))
        until(self._answers, "PostgreSQL is up", 30)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def stop(self) -> None:
        """End whichever server runs there."""
        pid_file = self.directory / "data" / "postmaster.pid"
        if pid_file.exists():
            os.kill(int(pid_file.read_text().split()[0]), signal.SIGINT)
            until(lambda: not pid_file.exists(), "PostgreSQL is down", 30)
        for server in self.started:
            server.wait(30)


@contextmanager
def own_postgres() -> Iterator[Postgres]:
    """A server of our own even where the tests are given one: this one is restarted."""
    given = os.environ.pop("DIALER_TEST_POSTGRES_URL", None)
    with ExitStack() as stack:
        if given is not None:
            stack.callback(os.environ.__setitem__, "DIALER_TEST_POSTGRES_URL", given)
        server_url = stack.enter_context(postgres_server())
        started: list[subprocess.Popen[bytes]] = []
        stack.callback(Postgres(server_url, started).stop)
        yield Postgres(stack.enter_context(fresh_database(server_url, "chaos")), started)


@dataclass
class House:
    """Everything a run consists of."""

    home: Home
    crew: Crew
    provider: Provider
    redis: RedisServer
    ledger_url: str
    postgres: Postgres | None = None

    def redis_client(self) -> Any:
        """A connection for looking and for breaking things."""
        return Redis.from_url(self.redis.url, socket_timeout=5)

    def command(self, *words: str) -> Ended:
        """A dialer command, tried again while the ledger or Redis is away."""
        for _ in range(5):
            ended = self.home.command(*words, code=None)
            if ended.code == 0:
                return ended
        raise AssertionError(f"{words[0]}: exit {ended.code}: {ended.err[-2000:]}")


def redis_dump(house: House) -> str:
    """What Redis would write to a disk, as text."""
    client = house.redis_client()
    client.config_set("rdbcompression", "no")
    client.save()
    return (house.redis.directory / "dump.rdb").read_bytes().decode("latin-1")


def texts_in(client: Any) -> Sequence[str]:
    """Every key and value, as text."""
    found: list[str] = []
    for key in client.scan_iter(count=1000):
        found.append(key.decode(errors="replace"))
        found.append(repr(_value(client, key)))
    return found


def _value(client: Any, key: bytes) -> Any:
    match client.type(key):
        case b"string":
            return client.get(key)
        case b"hash":
            return client.hgetall(key)
        case b"zset":
            return client.zrange(key, 0, -1, withscores=True)
        case b"list":
            return client.lrange(key, 0, -1)
        case b"set":
            return client.smembers(key)
        case _:
            return None
