"""CPU per placed call: the whole dialer next to a bare arq job with httpx, on one server, in one run.

python benchmarks/cost_per_call.py [--calls 2000] [--rounds 3] [--rules] [--json] [--profile FILE [--py-spy PATH]]

The dialer's side is ``dialer worker`` on a fresh home (SQLite) and a Valkey of its own, fed by ``dialer enqueue``,
without rate or line limit. The bare side is arq's own worker, one job for each contact, with one
``httpx.AsyncClient`` and nothing else: no ledger, no gate, no pace. Both post to a provider in this process that
answers at once. What is counted is the worker alone, user and system time of all its threads (and children), from
idle (after a few calls that warm it up) until its last call is recorded.
"""

import argparse
import asyncio
import csv
import json
import os
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import httpx
import uvloop
from arq.connections import RedisSettings, create_pool
from arq.worker import func, run_worker

from tests.redis_server import redis_server

TICK_S = 1 / os.sysconf("SC_CLK_TCK")
WARM_UP = 200
FIRST_NUMBER = 9_000_000_000
PATIENCE_S = 120.0
KEY = "benchmark"
RULES_ON = """
[contacts]
timezone = "tz"
trust_timezone = true
[window]
days = "mon-sun"
hours = "09:00-12:00, 12:30-21:00"
blackout = ["2099-12-24"]
"""
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Cost:
    """One side's round: CPU of its worker for each call, and how fast the calls arrived."""

    side: str
    cpu_ms_per_call: float
    calls_per_s: float


@dataclass(slots=True)
class Provider:
    """Answers every call at once, like vaanivoice; ``placed`` holds when each request arrived.

    Its log shows ``rows``, oldest first, which ``row_of`` makes of a call id and a request; without it nothing.
    """

    url: str = ""
    placed: list[float] = field(default_factory=list)
    row_of: Callable[[str, Any], bytes] | None = None
    rows: list[bytes] = field(default_factory=list)

    def place(self, body: bytes) -> bytes:
        """The answer to a request for a call."""
        self.placed.append(time.monotonic())
        call_id = f"outbound-1700000000-{len(self.placed):08x}"
        if self.row_of is not None:
            self.rows.append(self.row_of(call_id, json.loads(body)))
        return b'{"success":true,"message":"ok","output":{"message":"ok","call_id":"%s"}}' % call_id.encode()

    def log_page(self, page: int, size: int) -> bytes:
        """One page of the log, the newest call first."""
        until = len(self.rows) - (page - 1) * size
        rows, more = self.rows[max(0, until - size) : max(0, until)][::-1], until > size
        paging = {"page": page, "page_size": size, "total_count": len(self.rows), "has_next": more}
        return b'{"data":[%s],"pagination":%s}' % (b",".join(rows), json.dumps(paging).encode())


class _Connection(asyncio.Protocol):
    def __init__(self, provider: Provider) -> None:
        self.provider, self.buffer = provider, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but name

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].lower()
            _, found, rest = head.partition(b"content-length:")
            length = int(rest.split(b"\r\n", 1)[0]) if found else 0
            if len(self.buffer) < end + 4 + length:
                return
            body, self.buffer = self.buffer[end + 4 : end + 4 + length], self.buffer[end + 4 + length :]
            self.transport.write(_http(self._answer(head, body)))

    def _answer(self, head: bytes, body: bytes) -> bytes:
        if head.startswith(b"post"):
            return self.provider.place(body)
        asked = parse_qs(urlsplit(head.split(b" ", 2)[1].decode()).query)
        return self.provider.log_page(int(asked["page"][0]), int(asked["page_size"][0]))


def _http(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)


@asynccontextmanager
async def provider(row_of: Callable[[str, Any], bytes] | None = None) -> AsyncIterator[Provider]:
    """A provider on loopback for the block."""
    made = Provider(row_of=row_of)
    server = await asyncio.get_running_loop().create_server(lambda: _Connection(made), "127.0.0.1", 0, backlog=2048)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield made
    server.close()


def cpu_s(pid: int) -> float:
    """User and system seconds of a process, of its threads and of its children, those that ended included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    own = sum(int(field) for field in fields[11:15]) * TICK_S
    tasks = Path(f"/proc/{pid}/task").iterdir()
    children = [child for task in tasks for child in (task / "children").read_text().split()]
    return own + sum(cpu_s(int(child)) for child in children)


def start(command: list[str], environment: dict[str, str] | None = None) -> "subprocess.Popen[bytes]":
    """A process whose output nobody reads."""
    return subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL)


async def until(condition: Any, what: str, every_s: float = 0.02) -> None:
    """Wait for a condition. Raises TimeoutError that says what was waited for."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(what)
        await asyncio.sleep(every_s)


