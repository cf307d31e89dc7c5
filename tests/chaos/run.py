"""One run from an empty house to a verdict."""

import random
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psycopg

from tests.acceptance.dialer_process import (
    KEY,
    QUICK,
    Books,
    Home,
    clock,
    number,
    provider_process,
    settings_for,
    until,
    write_list,
)
from tests.chaos.agreements import (
    Agreement,
    Evidence,
    absence_was_true,
    events_replay,
    every_call_is_known,
    never_lost,
    never_twice,
    outcomes_are_equal,
    redials_wait,
    strangers_stay_strangers,
)
from tests.chaos.faults import Faults, Happened
from tests.chaos.leftovers import jobs_left, lines_held, nothing_told
from tests.chaos.machinery import Crew, House, own_postgres
from tests.chaos.pace import (
    attempts_are_spent_rightly,
    killed_on_the_wire,
    lines_are_kept,
    others_go_on,
    pauses_hold,
    placing,
    rates_are_kept,
    requests_are_explained,
    sends_in_outages,
    suppressions_hold,
)
from tests.chaos.records import ask, open_contacts, read_records
from tests.chaos.schedule import (
    FIRST_ACT,
    FLOORS_BY_FAULT,
    IN_OUTAGES_PER_THOUSAND,
    ON_THE_WIRE_PER_THOUSAND,
    PER_THOUSAND,
    PER_THOUSAND_POSTGRESQL,
    faults_in,
    floor_by_chance,
    floor_of,
)
from tests.redis_server import running_redis

LOG_DELAY_S = 0.3
HORIZON_S = 25.0
REDIAL_SCALE = 0.0005
ACCOUNT_RATE = 100.0
"""The account may place so many times the calls of the campaign.

A 429 slows the account, to a twentieth at the slowest: this way the campaign's own limit stays the one that counts.
"""
SETTINGS = {
    "DIALER_PROVIDER_TIMEOUT_S": "2",
    "DIALER_UNKNOWN_HORIZON_S": str(HORIZON_S),
    "DIALER_MAX_CALL_S": "10",
    "DIALER_RECONCILE_INTERVAL_S": "1",
    "DIALER_REDIAL_SCALE": str(REDIAL_SCALE),
    "DIALER_LOG_FORMAT": "json",
    "DIALER_LOG_LEVEL": "debug",
}
SIMULATOR = [*QUICK, "--answer-s=0.02,0.3", "--stall-s=6", "--late-s=3,12", f"--log-delay-s={LOG_DELAY_S}"]
SHARE_LEFT = 0.06
"""Faults stop when no more than this share of the people is open."""
JOBS_GONE_WITHIN_S = 60.0


@dataclass(frozen=True)
class Plan:
    """What is run."""

    contacts: int
    workers: int
    seed: int
    database: str
    rate: float = 30.0
    lines: int = 150
    rage_s: float = 3600.0
    settle_s: float = 240.0
    keep: Path | None = None
    """Where the logs and the books stay."""


@dataclass
class Verdict:
    """What came of it."""

    plan: Plan
    faults: list[tuple[str, int, int]] = field(default_factory=list)
    """(name, how often, how often at least)."""
    agreements: list[Agreement] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def code(self) -> int:
        """0: all holds; 1: something does not; 2: too little went wrong for the run to count."""
        if any(not one.holds for one in self.agreements):
            return 1
        return 2 if any(count < floor for _, count, floor in self.faults) else 0


def run(plan: Plan) -> Verdict:
    """Run it."""
    verdict = Verdict(plan)
    with ExitStack() as stack:
        directory = plan.keep or Path(tempfile.mkdtemp(prefix="chaos-"))
        if plan.keep is None:
            stack.callback(shutil.rmtree, directory, ignore_errors=True)
        house = stack.enter_context(_opened(plan, directory))
        faults = Faults(house, random.Random(plan.seed), plan.contacts, plan.rate, lines=plan.lines)
        began = clock.monotonic()
        _begin(plan, house, faults)
        faults.rage(lambda: _little_is_left(plan, house, faults, began))
        calm = clock.monotonic()
        _calm_down(house, faults, plan)
        settled = _settle(plan, house)
        verdict.notes.append(
            f"faults for {calm - began:.0f} s; everybody settled {clock.monotonic() - calm:.0f} s after the last"
        )
        verdict.agreements.append(settled)
        _judge(plan, house, faults.happened, verdict)
        verdict.notes.append(_wall_time(plan, calm - began, faults.happened, house.provider.books()))
    return verdict


