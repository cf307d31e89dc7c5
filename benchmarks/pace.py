"""Pace used, worst rolling second as sent, Redis commands and CPU per grant, over a real Valkey.

python benchmarks/pace.py --seconds 10 [--rates 10,50] [--workers 1,4] [--waiters 64]
"""

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from redis.asyncio import Redis

from dialer.adapters.pacing import RedisPacer
from dialer.adapters.pacing.timing import Timing
from dialer.ports import Limits
from tests.fakes.pacer import restore
from tests.redis_server import redis_server

ACCOUNT = "benchmark"
PREFIX = "bench"


@dataclass(frozen=True, slots=True)
class Run:
    """What a run came to; ``worst`` is the most calls in any rolling second minus the rate."""

    rate: float
    workers: int
    waiters: int
    calls: int
    pace_used: float
    worst: int
    commands_per_grant: float
    cpu_ms_per_grant: float
    given_up: int
    late_p99_ms: float


async def work(url: str, waiters: int, seconds: float, worker: int, guard_s: float) -> None:
    """One worker process: dial for ``seconds``, print the moments of sending and the costs as JSON."""
    client = Redis.from_url(url)
    pacer = RedisPacer(client, PREFIX, time.monotonic, Timing(guard_s=guard_s))
    numbers, sent, lateness, given_up = count(worker * 10_000_000 + 1), list[float](), list[float](), 0
    end = time.monotonic() + seconds

    async def wait_in_line() -> None:
        nonlocal given_up
        while (left := end - time.monotonic()) > 0:
            attempt_id = next(numbers)
            grant = await pacer.acquire(ACCOUNT, 1, attempt_id, left)
            while grant is not None and not await grant.slot():
                given_up += 1
                grant = await pacer.again(ACCOUNT, 1, attempt_id, left)
            if grant is not None:
                sent.append(time.monotonic())
                due = getattr(grant, "due", 0.0)
                lateness.append(sent[-1] - due if due > 0 else 0.0)
            await asyncio.sleep(0)

    cpu = time.process_time()
    await asyncio.gather(*(wait_in_line() for _ in range(waiters)))
    cpu = time.process_time() - cpu
    print(json.dumps({"sent": sent, "late": lateness, "cpu": cpu, "commands": pacer.commands, "given_up": given_up}))
    await pacer.aclose()
    await client.aclose()


def worst_second(moments: Sequence[float]) -> int:
    """The most calls in any half-open second."""
    worst = first = 0
    for last, moment in enumerate(moments):
        while moment - moments[first] >= 1:
            first += 1
        worst = max(worst, last - first + 1)
    return worst


async def prepare(url: str, rate: float, lines: int, guard_s: float) -> None:
    client = Redis.from_url(url)
    await client.flushall()
    pacer = RedisPacer(client, PREFIX, time.monotonic, Timing(guard_s=guard_s))
    await pacer.configure(ACCOUNT, Limits(rate, lines), {1: Limits(0, 0)})
    await restore(pacer, ACCOUNT, {})
    await pacer.aclose()
    await client.aclose()


def run(url: str, rate: float, workers: int, waiters: int, seconds: float, guard_s: float, lines: int) -> Run:
    """``waiters`` in all, spread over ``workers`` processes."""
    asyncio.run(prepare(url, rate, lines, guard_s))
    command = [sys.executable, __file__, "--url", url, "--seconds", str(seconds + 1), "--guard", str(guard_s)]
    processes = [
        subprocess.Popen(
            [*command, "--worker", str(number), "--waiters", str(waiters // workers)], stdout=subprocess.PIPE
        )
        for number in range(workers)
    ]
    parts = [json.loads(process.communicate()[0]) for process in processes]
    sent = sorted(moment for part in parts for moment in part["sent"])
    late = sorted(late for part in parts for late in part["late"])
    span = sent[-1] - sent[0]
    return Run(
        rate,
        workers,
        waiters,
        len(sent),
        round((len(sent) - 1) / span / rate, 4) if rate else round((len(sent) - 1) / span),
        worst_second(sent) - int(rate) if rate else 0,
        round(sum(part["commands"] for part in parts) / len(sent), 4),
        round(1000 * sum(part["cpu"] for part in parts) / len(sent), 3),
        sum(part["given_up"] for part in parts),
        round(1000 * late[int(len(late) * 0.99)], 2),
    )


def numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rates", type=numbers, default=[1, 10, 25, 50, 200, 1000])
    parser.add_argument("--workers", type=numbers, default=[1, 2, 4])
    parser.add_argument("--waiters", type=numbers, default=[64])
    parser.add_argument("--guard", type=float, default=Timing().guard_s)
    parser.add_argument("--lines", type=int, default=0)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    parser.add_argument("--worker", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker is not None:
        asyncio.run(work(options.url, options.waiters[0], options.seconds, options.worker, options.guard))
        return
    with redis_server() as url:
        for rate in options.rates:
            for workers in options.workers:
                for waiters in options.waiters:
                    done = run(url, rate, workers, waiters, options.seconds, options.guard, options.lines)
                    print("  ".join(f"{name} {value}" for name, value in asdict(done).items()), flush=True)


if __name__ == "__main__":
    main()