def afternoon() -> str:
    """A zone in which it is early afternoon now, so that every country's rules let calls pass."""
    ahead = 13 - time.gmtime().tm_hour
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"


@dataclass(frozen=True)
class DialerSide:
    """A home, its Redis, and the commands that run in it."""

    home: Path
    redis_url: str
    provider: Provider
    rules: bool = False
    """Whether the calling rules and a blackout day are asked at every call."""

    @property
    def environment(self) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("DIALER_")}
        return clean | {
            "DIALER_HOME": str(self.home),
            "DIALER_REDIS_URL": self.redis_url,
            "DIALER_VAANIVOICE_BASE_URL": self.provider.url,
            "DIALER_VAANIVOICE_API_KEY": KEY,
            "DIALER_RECONCILE_INTERVAL_S": "3600",
            "DIALER_LOG_LEVEL": "warning",
        }

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-c", "from dialer.cli import main; main()", *words]

    def list_of(self, first: int, count: int) -> Path:
        path = self.home / f"list-{first}.csv"
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["phone", "name", "city", "tz"])
            people = ((f"+91{FIRST_NUMBER + n}", f"Person {n}", "Pune") for n in range(first, first + count))
            writer.writerows([*person, afternoon()] for person in people)
        return path

    def campaign(self) -> list[str]:
        """A campaign whose window is open, with the rules on or off."""
        if not self.rules:
            return ["--window", "always"]
        path = self.home / "rules.toml"
        path.write_text(RULES_ON)
        return ["--campaign", str(path)]

    async def enqueue(self, first: int, count: int, rate: float = 0) -> None:
        words = ["--provider", "vaanivoice", "--agent", "agent-1", *self.campaign()]
        words += ["--rate", str(rate), "--concurrency", "0", "--name", f"bench-{first}"]
        command = self.command("enqueue", str(self.list_of(first, count)), *words)
        done = await asyncio.create_subprocess_exec(*command, env=self.environment, stdout=subprocess.DEVNULL, cwd=ROOT)
        if await done.wait():
            raise RuntimeError("dialer enqueue failed")

    def recorded(self) -> int:
        """Calls whose answer is in the ledger."""
        with suppress(sqlite3.OperationalError):
            reader = sqlite3.connect(f"file:{self.home / 'ledger.db'}?mode=ro", uri=True)
            try:
                return int(reader.execute("SELECT count(*) FROM attempts WHERE state = 'placed'").fetchone()[0])
            finally:
                reader.close()
        return 0


async def dialer_round(calls: int, profile: list[str], rules: bool = False) -> Cost:
    """One round of the dialer."""
    with tempfile.TemporaryDirectory(prefix="dialer-bench-") as home, redis_server() as url:
        async with provider() as server:
            side = DialerSide(Path(home), url, server, rules)
            await side.enqueue(0, WARM_UP)
            worker = start(side.command("worker"), side.environment)
            try:
                await until(lambda: side.recorded() == WARM_UP, "the dialer's warm-up", 0.1)
                return await measured("dialer", worker.pid, server, calls, profile=profile, side=side)
            finally:
                worker.send_signal(signal.SIGTERM)
                worker.wait(60)


async def measured(
    name: str,
    pid: int,
    server: Provider,
    calls: int,
    ring: Callable[[], None] | None = None,
    *,
    profile: Sequence[str] = (),
    side: DialerSide | None = None,
) -> Cost:
    """``calls`` after the warm-up: handed over here, by the dialer's command or by ``ring``, or due in a moment."""
    spy = start([*profile, "--pid", str(pid)]) if profile else None
    before, total = cpu_s(pid), WARM_UP + calls
    if side is not None:
        await side.enqueue(WARM_UP, calls)
    if ring is not None:
        await asyncio.to_thread(ring)
    await until(lambda: len(server.placed) >= total, f"{name}: {calls} calls")
    if side is not None:
        await until(lambda: side.recorded() >= total, "every answer in the ledger")
    used = cpu_s(pid) - before
    if spy is not None:
        spy.send_signal(signal.SIGINT)
        spy.wait(60)
    span = server.placed[total - 1] - server.placed[WARM_UP]
    return Cost(name, used / calls * 1000, (calls - 1) / span)


async def bare_call(ctx: dict[str, Any], number: str, name: str) -> None:
    """The bare job: one request."""
    answer = await ctx["client"].post(
        f"{ctx['url']}/api/trigger-call/",
        json={"agent_id": "agent-1", "contact_number": number, "name": name, "metadata": {"city": "Pune"}},
        headers={"X-API-Key": KEY},
    )
    answer.raise_for_status()


