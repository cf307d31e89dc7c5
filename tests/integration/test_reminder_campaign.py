"""A reminder campaign over a real database on a virtual clock, judged by an oracle with arithmetic of its own.

400 appointments, of which 80 move, 40 vanish and 20 people confirm at the first call. The source is read every six
hours; every half hour somebody looks at the clock and calls who is due. Everything falls on half hours, so that the
oracle knows each call to the second.
"""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import psycopg
import pytest

from dialer.adapters.ledger import SqlLedger
from dialer.adapters.lists.contacts import TableContacts
from dialer.domain.call import CallLog, Placed
from dialer.domain.calling_window import CallingWindow
from dialer.domain.campaign import CampaignSpec, ContactColumns, Reminder, Schedule, Source
from dialer.domain.contact import ContactStatus
from dialer.domain.disposition import Disposition
from dialer.domain.limits import UNLIMITED
from dialer.domain.redial import RedialPolicy, after_attempt
from dialer.pipeline.keep_calendar import KeepCalendar
from dialer.pipeline.read_source import ReadSource
from dialer.ports import Admitted, GateRequest, Matched, SendOutcome
from tests.contact_lists import database_contacts
from tests.fakes.clock import ManualClock
from tests.unit.pipeline.test_keep_calendar import NoRejects

STEP = 1800
HOUR = 3600
START = int(datetime(2027, 1, 4, 3, 30, tzinfo=UTC).timestamp())  # a Monday, 09:00 in India, where no clock changes
INDIA = int(5.5 * HOUR)
DAYS = 6
PEOPLE, MOVED, VANISHED, CONFIRMED = 400, 80, 40, 20
BEFORE = (24 * HOUR, 2 * HOUR)
REDIAL_S = 2 * HOUR
MOST = 3
CAMPAIGN = CampaignSpec(
    "visits",
    "agent",
    window=CallingWindow(
        frozenset(range(7)), ((9 * 60, 20 * 60),), "Asia/Kolkata", lead_s=0.0, rules="off", rules_reason="a test"
    ),
    columns=ContactColumns(key="id"),
    limits=UNLIMITED,
    redial=RedialPolicy(MOST, {Disposition.NO_ANSWER: REDIAL_S}),
    source=Source("in the test", "SELECT id, phone, name, visit FROM visits ORDER BY id", "30 */6 * * *"),
    schedule=Schedule(timezone="UTC"),
    reminder=Reminder("visit", tuple(map(float, BEFORE)), "Asia/Kolkata"),
)


@dataclass
class Patient:
    """One appointment: its versions (from when the table has it; None: the row is gone), and who picks up when."""

    number: int
    versions: list[tuple[int, int | None]]
    answers_call: int
    calls: list[int] = field(default_factory=list)

    @property
    def phone(self) -> str:
        return f"+1415555{self.number:04d}"

    def visit_at(self, moment: int) -> int | None:
        return next(visit for since, visit in reversed(self.versions) if since <= moment)


def patients(chance: Random) -> list[Patient]:
    """Visits between 08:00 and 19:00 in India, on half hours; who moves, vanishes or confirms are different people."""

    def visit() -> int:
        day, time = chance.randrange(1, DAYS - 1), chance.randrange(16, 39)
        return START - 9 * HOUR + day * 24 * HOUR + time * STEP

    def later() -> int:
        return START + chance.randrange(1, (DAYS - 2) * 48) * STEP - 600

    made = [Patient(n, [(0, visit())], chance.choice([2, 3, 9, 9])) for n in range(PEOPLE)]
    for one in made[:MOVED]:
        one.versions.append((later(), visit()))
        one.answers_call = chance.choice([1, 2, 9])
    for one in made[MOVED : MOVED + VANISHED]:
        one.versions.append((later(), None))
    for one in made[MOVED + VANISHED : MOVED + VANISHED + CONFIRMED]:
        one.answers_call = 1
    chance.shuffle(made)
    return made


def is_open(moment: int) -> bool:
    return 9 * HOUR <= (moment + INDIA) % (24 * HOUR) < 20 * HOUR


def snapped(moment: int) -> int:
    while not is_open(moment):
        moment += STEP
    return moment


