"""From the start of ``dialer run`` to the first request, and from a worker's SIGKILL to the first call of what it had.

python benchmarks/start.py [--rounds 5] [--json]

The first on the embedded default in an empty home. The second with two workers that share a campaign at 25 calls/s: the
first call of a person whom the killed worker had been handed, by the ledger's events.
"""

import argparse
import json
import sqlite3
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.acceptance.dialer_process import QUICK, Home, dialing, provider_process, settings_for, until, write_list
from tests.redis_server import redis_server

HANDED_BACK = """
SELECT min(dialed.at) FROM events AS dialed JOIN events AS back USING (attempt_id)
WHERE back.reason LIKE 'lease expired%' AND dialed.after = 'dialing' AND dialed.at > back.at
"""


def first_request() -> float:
    """Seconds until the provider heard of it."""
    with provider_process(QUICK) as provider, tempfile.TemporaryDirectory() as place:
        home = Home(Path(place), settings_for(provider))
        try:
            contacts = write_list(home.path / "list.csv", 20)
            begun = time.time()
            home.start("run", str(contacts), *dialing())
            until(lambda: provider.placed() > 0, "a call")
            return provider.books().placing[0] - begun
        finally:
            home.end()


def taken_over() -> float:
    """Seconds until somebody who waited in the killed worker's queue was called."""
    with provider_process(QUICK) as provider, redis_server() as redis, tempfile.TemporaryDirectory() as place:
        home = Home(Path(place), settings_for(provider, DIALER_REDIS_URL=redis))
        try:
            home.command("enqueue", str(write_list(home.path / "list.csv", 2000)), *dialing(rate=25))
            workers = [home.start("worker"), home.start("worker")]
            until(lambda: provider.placed() > 100, "some calls")
            killed = time.time()
            workers[0].process.kill()
            ledger = sqlite3.connect(home.path / "home" / "ledger.db")
            until(lambda: ledger.execute(HANDED_BACK).fetchone()[0] is not None, "a call of the killed worker's", 60)
            again = float(ledger.execute(HANDED_BACK).fetchone()[0])
            ledger.close()
            return again - killed
        finally:
            home.end()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = {
        "first_request_s": [round(first_request(), 2) for _ in range(given.rounds)],
        "taken_over_s": [round(taken_over(), 2) for _ in range(given.rounds)],
    }
    if given.json:
        print(json.dumps(found))
        return
    for name, seconds in found.items():
        print(f"{name}: median {statistics.median(seconds)}, most {max(seconds)} of {given.rounds}")


if __name__ == "__main__":
    main()
