"""How long the page and the API take until what they are asked for holds, and what being looked at costs the calls.

python benchmarks/console_deeds.py [--added 50] [--pauses 50] [--rows 100000] [--streams 200] [--json]

A worker process dials beside ``dialer serve``; both on SQLite. First ``--added`` people, one after another, each by a
POST to a campaign that runs: seconds from the POST to the first byte of the request at the provider. Then ``--pauses``
by the page, at 50 calls/s: seconds to the answer, and what was sent in the half second after it. Then a list of
``--rows`` over the API, both requests, against ``dialer enqueue`` of as many other people: rows a second of each, and
by how much the server's memory grew. Last the calls a second of a worker without limits, with and without ``--streams``
streams of its campaign that are open, in turns.
"""

import argparse
import json
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import httpx

from tests.acceptance.dialer_process import (
    QUICK,
    Home,
    Provider,
    dialing,
    number,
    provider_process,
    settings_for,
    stays,
    until,
    write_list,
)
from tests.redis_server import redis_server
from tests.web.serving import Serving, serve

TOKEN = "a-token-of-this-benchmark"
QUIET_S = 0.5
FAST = ("--talk-s=0.1,0.5", "--ring-s=0.1,0.3", "--dial-s=0,0.1", "--no-answer-ring-s=0.2,0.4", "--log-delay-s=0.2")


@dataclass(frozen=True, slots=True)
class Deeds:
    """Seconds, rows a second, MiB; ``looked_at`` is the calls a second with streams against those without."""

    added_p95_s: float
    added_most_s: float
    pause_p99_s: float
    sent_while_paused: int
    api_rows_per_s: float
    cli_rows_per_s: float
    grown_mib: float
    looked_at: float


@contextmanager
def console(*quick: str) -> Iterator[tuple[Home, Provider, Serving, httpx.Client]]:
    """A home with a Redis, a server, and a program that asks it."""
    with ExitStack() as stack:
        provider = stack.enter_context(provider_process(quick or QUICK))
        redis = stack.enter_context(redis_server())
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        home = Home(place, settings_for(provider, DIALER_REDIS_URL=redis, DIALER_WEB_TOKEN=TOKEN), afresh=True)
        stack.callback(home.end)
        serving = serve(home)
        yield home, provider, serving, stack.enter_context(serving.program(TOKEN))


def at_share(values: list[float], share: float) -> float:
    """The value within which this share of them is."""
    return round(sorted(values)[min(len(values) - 1, int(share * len(values)))], 3)


def added(people: int) -> list[float]:
    """Seconds from each POST to the first byte at the provider."""
    took = []
    with console() as (home, provider, _, api):
        home.command("enqueue", str(write_list(home.path / "list.csv", 1)), *dialing(), "--name", "list")
        home.start("worker")
        until(lambda: provider.placed() == 1, "the first call")
        for one in range(1, people + 1):
            begun = time.time()
            api.post("/api/v1/campaigns/list/contacts", json={"contacts": [{"phone": number(one)}]}).raise_for_status()
            until(lambda: provider.placed() > one, "the call of who was added")  # noqa: B023
            took.append(provider.books().placing[-1] - begun)
    return took


def paused(rounds: int, rate: float = 50) -> tuple[list[float], int]:
    """Seconds to each answer of the page, and how many calls were placed after one."""
    took, sent = [], 0
    with console(*FAST) as (home, provider, serving, _), serving.browser(TOKEN) as browser:
        home.command("enqueue", str(write_list(home.path / "list.csv", int(rounds * 4 * rate))), *dialing(rate=rate))
        home.start("worker")
        for _ in range(rounds):
            placed = provider.placed()
            until(lambda: provider.placed() > placed + rate / 4, "some calls")  # noqa: B023
            begun = time.monotonic()
            assert browser.post("/campaigns/1/pause").status_code == 303
            took.append(time.monotonic() - begun)
            placed = provider.placed()
            stays(lambda: provider.placed() == placed, QUIET_S)  # noqa: B023
            sent += provider.placed() - placed
            assert browser.post("/campaigns/1/resume").status_code == 303
    return took, sent


