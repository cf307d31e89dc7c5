"""CPU per placed call: the whole dialer next to bare jobs on other queues and bare request loops, in one run.

    make bench-rivals            # makes the rivals' environment, then runs this
    python benchmarks/side_by_side.py --python RIVALS/bin/python [--calls 2000] [--rounds 3] [--json]

The measure is that of ``cost_per_call.py``: CPU of the worker and all its children, user and system time, from idle
until its last call has arrived (the dialer: is recorded). Rivals run one job per contact with one client
(``rivals/jobs.py``); the loops have no queue at all.
"""

import argparse
import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import uvloop

from benchmarks.cost_per_call import (
    ROOT,
    WARM_UP,
    Cost,
    bare_round,
    dialer_round,
    each_side,
    line,
    measured,
    provider,
    until,
)
from tests.redis_server import redis_server

JOBS = str(ROOT / "benchmarks" / "rivals" / "jobs.py")
QUEUES = ("saq", "taskiq", "celery", "dramatiq")
LOOPS = ("httpx-loop", "aiohttp-loop")
AT_ONCE = 100


async def queue_round(python: str, queue: str, calls: int) -> Cost:
    """One round of a bare job on ``queue``."""
    with redis_server() as url:
        async with provider() as server:
            worker = subprocess.Popen(  # noqa: ASYNC220 - nothing else runs meanwhile
                [python, JOBS, queue, "work", url, server.url, str(AT_ONCE)], cwd=ROOT, stdout=subprocess.DEVNULL
            )

            def ring(first: int, count: int) -> None:
                subprocess.run([python, JOBS, queue, "enqueue", url, str(first), str(count)], check=True, cwd=ROOT)

            try:
                ring(0, WARM_UP)
                await until(lambda: len(server.placed) >= WARM_UP, f"{queue}: warm-up")
                return await measured(f"bare {queue} + httpx", worker.pid, server, calls, lambda: ring(WARM_UP, calls))
            finally:
                worker.kill()
                worker.wait(60)


async def loop_round(python: str, loop: str, calls: int) -> Cost:
    """One round of a bare request loop."""
    async with provider() as server:
        command = [python, JOBS, loop, "work", "-", server.url, str(AT_ONCE)]
        worker = subprocess.Popen(  # noqa: ASYNC220 - nothing else runs meanwhile
            command, cwd=ROOT, stdin=subprocess.PIPE, text=True
        )

        def ring(count: int) -> None:
            assert worker.stdin is not None
            print(count, file=worker.stdin, flush=True)

        try:
            ring(WARM_UP)
            await until(lambda: len(server.placed) >= WARM_UP, f"{loop}: warm-up")
            return await measured(f"bare {loop}", worker.pid, server, calls, lambda: ring(calls))
        finally:
            worker.kill()
            worker.wait(60)


async def compare(python: str, calls: int, rounds: int) -> list[Cost]:
    """Rounds of all, in turns."""
    costs: list[Cost] = []

    def tell(cost: Cost) -> None:
        costs.append(cost)
        print(line(cost), file=sys.stderr, flush=True)

    for _ in range(rounds):
        tell(await dialer_round(calls, []))
        tell(await bare_round(calls, AT_ONCE))
        for queue in QUEUES:
            tell(await queue_round(python, queue, calls))
        for loop in LOOPS:
            tell(await loop_round(python, loop, calls))
    return costs


def main() -> None:
    """Run and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--python", required=True, help="the rivals' Python")
    options.add_argument("--calls", type=int, default=2000, help="calls of each side in a round")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--json", action="store_true", help="print one JSON document on stdout")
    given = options.parse_args()
    costs = uvloop.run(compare(given.python, given.calls, given.rounds))
    told = each_side(costs)
    if given.json:
        print(json.dumps(told | {"rounds": [asdict(cost) for cost in costs]}))
        return
    least = told["dialer"]["cpu_ms_min"]
    for side, each in told.items():
        print(
            f"{side:22} min {each['cpu_ms_min']:.3f}  median {each['cpu_ms_median']:.3f} ms CPU per call,"
            f"  {each['calls_per_s_median']:7,.0f} calls/s,  dialer / this {least / each['cpu_ms_min']:.2f}"
        )


if __name__ == "__main__":
    main()