@contextmanager
def _opened(plan: Plan, directory: Path) -> Iterator[House]:
    with ExitStack() as stack:
        provider = stack.enter_context(provider_process([*SIMULATOR, f"--seed={plan.seed}"]))
        redis = stack.enter_context(running_redis())
        postgres = stack.enter_context(own_postgres()) if plan.database == "postgresql" else None
        directory.mkdir(parents=True, exist_ok=True)
        workers, operator = directory / "workers", directory / "operator"
        workers.mkdir()
        operator.mkdir()
        shared = SETTINGS | {"DIALER_HOME": str(directory / "home"), "DIALER_REDIS_URL": redis.url}
        shared["DIALER_VAANIVOICE_CALLS_PER_SECOND"] = str(plan.rate * ACCOUNT_RATE)
        if postgres is not None:
            shared["DIALER_DATABASE_URL"] = postgres.url
        settings = settings_for(provider, **shared)
        crew = Crew(Home(workers, settings), plan.workers)
        stack.callback(crew.home.end)
        home = Home(operator, settings)
        stack.callback(home.end)
        ledger_url = postgres.url if postgres else f"sqlite:///{directory / 'home' / 'ledger.db'}"
        yield House(home, crew, provider, redis, ledger_url, postgres)


def _begin(plan: Plan, house: House, faults: Faults) -> None:
    house.provider.change(faults=faults_in("first act"))
    people = write_list(house.home.path / "list.csv", plan.contacts)
    asked = clock.now()
    house.command("enqueue", str(people), *faults.options(plan.rate, plan.lines))
    faults.happened.rates.append((asked, clock.now(), plan.rate))
    faults.happened.lines.append((asked, clock.now(), plan.lines))
    house.crew.fill()


def _little_is_left(plan: Plan, house: House, faults: Faults, began: float) -> bool:
    if clock.monotonic() - began > plan.rage_s:
        return True
    with suppress(psycopg.Error, sqlite3.Error, httpx.HTTPError):
        left = open_contacts(house.ledger_url) / plan.contacts
        if left <= 1 - FIRST_ACT:
            faults.second_act()
        return left <= SHARE_LEFT
    return False


def _calm_down(house: House, faults: Faults, plan: Plan) -> None:
    faults.thaw_all()
    house.provider.change(faults={})
    faults.change_pace(plan.rate, plan.lines)


def _settle(plan: Plan, house: House) -> Agreement:
    """Wait until everybody is final and no line is held."""
    found = Agreement("all final, no line left", told=f"within {plan.settle_s:.0f} s")
    identity = str(ask(house.ledger_url, "SELECT value FROM ledger_facts WHERE name = 'identity'")[0]["value"])

    def over() -> bool:
        house.crew.fill()
        return open_contacts(house.ledger_url) == 0

    try:
        until(over, "everybody settled", plan.settle_s, every_s=0.5)
        until(lambda: lines_held(house.redis.url, identity) == 0, "no line in use", 15, every_s=0.5)
    except AssertionError as late:
        states = ask(house.ledger_url, "SELECT state, count(*) AS n FROM attempts GROUP BY state")
        found.against.append(f"{late}; attempts {states}; lines {lines_held(house.redis.url, identity)}")
    return found


def _judge(plan: Plan, house: House, happened: Happened, verdict: Verdict) -> None:
    jobs = Agreement("no job left in Redis", told=f"within {JOBS_GONE_WITHIN_S:.0f} s")
    try:
        until(lambda: jobs_left(house.redis_client())[0] == 0, "jobs gone", JOBS_GONE_WITHIN_S, every_s=1.0)
    except AssertionError:
        jobs.against.append(f"{jobs_left(house.redis_client())[0]} jobs")
    marked = jobs_left(house.redis_client())[1]
    jobs.told += f"; {marked} wait for the mark of a killed worker to run out"
    codes = house.crew.dismiss()
    ends = Agreement("workers end well", told=f"{len(house.crew.home.running)} workers, last codes {codes}")
    ends.against += [f"exit {code}" for code in [*house.crew.bad_ends, *codes] if code != 0]
    books = house.provider.books()
    seen = Evidence(books.calls, books.requests, read_records(house.ledger_url))
    logs = [path for home in (house.crew.home, house.home) for ending in ("err", "out")
            for path in home.path.glob(f"*.{ending}")]  # fmt: skip
    logs += list((house.home.path.parent / "home" / "health").glob("*"))
    verdict.agreements += [
        *agreements_of(seen, happened, {number(n): n for n in range(plan.contacts)}),
        jobs,
        nothing_told(logs, happened, plan.contacts, [KEY]),
        ends,
    ]
    verdict.faults += _counted(plan, seen, happened)
    classes = Counter(send["class"] for send in seen.ledger.sends)
    verdict.notes += [
        f"sends by class: {dict(sorted(classes.items()))}",
        f"contacts: {dict(sorted(Counter(row['status'] for row in seen.ledger.contacts).items()))}",
        f"{len(placing(seen))} requests for a call, {len(seen.calls)} calls placed",
        f"{sum(1 for send in seen.ledger.sends if 'moment allowed' in send['reason'])} sends withdrawn in the last "
        "instant because they would have left too late",
    ]


