"""The dialer and the provider as processes, driven and read from outside only.

A ``Home`` runs ``dialer`` commands in a directory and an environment of their own; a ``Provider`` is the simulator,
whose books say what really arrived.
"""

import asyncio
import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

import httpx

from dialer.adapters.ledger import SqlLedger
from dialer.adapters.local.system_clock import SystemClock
from dialer.pipeline.report import ReportCampaign
from tests.forked import Forked

ROOT = Path(__file__).resolve().parents[2]
DIALER = (sys.executable, "-c", "from dialer.cli import main; main()")
KEY = "fake-key-of-the-tests"
AGENT = {"vaanivoice": "8cf3373e-0000-4000-8000-000000000001", "vaani": "+16505550100"}
PLACE_PATHS = {"/api/trigger-call/", "/calls/outbound_call"}
LOOK_S = 0.05
PATIENCE_S = 300.0
"""Longer than anything takes on a machine that others use too: what is not there then does not come."""
QUICK = (
    "--start-delay-s=0,0.1", "--dial-s=0,0.1", "--ring-s=0.1,0.3", "--no-answer-ring-s=0.2,0.4",
    "--talk-s=0.1,0.8", "--voicemail-s=0.1,0.4", "--log-delay-s=0.2",
)  # fmt: skip
"""Calls that are over within a second and a half."""

clock = SystemClock()


def until(condition: Callable[[], bool], what: str, within_s: float = PATIENCE_S, every_s: float = LOOK_S) -> None:
    """Wait for a condition. Raises AssertionError that says what did not come."""
    end = clock.monotonic() + within_s
    pause = Event()
    while not condition():
        assert clock.monotonic() < end, f"not within {within_s:g} s: {what}"
        pause.wait(every_s)


def stays(condition: Callable[[], bool], for_s: float) -> bool:
    """Whether a condition holds all the time for so long."""
    end = clock.monotonic() + for_s
    pause = Event()
    while condition():
        if clock.monotonic() > end:
            return True
        pause.wait(LOOK_S)
    return False


def number(of: int) -> str:
    """The n-th number of a list, as E.164."""
    return f"+91{9_000_000_000 + of}"


def write_list(path: Path, count: int, first: int = 0) -> Path:
    """A list of ``count`` people, each with a number of their own."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["name", "Mobile Number", "city"])
        writer.writerows([f"Person {n}", number(n), "Pune"] for n in range(first, first + count))
    return path


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that is over; ``at`` is when, in unix seconds."""

    code: int
    out: str
    err: str
    at: float

    def json(self) -> Any:
        """The one document on stdout."""
        return json.loads(self.out)


@dataclass(slots=True)
class Running:
    """A command that runs; its output goes to files."""

    process: "subprocess.Popen[Any]"
    out: Path
    err: Path

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None

    def signal(self, number_of: int) -> None:
        """Send it a signal."""
        self.process.send_signal(number_of)

    def ended(self, within_s: float = PATIENCE_S) -> Ended:
        """Wait for its end."""
        try:
            code = self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {within_s:g} s:\n{self.err.read_text()[-3000:]}") from None
        return Ended(code, self.out.read_text(), self.err.read_text(), clock.now())


@dataclass
class Home:
    """A directory of its own, the settings of its commands, and the commands that were started in it.

    ``afresh``: each command starts an interpreter, as the installed program does (see ``tests/forked.py``).
    """

    path: Path
    settings: Mapping[str, str]
    running: list[Running] = field(default_factory=list)
    afresh: bool = False

    @property
    def environment(self) -> dict[str, str]:
        """Nothing of the caller's settings, and our own packages."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("DIALER_")}
        return clean | {"DIALER_HOME": str(self.path / "home"), "PYTHONPATH": str(ROOT)} | dict(self.settings)

    def start(self, *words: str, **settings: str) -> Running:
        """Start a command."""
        number_of = len(self.running)
        out, err = self.path / f"{number_of}-{words[0]}.out", self.path / f"{number_of}-{words[0]}.err"
        start = (
            partial(subprocess.Popen[bytes], [*DIALER, *words]) if self.afresh else partial(Forked, ["dialer", *words])
        )
        with out.open("wb") as to_out, err.open("wb") as to_err:
            process = start(
                env=self.environment | settings,
                cwd=self.path,
                stdin=subprocess.DEVNULL,
                stdout=to_out,
                stderr=to_err,
            )
        self.running.append(Running(process, out, err))
        return self.running[-1]

    def command(self, *words: str, code: int | None = 0, within_s: float = PATIENCE_S) -> Ended:
        """Run a command to its end; ``code`` is the exit code it must have."""
        ended = self.start(*words).ended(within_s)
        assert code is None or ended.code == code, f"{words[0]}: exit {ended.code}\n{ended.out}\n{ended.err[-3000:]}"
        return ended

    def report(self, name: str = "list") -> dict[str, Any]:
        """``dialer report NAME --json``."""
        document: dict[str, Any] = self.command("report", name, "--json").json()
        return document

    def export(self, name: str = "list", *more: str) -> list[dict[str, str]]:
        """``dialer export NAME``."""
        return list(csv.DictReader(io.StringIO(self.command("export", name, "--raw", *more).out)))

    def glance(self, name: str = "list") -> dict[str, Any]:
        """The report, without the second that a process takes to start: to wait by, not to judge by."""

        async def look() -> dict[str, Any]:
            ledger = await SqlLedger.open(
                self.settings.get("DIALER_DATABASE_URL") or f"sqlite:///{self.path / 'home' / 'ledger.db'}", clock
            )
            try:
                return await ReportCampaign(ledger).document(name)
            finally:
                await ledger.aclose()

        return asyncio.run(look())

    def until_status(self, status: str, within_s: float = PATIENCE_S, name: str = "list") -> None:
        """Wait until the campaign has this status."""
        until(lambda: self.glance(name)["status"] == status, f"{name} {status}", within_s, every_s=0.3)

    def leftovers(self, address: str | None = None) -> list[str]:
        """Processes alive that were started for this home, by any of its commands, or that serve ``address``."""
        mark = f"DIALER_HOME={self.path / 'home'}".encode()
        found = [str(started.process.args) for started in self.running if started.alive and not self.afresh]
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                # A server that renames itself writes over its environment.
                words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                serves = address is not None and f"{address} " in words + " "
                if serves or mark in (process / "environ").read_bytes().split(b"\0"):
                    found.append(words)
        return found

    def end(self) -> None:
        """End what still runs."""
        for started in self.running:
            if started.alive:
                started.process.kill()
                started.process.wait()


@dataclass(frozen=True)
class Books:
    """The provider's own books at one moment."""

    requests: list[dict[str, Any]]
    calls: list[dict[str, Any]]

    @property
    def placing(self) -> list[float]:
        """When each request for a call was received, in order."""
        return sorted(one["at"] for one in self.requests if one["path"] in PLACE_PATHS)

    def by_number(self) -> dict[str, list[dict[str, Any]]]:
        """The calls to each number, in order."""
        found: dict[str, list[dict[str, Any]]] = {}
        for call in self.calls:
            found.setdefault(call["to"], []).append(call)
        return found

    def most_in_a_second(self) -> int:
        """The most requests for a call in any rolling second."""
        at, first, most = self.placing, 0, 0
        for last, moment in enumerate(at):
            while moment - at[first] >= 1:
                first += 1
            most = max(most, last - first + 1)
        return most

    def most_live(self) -> int:
        """The most calls at the same time."""
        steps = [(call["accepted_at"], 1) for call in self.calls] + [(call["ended_at"], -1) for call in self.calls]
        live = most = 0
        for _, step in sorted(steps):
            live += step
            most = max(most, live)
        return most


