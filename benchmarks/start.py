"""How long people wait: at a start, behind a worker that was killed, and when they are added to what runs.

python benchmarks/start.py [--rounds 5] [--added 100] [--json]

The first is from the start of ``dialer run`` to its first request, on the embedded default in an empty home. The second
is from a worker's SIGKILL to the first call of what it had, with two workers that share a campaign at 25 calls/s: the
first call of a person whom the killed worker had been handed, by the ledger's events. A round in which it happened to
have nobody waiting does not count. The third is from the start of ``dialer enqueue``, which adds one person to a
running campaign of one worker, to the request for that person.
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

SOON_S = 10.0
"""Long after every lease of a killed worker."""
HANDED_BACK = """
SELECT min(dialed.at) FROM events AS dialed JOIN events AS back USING (attempt_id)
WHERE back.reason LIKE 'lease expired%' AND dialed.after = 'dialing' AND dialed.at > back.at
"""


def first_request() -> float:
    """Seconds until the provider heard of it."""
    with provider_process(QUICK) as provider, tempfile.TemporaryDirectory() as place:
        home = Home(Path(place), settings_for(provider), afresh=True)
        try:
            contacts = write_list(home.path / "list.csv", 20)
            begun = time.time()
            home.start("run", str(contacts), *dialing())
            until(lambda: provider.placed() > 0, "a call")
            return provider.books().placing[0] - begun
        finally:
            home.end()


def expired(ledger: sqlite3.Connection) -> int:
    """Attempts taken back from the killed worker."""
    return int(ledger.execute("SELECT count(*) FROM events WHERE reason LIKE 'lease expired%'").fetchone()[0])


def first_again(ledger: sqlite3.Connection) -> float | None:
    """When the first of them was dialed."""
    return ledger.execute(HANDED_BACK).fetchone()[0]  # type: ignore[no-any-return]


def taken_over() -> float | None:
    """Seconds until somebody who waited in the killed worker's queue was called; None when nobody did."""
    with provider_process(QUICK) as provider, redis_server() as redis, tempfile.TemporaryDirectory() as place:
        home = Home(Path(place), settings_for(provider, DIALER_REDIS_URL=redis), afresh=True)
        try:
            home.command("enqueue", str(write_list(home.path / "list.csv", 2000)), *dialing(rate=25))
            workers = [home.start("worker"), home.start("worker")]
            until(lambda: provider.placed() > 100, "some calls")
            killed = time.time()
            workers[0].process.kill()
            ledger = sqlite3.connect(home.path / "home" / "ledger.db")
            try:
                until(lambda: bool(expired(ledger)) or time.time() > killed + SOON_S, "leases that run out", 2 * SOON_S)
                if not expired(ledger):
                    return None
                until(lambda: first_again(ledger) is not None, "a call of the killed worker's", 60)
                return (first_again(ledger) or 0) - killed
            finally:
                ledger.close()
        finally:
            home.end()


def added(people: int) -> list[float]:
    """Seconds from the start of the command that adds somebody until the provider heard of it, for each."""
    with provider_process(QUICK) as provider, tempfile.TemporaryDirectory() as place:
        home = Home(Path(place), settings_for(provider), afresh=True)
        took: list[float] = []
        try:
            home.command("enqueue", str(write_list(home.path / "list.csv", 1)), *dialing(), "--name", "list")
            home.start("worker")
            until(lambda: provider.placed() == 1, "the first call")
            for one in range(1, people + 1):
                contacts = write_list(home.path / f"{one}.csv", 1, first=one)
                begun = time.time()
                home.command("enqueue", str(contacts), *dialing(), "--name", "list")
                until(lambda: provider.placed() > one, "the call of who was added")  # noqa: B023
                took.append(provider.books().placing[-1] - begun)
            return took
        finally:
            home.end()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--added", type=int, default=100, help="how many people are added to a running campaign")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = {
        "first_request_s": [round(first_request(), 2) for _ in range(given.rounds)],
        "taken_over_s": [round(one, 2) for one in (taken_over() for _ in range(given.rounds)) if one is not None],
        "added_s": sorted(round(one, 2) for one in added(given.added)),
    }
    if given.json:
        print(json.dumps(found))
        return
    for name, seconds in found.items():
        most = sorted(seconds)[min(len(seconds) - 1, int(0.95 * len(seconds)))]
        print(f"{name}: median {statistics.median(seconds):.2f}, 95 % within {most:.2f}, most {max(seconds):.2f} of "
              f"{len(seconds)}")  # fmt: skip


if __name__ == "__main__":
    main()
