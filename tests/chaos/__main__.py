"""``python -m tests.chaos``: run and tell; exit 0 when all agree, 1 when not, 2 when too little went wrong."""

import argparse
import sys
from pathlib import Path

from tests.chaos.run import Plan, as_table, run


def _plan() -> Plan:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--contacts", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=0, help="default: 4 on postgresql, 1 on sqlite")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", choices=("postgresql", "sqlite"), default="postgresql")
    parser.add_argument("--rate", type=float, default=30.0, help="calls per second")
    parser.add_argument("--lines", type=int, default=150, help="calls at the same time")
    parser.add_argument("--keep", type=Path, help="directory for the logs; default: thrown away")
    given = parser.parse_args()
    workers = given.workers or (4 if given.database == "postgresql" else 1)
    return Plan(
        given.contacts, workers, given.seed, given.database, given.rate, given.lines,
        settle_s=240 + given.contacts / 50, keep=given.keep,
    )  # fmt: skip


if __name__ == "__main__":
    verdict = run(_plan())
    print(as_table(verdict), flush=True)
    sys.exit(verdict.code)
