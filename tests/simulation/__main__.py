"""Run many seeds: ``python -m tests.simulation --seeds 20000 [--first 0] [--processes 2] [--crowd]``."""

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor

from tests.simulation.trial import SEEDS_OF_FLOORS, Tally, crowd, verdict
from tests.simulation.world import Plan


def one(plan: Plan) -> tuple[str, Tally]:
    """The verdict on one plan, and its tally."""
    tally = Tally()
    return verdict(plan, tally), tally


def main() -> int:
    """0 when every seed agrees, and enough went wrong for that to mean something."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--processes", type=int, default=2, help="how many at once")
    parser.add_argument("--crowd", action="store_true", help="ten campaigns instead of two")
    asked = parser.parse_args()
    total, failed = Tally(), 0
    seeds = range(asked.first, asked.first + asked.seeds)
    with ProcessPoolExecutor(max(1, min(asked.processes, asked.seeds))) as pool:
        for text, tally in pool.map(one, map(crowd if asked.crowd else Plan, seeds)):
            failed += bool(text)
            if text:
                print(text, flush=True)
            total.seeds, total.lost, total.found = total.seeds + 1, total.lost + tally.lost, total.found + tally.found
            total.happened += tally.happened
            if total.seeds % 100 == 0:
                print(f"{total.seeds} seeds, {failed} failed", file=sys.stderr, flush=True)
    for name, count in sorted(total.happened.items()):
        print(f"{count:9d} {name}")
    print(f"{total.seeds} seeds, {failed} failed; {total.found} of {total.lost} lost answers found again")
    complaints = total.complaints() if total.seeds >= SEEDS_OF_FLOORS and not asked.crowd else []
    for complaint in complaints:
        print(complaint)
    return 1 if failed or complaints else 0


if __name__ == "__main__":
    sys.exit(main())