def memory_mib(serving: Serving) -> float:
    """What the server holds now."""
    status = Path(f"/proc/{serving.running.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def imported(rows: int) -> tuple[float, float, float]:
    """Rows a second over the API and by the command, and by how much the server grew."""
    with console() as (home, _, serving, api):
        few = write_list(home.path / "few.csv", 200)
        home.command("enqueue", str(few), *dialing(), "--name", "list")
        campaign = api.get("/api/v1/campaigns/list/settings").raise_for_status().json()
        campaign.pop("name", None)
        api.put("/api/v1/campaigns/api", json=campaign).raise_for_status()
        by_api = write_list(home.path / "api.csv", rows, first=1_000_000)
        by_command = write_list(home.path / "command.csv", rows, first=2_000_000)
        before, begun = memory_mib(serving), time.monotonic()
        where, kind = {"campaign": "api", "name": "api.csv"}, {"Content-Type": "text/csv"}
        sent = api.post("/api/v1/imports", params=where, content=by_api.read_bytes(), headers=kind, timeout=600)
        one = sent.raise_for_status().json()["import_id"]
        api.post(f"/api/v1/imports/{one}/commit", timeout=600).raise_for_status()
        api_s, grown = time.monotonic() - begun, memory_mib(serving) - before
        begun = time.monotonic()
        home.command("enqueue", str(by_command), *dialing(), "--name", "command")
        return rows / api_s, rows / (time.monotonic() - begun), grown


def listen(serving: Serving, cookies: httpx.Cookies, over: threading.Event) -> None:
    """One stream, until it is over."""
    client = httpx.Client(cookies=cookies, timeout=60, verify=False)
    address = f"{serving.address}/campaigns/1/live"
    with suppress(httpx.TransportError), client, client.stream("GET", address) as answer:
        for _ in answer.iter_raw():
            if over.is_set():
                return


def looked_at(streams: int, calls: int = 6_000, rounds: int = 2) -> float:
    """Calls a second with so many streams open, against those with none; the best of each."""
    best = {0: 0.0, streams: 0.0}
    for count in (0, streams) * rounds:
        with console("--start-delay-s=0", "--dial-s=0", "--ring-s=0", "--talk-s=0") as (home, provider, serving, _):
            with serving.browser(TOKEN) as browser:
                home.command("enqueue", str(write_list(home.path / "list.csv", calls)), *dialing())
                over = threading.Event()
                listening = [
                    threading.Thread(target=listen, args=(serving, browser.cookies, over)) for _ in range(count)
                ]
                for one in listening:
                    one.start()
                home.start("worker")
                until(lambda: provider.placed() == calls, f"{calls} calls", every_s=0.5)
                over.set()
                placing = provider.books().placing
                rate = (calls * 0.8) / (placing[int(calls * 0.9)] - placing[int(calls * 0.1)])
                best[count] = max(best[count], rate)
            home.end()
            for one in listening:
                one.join()
    return best[streams] / best[0]


def run(given: argparse.Namespace) -> Deeds:
    """All of it."""
    people = added(given.added)
    pauses, sent = paused(given.pauses)
    by_api, by_command, grown = imported(given.rows)
    return Deeds(
        at_share(people, 0.95), round(max(people), 3), at_share(pauses, 0.99), sent, round(by_api), round(by_command),
        round(grown, 1), round(looked_at(given.streams), 3),
    )  # fmt: skip


def main() -> None:
    """Run and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--added", type=int, default=50)
    options.add_argument("--pauses", type=int, default=50)
    options.add_argument("--rows", type=int, default=100_000)
    options.add_argument("--streams", type=int, default=200)
    options.add_argument("--json", action="store_true", help="print one JSON document on stdout")
    deeds = asdict(run(options.parse_args()))
    if "--json" in sys.argv:
        print(json.dumps(deeds))
        return
    for name, value in deeds.items():
        print(f"{name:20} {value:,}")


if __name__ == "__main__":
    main()
