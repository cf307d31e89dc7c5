"""What a worker still does when other work takes part of its CPU: calls a second and hand-overs for each call.

python benchmarks/busy.py [--seconds 20] [--rates 0,25,100] [--hogs 0,1,3] [--json]

The worker (``dialer worker``, SQLite, a Valkey of its own) is bound to one CPU. Beside it, on the same CPU, run so many
processes that never rest: with one it gets half of the CPU, with three a quarter. Each line is told as a share of the
line without any. A hand-over is an attempt that was queued; one for each call is what it costs when nothing is late.
More people wait than can be called in the time.
"""

import argparse
import asyncio
import json
import math
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import uvloop

from benchmarks.cost_per_call import ROOT, WARM_UP, DialerSide, provider, until
from tests.redis_server import redis_server

HOG = "while True: pass"
MOST_PER_S = 500
"""No run without limit is faster than that."""
SETTLING_S = 2.0


@dataclass(frozen=True, slots=True)
class Busy:
    """One run; ``rate`` 0 is without limit."""

    rate: float
    hogs: int
    calls: int
    calls_per_s: float
    hand_overs_per_call: float
    given_back: dict[str, int]
    """Why attempts went back to where they were planned, how often."""


@contextmanager
def hogs(count: int, cpu: int) -> Iterator[None]:
    """So many processes that take all they get of a CPU, for the block."""
    running = [subprocess.Popen([sys.executable, "-c", HOG]) for _ in range(count)]
    try:
        for hog in running:
            os.sched_setaffinity(hog.pid, {cpu})
        yield
    finally:
        for hog in running:
            hog.kill()
            hog.wait()


def bound(side: DialerSide, cpu: int) -> "subprocess.Popen[bytes]":
    """A worker that stays on one CPU."""
    code = f"import os; os.sched_setaffinity(0, {{{cpu}}}); from dialer.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", code, "worker"], env=side.environment, cwd=ROOT, stdout=subprocess.DEVNULL
    )


def hand_overs(home: Path) -> tuple[float, dict[str, int]]:
    """Hand-overs for each call placed, and why there were more than one."""
    reader = sqlite3.connect(f"file:{home / 'ledger.db'}?mode=ro", uri=True)
    asked = f"SELECT avg(dispatch) FROM attempts WHERE id > {WARM_UP} AND state = 'placed'"
    reasons = f"SELECT reason, count(*) FROM events WHERE attempt_id > {WARM_UP} AND after = 'planned' GROUP BY reason"
    try:
        return float(reader.execute(asked).fetchone()[0] or math.nan), dict(reader.execute(reasons).fetchall())
    finally:
        reader.close()


async def run(rate: float, busy: int, seconds: float, cpu: int) -> Busy:
    """One run on a fresh home."""
    with tempfile.TemporaryDirectory(prefix="dialer-busy-") as home, redis_server() as url:
        async with provider() as server:
            side = DialerSide(Path(home), url, server)
            await side.enqueue(0, WARM_UP)
            worker = bound(side, cpu)
            try:
                await until(lambda: side.recorded() == WARM_UP, "the warm-up", 0.1)
                with hogs(busy, cpu):
                    await side.enqueue(WARM_UP, round((rate or MOST_PER_S) * (seconds + 2 * SETTLING_S)), rate)
                    await asyncio.sleep(SETTLING_S)
                    before = len(server.placed)
                    await asyncio.sleep(seconds)
                    calls = len(server.placed) - before
                    handed, reasons = hand_overs(Path(home))
            finally:
                worker.kill()  # what it asked for last is answered by nobody any more
                worker.wait(60)
            return Busy(rate, busy, calls, calls / seconds, handed, reasons)


async def compare(seconds: float, rates: Sequence[float], crowds: Sequence[int]) -> list[Busy]:
    """Every rate with every number of hogs."""
    cpu, runs = max(os.sched_getaffinity(0)), []
    for rate in rates:
        for busy in crowds:
            runs.append(await run(rate, busy, seconds, cpu))
            free = next(one for one in runs if one.rate == rate)
            print(told(runs[-1], free), flush=True)
    return runs


def told(run: Busy, free: Busy) -> str:
    limit = f"{run.rate:g}/s" if run.rate else "no limit"
    return (
        f"{limit:>9}, {run.hogs} beside: {run.calls_per_s:7.1f} calls/s ({run.calls_per_s / free.calls_per_s:.2f} of "
        f"{free.calls_per_s:.1f}), {run.hand_overs_per_call:.3f} hand-overs a call"
        + "".join(f"\n{'':12}{count} x {reason}" for reason, count in sorted(run.given_back.items()))
    )


def main() -> None:
    """Run and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=float, default=20, help="how long each run is watched")
    options.add_argument("--rates", type=lambda text: [float(part) for part in text.split(",")], default=[0, 25, 100])
    options.add_argument("--hogs", type=lambda text: [int(part) for part in text.split(",")], default=[0, 1, 3])
    options.add_argument("--json", action="store_true", help="print one JSON document at the end")
    given = options.parse_args()
    runs = uvloop.run(compare(given.seconds, given.rates, given.hogs))
    if given.json:
        print(json.dumps([asdict(one) for one in runs]))


if __name__ == "__main__":
    main()