@dataclass(frozen=True)
class Provider:
    """A running simulator."""

    url: str

    def _ask(self, method: str, path: str, document: object = None) -> httpx.Response:
        # To load the certificates of authorities would cost more than all else.
        return httpx.request(method, self.url + path, json=document, trust_env=False, timeout=30, verify=False)

    def books(self) -> Books:
        """Everything it saw so far."""
        document = self._ask("GET", "/_sim/books").raise_for_status().json()
        return Books(document["requests"], document["calls"])

    def placed(self) -> int:
        """How many calls were placed so far."""
        return int(self._ask("GET", "/_sim/count").raise_for_status().json()["calls"])

    def answers(self) -> bool:
        """Whether it can be reached."""
        with suppress(httpx.TransportError):
            return self._ask("GET", "/api/health").is_success
        return False

    def refuse_connections(self, seconds: float) -> None:
        """Take it off the network for so long, beginning now."""
        self._ask("POST", "/_sim/outage", {"seconds": seconds}).raise_for_status()

    def change(self, **options: Any) -> None:
        """Change its options while it runs."""
        self._ask("POST", "/_sim/options", options).raise_for_status()


@contextmanager
def provider_process(options: Sequence[str]) -> Iterator[Provider]:
    """A simulator process for the block."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DIALER_")}
    with Forked(["dialer.simulator", *options], stdout=subprocess.PIPE, text=True, cwd=ROOT, env=clean) as running:
        assert running.stdout is not None
        try:
            yield Provider(running.stdout.readline().split()[-1])
        finally:
            running.terminate()
            try:
                running.communicate(timeout=10)
            except subprocess.TimeoutExpired:
                running.kill()


def settings_for(provider: Provider, **more: str) -> dict[str, str]:
    """Both dialects at this provider; short intervals, so that a test need not wait."""
    return {
        "DIALER_VAANIVOICE_BASE_URL": provider.url,
        "DIALER_VAANIVOICE_API_KEY": KEY,
        "DIALER_VAANI_BASE_URL": provider.url,
        "DIALER_VAANI_API_KEY": KEY,
        "DIALER_RECONCILE_INTERVAL_S": "0.5",
        "DIALER_UNKNOWN_HORIZON_S": "20",
        "DIALER_MAX_CALL_S": "15",
    } | more


def dialing(dialect: str = "vaanivoice", *, rate: float = 0, lines: int = 0, most: int = 1) -> list[str]:
    """The options of ``run`` and ``enqueue`` that say how to dial, at any hour."""
    return [
        "--provider", dialect, "--agent", AGENT[dialect], "--window", "always", "--rate", str(rate),
        "--concurrency", str(lines), "--max-attempts", str(most),
    ]  # fmt: skip


def campaign_file(home: Home, tables: str, name: str = "list") -> list[str]:
    """The option that gives a campaign file with these tables; the name and the agent stand in it."""
    path = home.path / f"{name}.toml"
    path.write_text(f'name = "{name}"\nagent = "{AGENT["vaanivoice"]}"\n{tables}\n')
    return ["--campaign", str(path)]


def finals(report: dict[str, Any]) -> int:
    """Contacts whose status is final."""
    return sum(report["contacts"][name] for name in ("reached", "exhausted", "suppressed", "invalid", "expired",
                                                     "cancelled"))  # fmt: skip