def bare_worker(redis_url: str, provider_url: str, jobs_at_once: int) -> None:
    """arq's own worker until SIGTERM, with one client for all jobs."""

    async def startup(ctx: dict[str, Any]) -> None:
        ctx.update(client=httpx.AsyncClient(trust_env=False), url=provider_url)

    settings = {
        "functions": [func(bare_call, keep_result=0)],
        "redis_settings": RedisSettings.from_dsn(redis_url),
        "on_startup": startup,
        "max_jobs": jobs_at_once,
        "poll_delay": 0.1,
    }
    run_worker(type("WorkerSettings", (), settings))


async def bare_round(calls: int, jobs_at_once: int) -> Cost:
    """One round of the bare job."""
    with redis_server() as url:
        async with provider() as server:
            command = [sys.executable, __file__, "--bare", url, server.url, "--bare-jobs", str(jobs_at_once)]
            worker = start(command)
            try:
                await _ring(url, 0, WARM_UP, 0.0)
                await until(lambda: len(server.placed) >= WARM_UP, "the bare job's warm-up")
                # Due all at once and later, so that ringing is not what is measured.
                await _ring(url, WARM_UP, calls, 3.0 + calls / 1500)
                return await measured("bare arq + httpx", worker.pid, server, calls)
            finally:
                worker.send_signal(signal.SIGTERM)
                worker.wait(60)


async def _ring(redis_url: str, first: int, count: int, in_s: float) -> None:
    pool = await create_pool(RedisSettings.from_dsn(redis_url))
    for number in range(first, first + count):
        await pool.enqueue_job("bare_call", f"+91{FIRST_NUMBER + number}", f"Person {number}", _defer_by=in_s)
    await pool.aclose()


async def compare(calls: int, rounds: int, jobs_at_once: int, profile: list[str], rules: bool) -> list[Cost]:
    """Rounds of both, in turns."""
    costs = []
    for _ in range(rounds):
        costs.append(await dialer_round(calls, profile, rules))
        print(line(costs[-1]), file=sys.stderr, flush=True)
        costs.append(await bare_round(calls, jobs_at_once))
        print(line(costs[-1]), file=sys.stderr, flush=True)
    return costs


def line(cost: Cost) -> str:
    return f"{cost.side:22} {cost.cpu_ms_per_call:8.3f} ms CPU/call {cost.calls_per_s:10,.0f} calls/s"


def each_side(costs: list[Cost]) -> dict[str, Any]:
    """Minimum and median of each side."""
    told: dict[str, Any] = {}
    for side in dict.fromkeys(cost.side for cost in costs):
        cpu = [cost.cpu_ms_per_call for cost in costs if cost.side == side]
        rate = [cost.calls_per_s for cost in costs if cost.side == side]
        told[side] = {
            "cpu_ms_min": round(min(cpu), 3),
            "cpu_ms_median": round(statistics.median(cpu), 3),
            "calls_per_s_median": round(statistics.median(rate), 1),
        }
    return told


def summary(costs: list[Cost]) -> dict[str, Any]:
    """Minimum and median of both sides, and the dialer's as a share of the bare job's."""
    told = each_side(costs)
    first, second = told.values()
    told["ratio_min"] = round(first["cpu_ms_min"] / second["cpu_ms_min"], 3)
    told["ratio_median"] = round(first["cpu_ms_median"] / second["cpu_ms_median"], 3)
    return told


def main() -> None:
    """Run and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--calls", type=int, default=2000, help="calls of each side in a round")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--rules", action="store_true", help="with the calling rules on")
    options.add_argument("--bare-jobs", type=int, default=100, help="jobs the bare worker runs at once")
    options.add_argument("--profile", metavar="FILE", help="py-spy's raw stacks of the dialer's worker")
    options.add_argument("--py-spy", default="py-spy", help="where py-spy is")
    options.add_argument("--json", action="store_true", help="print one JSON document on stdout")
    options.add_argument("--bare", nargs=2, metavar=("REDIS", "PROVIDER"), help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.bare:
        redis_url, provider_url = given.bare
        bare_worker(redis_url, provider_url, given.bare_jobs)
        return
    spy = [given.py_spy, "record", "-r", "500", "-d", "600", "-f", "raw", "-o", given.profile] if given.profile else []
    costs = uvloop.run(compare(given.calls, given.rounds, given.bare_jobs, spy, given.rules))
    told = summary(costs)
    if given.json:
        print(json.dumps(told | {"rounds": [asdict(cost) for cost in costs]}))
        return
    for side in list(told)[:2]:
        each = told[side]
        print(
            f"{side:22} min {each['cpu_ms_min']:.3f}  median {each['cpu_ms_median']:.3f} ms CPU per call,"
            f"  {each['calls_per_s_median']:,.0f} calls/s"
        )
    print(f"dialer / bare: {told['ratio_min']:.2f} (minimum), {told['ratio_median']:.2f} (median)")


if __name__ == "__main__":
    main()