def is_read(moment: int) -> bool:
    """At once, and at half past 0, 6, 12 and 18 o'clock UTC."""
    return moment == START or (moment // STEP) % 12 == 1


def last_read(moment: int) -> int:
    while not is_read(moment):
        moment -= STEP
    return moment


def expected(one: Patient) -> list[int]:
    """Every half hour, by hand: is a reminder or a redial due that no call has served?"""
    calls: list[int] = []
    visit: int | None = None
    served, redial_at, stopped = -1, None, False
    for now in range(START, START + DAYS * 24 * HOUR, STEP):
        if is_read(now):
            seen = one.visit_at(now)
            if seen != visit:
                served, redial_at, stopped = (now if calls else -1), None, seen is None
            visit = seen
        if visit is None or stopped or now >= visit or not is_open(now):
            continue
        moments = sorted({at for before in BEFORE if served < (at := snapped(visit - before)) < visit})
        if not any(at <= now for at in moments) and not (redial_at is not None and redial_at <= now):
            continue
        calls.append(now)
        served, redial_at = now, None
        if len(calls) == one.answers_call:
            stopped = True
            continue
        left = [at for at in moments if at > now]
        again = snapped(now + REDIAL_S)
        if MOST - len(calls) > len(left) and again < min([visit, *left]):
            redial_at = again
        elif not left:
            stopped = True
    return calls


class Shop:
    """The database with the appointments, on either engine."""

    def __init__(self, connection: Any, mark: str) -> None:
        self._connection, self._mark = connection, mark
        self.run("CREATE TABLE visits (id integer PRIMARY KEY, phone text, name text, visit timestamp)")

    def run(self, sql: str, rows: list[tuple[Any, ...]] | None = None) -> None:
        cursor = self._connection.cursor()
        cursor.executemany(sql.replace("?", self._mark), rows) if rows is not None else cursor.execute(sql)
        self._connection.commit()

    def close(self) -> None:
        self._connection.close()

    def keep(self, people: list[Patient], since: int, until: int) -> None:
        """Bring the table to what it holds at ``until``."""
        gone, moved = [], []
        for one in people:
            if any(since < at <= until for at, _ in one.versions):
                visit = one.visit_at(until)
                gone.append((one.number,)) if visit is None else moved.append((local(visit), one.number))
        self.run("DELETE FROM visits WHERE id = ?", gone)
        self.run("UPDATE visits SET visit = ? WHERE id = ?", moved)


def local(moment: int) -> str:
    return (datetime.fromtimestamp(moment, UTC) + timedelta(seconds=INDIA)).strftime("%Y-%m-%d %H:%M:%S")


@pytest.fixture(params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str, Callable[[], Shop]]:
    """The URL of the source, that of a fresh ledger on the same engine, and the table."""
    if request.param == "sqlite":
        path = tmp_path / "shop.db"
        ledger_url = str(request.getfixturevalue("sqlite_ledger_url"))
        return f"sqlite:///{path}", ledger_url, lambda: Shop(sqlite3.connect(path), "?")
    url = str(request.getfixturevalue("empty_database"))
    return url, str(request.getfixturevalue("postgres_ledger_url")), lambda: Shop(psycopg.connect(url), "%s")


async def call_who_is_due(ledger: SqlLedger, campaign_id: int, people: dict[str, Patient], now: int) -> None:
    """Claim, pass the gate, and have each call end at once."""
    queued = (await ledger.claim_due({campaign_id: PEOPLE}, 600.0))[0]
    requests = [GateRequest(q.attempt_id, q.dispatch, f"t{q.attempt_id}", "w", 60.0) for q in queued]
    calls = [answer for answer in await ledger.pass_gate(requests) if isinstance(answer, Admitted)]
    await ledger.record_sends([SendOutcome(c.attempt_id, c.token, Placed(f"c{c.attempt_id}"), 1, 0.0) for c in calls])
    rows = []
    for call in calls:
        one = people[call.phone]
        one.calls.append(now)
        said = Disposition.ANSWERED if len(one.calls) == one.answers_call else Disposition.NO_ANSWER
        follow = after_attempt(CAMPAIGN.redial, said, call.attempts_made, now)
        log = CallLog(f"c{call.attempt_id}", call.phone, "agent", now, now, 1.0, said, str(said))
        rows.append(Matched(log, call.attempt_id, "call id", follow))
    if rows:
        while rows:
            del rows[: len(await ledger.record_logs("vaanivoice", rows))]


async def test_each_person_gets_exactly_the_calls_that_the_rules_give(
    databases: tuple[str, str, Callable[[], Shop]],
) -> None:
    source_url, ledger_url, open_shop = databases
    people, shop, clock = patients(Random(4)), open_shop(), ManualClock(START)
    by_phone = {one.phone: one for one in people}
    shop.run(
        "INSERT INTO visits VALUES (?, ?, ?, ?)",
        [(one.number, one.phone, f"Person {one.number}", local(one.versions[0][1] or 0)) for one in people],
    )
    ledger = await SqlLedger.open(ledger_url, clock)
    reader = ReadSource(ledger, clock, lambda _: lambda _: NoRejects(), "w")
    spec = CAMPAIGN

    def opened(_: CampaignSpec) -> TableContacts:
        return database_contacts(source_url, spec.source.query, spec.columns, reminder=spec.reminder)

    calendar = KeepCalendar(ledger, ledger, clock, reader, opened)
    campaign = await ledger.open_campaign(spec)
    await ledger.move_campaign(campaign.campaign_id, "reopen", "")
    for now in range(START, START + DAYS * 24 * HOUR, STEP):
        shop.keep(people, now - STEP, now)
        await calendar.tick()
        await calendar.read_sources()
        await call_who_is_due(ledger, campaign.campaign_id, by_phone, now)
        clock.skip(STEP)

    assert [(one.number, one.calls) for one in people if one.calls != expected(one)] == []
    assert all(at < (one.visit_at(last_read(at)) or 0) for one in people for at in one.calls)
    report = await ledger.report(campaign.campaign_id)
    assert (
        sum(len(one.calls) for one in people)
        == report.dispositions[Disposition.ANSWERED] + (report.dispositions[Disposition.NO_ANSWER])
    )
    assert sum(report.contacts.values()) == PEOPLE
    assert report.contacts[ContactStatus.PENDING] == report.contacts[ContactStatus.ACTIVE] == 0
    assert 0 < report.contacts[ContactStatus.CANCELLED] <= VANISHED
    confirmed = [one for one in people if one.answers_call == 1 and len(one.versions) == 1]
    assert len(confirmed) == CONFIRMED
    assert all(len(one.calls) <= 1 for one in confirmed)
    await ledger.aclose()
    shop.close()
