"""How long ``dialer pause`` takes until it holds, the start of the command included, and that nothing is sent then.

python benchmarks/pause.py [--rounds 100] [--rate 50] [--json]

A worker process dials at ``--rate``; each round pauses, looks at the provider's books for half a second, and resumes.
"""

import argparse
import json
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.acceptance.dialer_process import (
    Home,
    Provider,
    dialing,
    provider_process,
    settings_for,
    stays,
    until,
    write_list,
)
from tests.redis_server import redis_server

QUIET_S = 0.5


@dataclass(frozen=True, slots=True)
class Paused:
    """All rounds; seconds."""

    rounds: int
    median_s: float
    p99_s: float
    most_s: float
    sent_while_paused: int


def dialed(provider: Provider, many: float) -> None:
    """Wait for so many more calls."""
    placed = provider.placed()
    until(lambda: provider.placed() > placed + many, "some calls")


def sent_within(provider: Provider, seconds: float) -> int:
    """How many calls are placed in that time, or at the moment at which the first of them is seen."""
    placed = provider.placed()
    stays(lambda: provider.placed() == placed, seconds)
    return provider.placed() - placed


def run(rounds: int, rate: float) -> Paused:
    """Pause and resume a running campaign."""
    quick = [
        "--talk-s=0.1,0.5",
        "--ring-s=0.1,0.3",
        "--dial-s=0,0.1",
        "--no-answer-ring-s=0.2,0.4",
        "--log-delay-s=0.2",
    ]
    with provider_process(quick) as provider, redis_server() as redis, tempfile.TemporaryDirectory() as place:
        home = Home(Path(place), settings_for(provider, DIALER_REDIS_URL=redis), afresh=True)
        took, sent = [], 0
        try:
            contacts = write_list(home.path / "list.csv", int(rounds * 4 * rate))
            home.command("enqueue", str(contacts), *dialing(rate=rate))
            home.start("worker")
            for _ in range(rounds):
                dialed(provider, rate / 4)
                begun = time.monotonic()
                home.command("pause", "list")
                took.append(time.monotonic() - begun)
                sent += sent_within(provider, QUIET_S)
                home.command("resume", "list")
        finally:
            home.end()
    took.sort()
    median, p99, most = (round(took[min(len(took) - 1, int(share * len(took)))], 3) for share in (0.5, 0.99, 1))
    return Paused(rounds, median, p99, most, sent)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--rate", type=float, default=50)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = run(given.rounds, given.rate)
    if given.json:
        print(json.dumps(asdict(found)))
        return
    print(f"{found.rounds} pauses at {given.rate:g} calls/s: half within {found.median_s} s, 99 % within {found.p99_s} "
          f"s, at most {found.most_s} s; {found.sent_while_paused} requests while paused")  # fmt: skip


if __name__ == "__main__":
    main()