def agreements_of(seen: Evidence, happened: Happened, listed: Mapping[str, int]) -> list[Agreement]:
    """Everything that both sides of the story must agree on; ``listed``: the numbers of the file."""
    return [
        never_twice(seen),
        redials_wait(seen, HORIZON_S, REDIAL_SCALE),
        never_lost(seen, listed),
        every_call_is_known(seen),
        outcomes_are_equal(seen),
        attempts_are_spent_rightly(seen),
        events_replay(seen),
        absence_was_true(seen, HORIZON_S),
        strangers_stay_strangers(seen),
        rates_are_kept(seen, happened),
        lines_are_kept(seen, happened),
        pauses_hold(seen, happened),
        suppressions_hold(seen, happened),
        requests_are_explained(seen, happened),
        others_go_on(seen, happened),
    ]


def _counted(plan: Plan, seen: Evidence, happened: Happened) -> list[tuple[str, int, int]]:
    wanted = PER_THOUSAND | (PER_THOUSAND_POSTGRESQL if plan.database == "postgresql" else {})
    rows = [(name, happened.counts[name], floor_of(share, plan.contacts)) for name, share in wanted.items()]
    rows += [
        (
            "call on the wire when its worker died",
            killed_on_the_wire(seen.ledger.events),
            floor_of(ON_THE_WIRE_PER_THOUSAND, plan.contacts),
        ),
        (
            "call in hand while connections were refused",
            sends_in_outages(seen.ledger.sends, happened),
            floor_of(IN_OUTAGES_PER_THOUSAND, plan.contacts),
        ),
    ]
    met = Counter(name for request in seen.requests for name in (request["fault"] or "").split("+"))
    met.update(call["row_fault"] for call in seen.calls)
    pages = sum(1 for request in seen.requests if request["method"] == "GET" and "history" in request["path"])
    for what, (names, share) in FLOORS_BY_FAULT.items():
        count = sum(met[name] for name in names)
        rows.append((f"provider: {what}", count, floor_by_chance(names, share, plan.contacts, pages)))
    return rows


def _wall_time(plan: Plan, seconds: float, happened: Happened, books: Books) -> str:
    """How long it took, beside what nobody could have made shorter."""
    pauses = sum(pause.until - pause.since for pause in happened.pauses)
    outages = sum(outage.until - outage.since for outage in happened.outages)
    away = sum(span.until - span.since for span in happened.away)
    stops = sum(1 for request in books.requests if str(request["fault"]).startswith("429"))
    bare = len(books.placing) / plan.rate
    return (
        f"{seconds:.0f} s = {seconds / bare:.1f} times the {bare:.0f} s that the requests need at {plan.rate:g} "
        f"a second; {stops} answers 429 asked for a second of silence each, {pauses:.0f} s were paused, "
        f"{outages:.0f} s without a provider, {away:.0f} s without Redis or PostgreSQL"
    )


def as_table(verdict: Verdict) -> str:
    """For people."""
    plan = verdict.plan
    lines = [
        f"chaos: {plan.contacts:,} contacts, {plan.workers} workers, {plan.database}, seed {plan.seed}",
        *verdict.notes,
        "",
        f"{'what went wrong':64} {'times':>6} {'floor':>6}",
    ]
    for name, count, floor in verdict.faults:
        lines.append(f"{name:64} {count:>6} {floor:>6}{'' if count >= floor else '  TOO FEW'}")
    lines += ["", "what must agree"]
    for one in verdict.agreements:
        lines.append(f"{'holds' if one.holds else 'BROKEN':6} {one.name}: {one.told}")
        lines += [f"       - {text}" for text in one.against[:10]]
        lines += [f"       - and {len(one.against) - 10} more"] * (len(one.against) > 10)
    lines += ["", {0: "VALID, all agree", 1: "VIOLATED", 2: "INVALID: too little went wrong"}[verdict.code]]
    return "\n".join(lines)
