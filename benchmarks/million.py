"""What waiting contacts cost: throughput and memory of one worker with many waiting and with few, in one run.

python benchmarks/million.py [--many 1000000] [--few 10000] [--calls 6000] [--rounds 2] [--json]

SQLite, one worker, no rate and no line limit, a provider in this process that answers at once. Throughput is counted
over ``--calls`` recorded calls after a warm-up; memory is the worker's peak (VmHWM) and what Redis says it uses more
than an empty one.
"""

import argparse
import asyncio
import json
import signal
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import uvloop
from redis import Redis

from benchmarks.cost_per_call import WARM_UP, DialerSide, cpu_s, provider, start, until
from tests.redis_server import redis_server

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Waiting:
    """One round."""

    contacts: int
    import_s: float
    calls_per_s: float
    cpu_ms_per_call: float
    worker_peak_mib: float
    redis_mib: float


def peak_mib(pid: int) -> float:
    """The most memory a process has held."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def used_memory(redis: Redis) -> int:
    """Bytes, by Redis's own count."""
    return int(cast(dict[str, Any], redis.info("memory"))["used_memory"])


async def round_of(contacts: int, calls: int) -> Waiting:
    """Import, then dial ``calls`` of them."""
    with tempfile.TemporaryDirectory(prefix="dialer-bench-") as home, redis_server() as url:
        async with provider() as server:
            side, redis = DialerSide(Path(home), url, server), Redis.from_url(url)
            empty = used_memory(redis)
            began = time.monotonic()
            await side.enqueue(0, contacts)
            import_s = time.monotonic() - began
            worker = start(side.command("worker"), side.environment)
            most = empty
            try:
                await until(lambda: len(server.placed) >= WARM_UP, "the warm-up", 0.05)
                before = cpu_s(worker.pid)
                while len(server.placed) < WARM_UP + calls:
                    most = max(most, used_memory(redis))
                    await asyncio.sleep(0.2)
                used, made = cpu_s(worker.pid) - before, len(server.placed) - WARM_UP
                span = server.placed[WARM_UP + calls - 1] - server.placed[WARM_UP]
                peak = peak_mib(worker.pid)
            finally:
                worker.send_signal(signal.SIGTERM)
                # The provider goes on answering meanwhile.
                await asyncio.to_thread(worker.wait, 60)
    return Waiting(contacts, import_s, (calls - 1) / span, used / made * 1000, peak, (most - empty) / MIB)


async def compare(many: int, few: int, calls: int, rounds: int) -> list[Waiting]:
    """Rounds of both, in turns."""
    found = []
    for _ in range(rounds):
        for contacts in (few, many):
            found.append(await round_of(contacts, calls))
            print(_line(found[-1]), file=sys.stderr, flush=True)
    return found


def _line(one: Waiting) -> str:
    return (
        f"{one.contacts:>9,} waiting: {one.calls_per_s:7,.0f} calls/s  {one.cpu_ms_per_call:.3f} ms CPU/call"
        f"  worker {one.worker_peak_mib:.0f} MiB  Redis +{one.redis_mib:.1f} MiB  imported in {one.import_s:.1f} s"
    )


def main() -> None:
    """Run and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--many", type=int, default=1_000_000)
    options.add_argument("--few", type=int, default=10_000)
    options.add_argument("--calls", type=int, default=6000)
    options.add_argument("--rounds", type=int, default=2)
    options.add_argument("--json", action="store_true", help="print one JSON document on stdout")
    given = options.parse_args()
    found = uvloop.run(compare(given.many, given.few, given.calls, given.rounds))
    best = {n: max(one.calls_per_s for one in found if one.contacts == n) for n in (given.few, given.many)}
    ratio = best[given.many] / best[given.few]
    if given.json:
        print(json.dumps({"ratio": round(ratio, 3), "rounds": [asdict(one) for one in found]}))
        return
    print(f"throughput with {given.many:,} waiting / with {given.few:,}: {ratio:.2f} (best rounds)")


if __name__ == "__main__":
    main()
