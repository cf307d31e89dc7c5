"""How long it takes to bar many numbers of a running campaign, and that none of them is called afterwards.

python benchmarks/suppress.py [--contacts 100000] [--numbers 10000] [--rate 25] [--rounds 3] [--after 20] [--json]

A worker process dials at ``--rate``; ``dialer suppress import`` bars every so many-th number, in five spellings. Timed
from before the start of the command to its end.
"""

import argparse
import csv
import json
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from dialer.domain.suppression import hash_of
from tests.acceptance.dialer_process import (
    QUICK,
    Home,
    dialing,
    number,
    provider_process,
    settings_for,
    until,
    write_list,
)
from tests.redis_server import redis_server

SPELLINGS = (
    lambda phone: phone,
    lambda phone: phone.lstrip("+"),
    lambda phone: f"0{phone[3:8]} {phone[8:]}",
    lambda phone: f"{phone[:3]} ({phone[3:6]}) {phone[6:9]}-{phone[9:]}",
    hash_of,
)


@dataclass(frozen=True, slots=True)
class Barred:
    """One round."""

    numbers: int
    of: int
    seconds: float
    called_before: int
    called_after: int


def run(contacts: int, numbers: int, rate: float, after_s: float) -> Barred:
    """Import, dial for a while, bar, and dial on for ``after_s``."""
    with provider_process(QUICK) as provider, redis_server() as redis, tempfile.TemporaryDirectory() as place:
        home = Home(Path(place), settings_for(provider, DIALER_REDIS_URL=redis), afresh=True)
        try:
            home.command("enqueue", str(write_list(home.path / "list.csv", contacts)), *dialing(rate=rate))
            barred = [number(n) for n in range(0, contacts, contacts // numbers)]
            with (home.path / "no.csv").open("w", newline="") as file:
                csv.writer(file).writerows([["phone"], *([SPELLINGS[n % 5](one)] for n, one in enumerate(barred))])
            home.start("worker")
            until(lambda: provider.placed() > 4 * rate, "some calls")
            begun = time.monotonic()
            ended = home.command("suppress", "import", str(home.path / "no.csv"), "--region", "IN", "--json")
            seconds = time.monotonic() - begun
            assert ended.json()["added"] == len(barred), ended.out
            placed = provider.placed()
            until(lambda: provider.placed() > placed + rate * after_s, "more calls", within_s=60 + 2 * after_s)
        finally:
            home.end()
        late = {call["to"] for call in provider.books().calls if call["accepted_at"] > ended.at}
        before = sum(call["to"] in set(barred) for call in provider.books().calls)
    return Barred(len(barred), contacts, round(seconds, 2), before, len(late & set(barred)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=100_000)
    parser.add_argument("--numbers", type=int, default=10_000)
    parser.add_argument("--rate", type=float, default=25)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--after", type=float, default=20)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rounds = [run(given.contacts, given.numbers, given.rate, given.after) for _ in range(given.rounds)]
    if given.json:
        print(json.dumps([asdict(one) for one in rounds]))
        return
    for one in rounds:
        print(f"{one.numbers:,} of {one.of:,} numbers barred in {one.seconds} s; {one.called_before} of them were "
              f"called before, {one.called_after} after")  # fmt: skip


if __name__ == "__main__":
    main()
