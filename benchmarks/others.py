"""What a fault of one account, one worker or one source costs the others, in calls a second.

python benchmarks/others.py [--rate 10] [--seconds 60] [--faults silent_log,slow_answer,frozen_worker,hanging_source]
                            [--database postgresql|sqlite] [--json]

Two accounts dial at ``--rate``, each at a provider process of its own, with two workers. After ten seconds a fault
comes to the first account, to one worker or to the source of a third campaign, and stays. What is told is how many
calls the other account placed in the ten seconds in which it placed fewest, as a share of its rate, by its provider's
books; the first three seconds of the fault count.
"""

import argparse
import json
import signal
import sqlite3
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import httpx

from tests.acceptance.dialer_process import (
    QUICK,
    Home,
    Provider,
    Running,
    campaign_file,
    dialing,
    provider_process,
    settings_for,
    stays,
    until,
    write_list,
)
from tests.postgres_server import fresh_database, postgres_server
from tests.redis_server import redis_server

BEFORE_S = 10.0
WINDOW_S = 10.0
SLOW_ANSWER_S = 30.0
HANGS = (
    "CREATE VIEW people AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
    "SELECT i AS phone, 'x' AS name FROM n WHERE i < 0"
)


@dataclass(frozen=True, slots=True)
class Cost:
    """One fault; ``fewest`` is the least share of its rate that the other account had in any ten seconds."""

    fault: str
    calls: int
    fewest: float


@dataclass
class Gate:
    """Stands before a provider, and holds up what its fault is about."""

    provider: Provider
    fault: str = ""
    url: str = ""
    over: threading.Event = field(default_factory=threading.Event)


def passed_on(gate: Gate) -> type[BaseHTTPRequestHandler]:
    """A handler that asks the provider behind the gate."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self, method: str) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            if gate.fault == "silent_log" and method == "GET":
                gate.over.wait()
                return
            if gate.fault == "slow_answer" and method == "POST":
                gate.over.wait(SLOW_ANSWER_S)
            asked = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
            with suppress(OSError, httpx.TransportError):
                answer = httpx.request(
                    method, gate.provider.url + self.path, content=body, headers=asked, trust_env=False, timeout=60
                )
                self.send_response(answer.status_code)
                self.send_header("content-type", answer.headers.get("content-type", "application/json"))
                self.send_header("content-length", str(len(answer.content)))
                self.end_headers()
                self.wfile.write(answer.content)

        def do_GET(self) -> None:
            self.answer("GET")

        def do_POST(self) -> None:
            self.answer("POST")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


@contextmanager
def gate_before(provider: Provider) -> Iterator[Gate]:
    """A gate for the block."""
    gate = Gate(provider)
    with ThreadingHTTPServer(("127.0.0.1", 0), passed_on(gate)) as server:
        server.daemon_threads, server.block_on_close = True, False
        gate.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield gate
        finally:
            gate.over.set()
            server.shutdown()


@contextmanager
def database(kind: str) -> Iterator[dict[str, str]]:
    """The setting that names a ledger of this kind."""
    if kind == "sqlite":
        yield {}
        return
    with postgres_server() as server, fresh_database(server, "others") as url:
        yield {"DIALER_DATABASE_URL": url}


def source_of(home: Home) -> Path:
    """A table of one person."""
    path = home.path / "people.db"
    with sqlite3.connect(path) as people:
        people.execute("CREATE TABLE listed (phone TEXT, name TEXT)")
        people.execute("INSERT INTO listed VALUES ('+919100000001', 'P')")
        people.execute("CREATE VIEW people AS SELECT * FROM listed")
    people.close()
    return path


def hang(path: Path) -> None:
    """Let the query of that source run without an end."""
    with sqlite3.connect(path) as people:
        people.execute("DROP VIEW people")
        people.execute(HANGS)
    people.close()


def fault_of(name: str, gate: Gate, workers: list[Running], people: Path) -> Callable[[], None]:
    """What begins the fault."""
    if name == "frozen_worker":
        return lambda: workers[0].signal(signal.SIGSTOP)
    if name == "hanging_source":
        return lambda: hang(people)
    return lambda: setattr(gate, "fault", name)


def run(fault: str, rate: float, seconds: float, kind: str) -> Cost:
    """One run with one fault."""
    with (
        provider_process(QUICK) as ill, provider_process(QUICK) as well, gate_before(ill) as gate,
        redis_server() as redis, database(kind) as ledger, tempfile.TemporaryDirectory() as place,
    ):  # fmt: skip
        settings = settings_for(well, DIALER_VAANI_BASE_URL=gate.url, DIALER_REDIS_URL=redis, **ledger)
        home = Home(Path(place), settings, afresh=True)
        try:
            many = round(rate * (seconds + BEFORE_S) * 1.5)
            for name, dialect in (("ill", "vaani"), ("well", "vaanivoice")):
                contacts = write_list(home.path / f"{name}.csv", many, first=many * (name == "ill"))
                home.command("enqueue", str(contacts), *dialing(dialect, rate=rate))
            people = source_of(home)
            table = f'[source]\nurl = "sqlite:///{people}"\nquery = "SELECT phone, name FROM people"\n'
            table += 'refresh = "* * * * * *"\n[schedule]\ntimezone = "Asia/Kolkata"\n[window]\nhours = "00:00-00:01"'
            home.command("enqueue", *campaign_file(home, table, "sourced"))
            workers = [home.start("worker"), home.start("worker")]
            until(lambda: well.placed() > 0 and ill.placed() > 0, "the first calls")
            stays(lambda: True, BEFORE_S)
            fault_of(fault, gate, workers, people)()
            stays(lambda: True, seconds)
            at = well.books().placing
        finally:
            for running in home.running:
                running.signal(signal.SIGCONT)
            home.end()
    return Cost(fault, len(at), fewest_in(at, WINDOW_S) / (rate * WINDOW_S))


def fewest_in(at: list[float], window_s: float) -> int:
    """The fewest moments in any window between the first and the last."""
    begins = [moment for moment in at if moment + window_s <= at[-1]]
    return min(sum(begin < one <= begin + window_s for one in at) for begin in begins)


FAULTS = ("none", "silent_log", "slow_answer", "frozen_worker", "hanging_source")


def main() -> None:
    """Run and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rate", type=float, default=10)
    options.add_argument("--seconds", type=float, default=60, help="how long each fault stays")
    options.add_argument("--faults", type=lambda text: text.split(","), default=list(FAULTS))
    options.add_argument("--database", choices=("sqlite", "postgresql"), default="postgresql")
    options.add_argument("--json", action="store_true", help="print one JSON document at the end")
    given = options.parse_args()
    costs = []
    for fault in given.faults:
        costs.append(run(fault, given.rate, given.seconds, given.database))
        print(f"{fault:15} the other account: {costs[-1].calls} calls, at least {costs[-1].fewest:.2f} of its pace in "
              "any 10 s", flush=True)  # fmt: skip
    if given.json:
        print(json.dumps([asdict(cost) for cost in costs]))


if __name__ == "__main__":
    main()
