"""Compare a whole year: ``python -m tests.oracle [--decisions 200000] [--seed 1]``."""

import argparse
import sys
import time

from tests.oracle.year import replay


def main() -> int:
    """0 when the dialer and the oracle agree on everything."""
    parser = argparse.ArgumentParser(prog="python -m tests.oracle", description=__doc__)
    parser.add_argument("--decisions", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    began = time.monotonic()
    score = replay(asked.seed, asked.decisions, walked=200)
    for wrong in score.wrong[:20]:
        print(wrong)
    print(score.told())
    print(f"{time.monotonic() - began:.0f} s")
    return 1 if score.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
