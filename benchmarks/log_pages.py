"""Pages of the call log read for 200 outcomes, while a paced campaign runs steadily.

python benchmarks/log_pages.py [--rates 25,100] [--talk 1,30] [--seconds 60] [--interval 5] [--json]

One worker process with its default settings, SQLite, no line limit, the simulator in a process of its own, whose books
tell both numbers. Counted from when the longest call can be over until the list runs out.
"""

import argparse
import json
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.acceptance.dialer_process import Home, dialing, provider_process, settings_for, write_list
from tests.redis_server import redis_server

LOG_PATHS = {"/api/call-history", "/calls/logs"}
SETTLE_S = 15.0
LOG_DELAY_S = 2.0


@dataclass(frozen=True, slots=True)
class Steady:
    """One run."""

    calls_per_second: float
    talk_s: str
    outcomes: int
    pages: int
    pages_per_200: float


def run(rate: float, talk: str, seconds: float, interval_s: float) -> Steady:
    """``talk``: the shortest and the longest conversation in seconds, as ``dialer simulator --talk-s`` takes it."""
    longest = max(map(float, talk.split(",")))
    contacts = int(rate * (seconds + SETTLE_S + longest))
    options = [f"--talk-s={talk}", "--ring-s=0.1,1", "--dial-s=0,0.5", f"--log-delay-s={LOG_DELAY_S}"]
    with provider_process(options) as provider, redis_server() as redis, tempfile.TemporaryDirectory() as place:
        settings = settings_for(
            provider, DIALER_REDIS_URL=redis, DIALER_RECONCILE_INTERVAL_S=str(interval_s),
            DIALER_UNKNOWN_HORIZON_S="4200", DIALER_MAX_CALL_S="3600",
        )  # fmt: skip
        home = Home(Path(place), settings, afresh=True)
        try:
            home.command("run", str(write_list(home.path / "list.csv", contacts)), *dialing(rate=rate), within_s=900)
        finally:
            home.end()
        books = provider.books()
    placing = books.placing
    start, end = placing[0] + SETTLE_S + longest, placing[-1]
    pages = sum(one["path"] in LOG_PATHS and start <= one["at"] < end for one in books.requests)
    outcomes = sum(start <= call["ended_at"] + LOG_DELAY_S < end for call in books.calls)
    return Steady(rate, talk, outcomes, pages, round(200 * pages / outcomes, 2))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rates", default="25,100")
    parser.add_argument("--talk", default="1,30")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--interval", type=float, default=5)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    runs = [run(float(rate), given.talk, given.seconds, given.interval) for rate in given.rates.split(",")]
    if given.json:
        print(json.dumps([asdict(one) for one in runs]))
        return
    for one in runs:
        print(f"{one.calls_per_second:g} calls/s, talk {one.talk_s} s: {one.outcomes} outcomes, {one.pages} pages, "
              f"{one.pages_per_200} per 200 outcomes")  # fmt: skip


if __name__ == "__main__":
    main()
