"""What never ends by itself in one campaign: the others go on, and the process ends when it is told to."""

import signal
import socket
import sqlite3
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dialer.adapters.local.system_clock import SystemClock
from tests.acceptance.conftest import OpenHome, OpenProvider
from tests.acceptance.dialer_process import Home, Provider, campaign_file, dialing, until, write_list

pytestmark = pytest.mark.acceptance

NOBODY = Provider("http://127.0.0.1:9")
"""For commands that call nobody."""
ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
PEOPLE = "SELECT phone, name, starts_at FROM people"
READ_OFTEN = 'refresh = "* * * * * *"\n[schedule]\ntimezone = "Asia/Kolkata"'


def people_at(home: Home, name: str, *rows: tuple[str, str, str]) -> Path:
    """A database with a table of people."""
    path = home.path / f"{name}.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE listed (phone TEXT, name TEXT, starts_at TEXT)")
        database.executemany("INSERT INTO listed VALUES (?, ?, ?)", rows)
        database.execute("CREATE VIEW people AS SELECT * FROM listed")
    database.close()
    return path


def change(path: Path, *statements: str) -> None:
    """Run these on a database."""
    with sqlite3.connect(path) as database:
        for statement in statements:
            database.execute(statement)
    database.close()


def source(path: Path, query: str = PEOPLE) -> str:
    """A [source] that is read every second."""
    return f'[source]\nurl = "sqlite:///{path}"\nquery = "{query}"\n{READ_OFTEN}'


def opened(home: Home, name: str, *rows: tuple[str, str, str]) -> Path:
    """A campaign of appointments with a source of its own."""
    path = people_at(home, name, *rows)
    reminder = '\n[reminder]\nevent = "starts_at"\nbefore = ["24h"]'
    home.command("enqueue", *campaign_file(home, source(path) + reminder, name))
    return path


APPOINTMENTS = [(f"+9190000000{n:02d}", f"P{n}", f"2099-03-02T1{n}:00:00+05:30") for n in range(3)]
HANGS = f"CREATE VIEW people AS {ENDLESS} SELECT i AS phone, 'x' AS name, '' AS starts_at FROM n WHERE i < 0"
DROP = "DROP VIEW people"


def event_of(home: Home, name: str, phone: str) -> str:
    found = [row for row in home.export(name) if row["phone"] == phone]
    return found[0]["starts_at"]


@pytest.mark.parametrize(
    "odd",
    [
        ("UPDATE listed SET starts_at = '9999-12-31T23:59:59Z' WHERE name = 'P1'",),
        ("UPDATE listed SET starts_at = '0001-01-01T00:00:00Z', phone = char(0), name = char(55357)",),
        ("DROP VIEW people",),
        ("DROP VIEW people", "CREATE VIEW people AS SELECT phone FROM listed"),
        (DROP, HANGS),
    ],
    ids=["far date", "damaged rows", "no table", "no column", "hangs"],
)
def test_one_source_is_odd_and_the_others_and_the_rest_go_on(
    open_home: OpenHome, open_provider: OpenProvider, odd: tuple[str, ...]
) -> None:
    provider = open_provider()
    home = open_home(provider)
    one, two = opened(home, "one", *APPOINTMENTS), opened(home, "two", *APPOINTMENTS)
    home.command("enqueue", str(write_list(home.path / "list.csv", 3, first=100)), *dialing())
    change(one, *odd)
    change(two, "UPDATE listed SET starts_at = '2099-05-05T10:00:00+05:30' WHERE name = 'P1'")
    change(two, "DELETE FROM listed WHERE name = 'P2'")
    worker = home.start("worker")
    home.until_status("finished")
    until(lambda: event_of(home, "two", APPOINTMENTS[1][0]).startswith("2099-05-05"), "the moved appointment")
    until(lambda: home.report("two")["contacts"]["cancelled"] == 1, "who was deleted")
    worker.signal(signal.SIGTERM)
    assert worker.ended().code == 0
    assert provider.placed() == 3
    assert "Traceback" not in worker.err.read_text()


@pytest.mark.parametrize("verb", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("command", ["worker", "check", "enqueue", "run"])
def test_a_command_ends_whatever_its_source_does(open_home: OpenHome, command: str, verb: signal.Signals) -> None:
    home = open_home(NOBODY)
    path = people_at(home, "endless")
    if command == "worker":
        campaign = campaign_file(home, source(path), "endless")
        home.command("enqueue", *campaign)
    change(path, DROP, HANGS)
    words = () if command == "worker" else campaign_file(home, source(path), "endless")
    running = home.start(command, *words)
    until(lambda: asks(running.process.pid, path), "the query")
    running.signal(verb)
    running.ended()
    assert home.leftovers() == []


def asks(pid: int, path: Path) -> bool:
    """Whether a process has a file open."""
    try:
        return any(link.resolve() == path.resolve() for link in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return False


@pytest.fixture
def deaf() -> Iterator[str]:
    """A server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def test_a_worker_ends_though_a_database_never_answers(open_home: OpenHome, deaf: str) -> None:
    home = open_home(NOBODY)
    path = people_at(home, "two", *APPOINTMENTS)
    home.command("enqueue", *campaign_file(home, source(path), "two"))
    ledger = home.path / "home" / "ledger.db"
    change(ledger, f"UPDATE campaigns SET spec = replace(spec, 'sqlite:///{path}', 'postgresql://u@{deaf}/x')")
    running = home.start("worker")
    until(lambda: connected(running.process.pid, deaf), "the connection")
    running.signal(signal.SIGTERM)
    assert running.ended().code == 0


def connected(pid: int, address: str) -> bool:
    """Whether a process has a connection to this port of ours."""
    port = f":{int(address.rpartition(':')[2]):04X}"
    lines = Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]
    return any(line.split()[2].endswith(port) and line.split()[3] == "01" for line in lines)


@pytest.mark.parametrize(("verb", "code"), [(signal.SIGTERM, 0), (signal.SIGKILL, -signal.SIGKILL)])
def test_a_worker_that_ends_leaves_no_query_of_postgresql(
    open_home: OpenHome, empty_database: str, verb: signal.Signals, code: int
) -> None:
    import psycopg

    home = open_home(NOBODY)
    with psycopg.connect(empty_database, autocommit=True) as connection:
        connection.execute("CREATE VIEW people AS SELECT '+919000000001' AS phone, 'P' AS name")
        tables = f'[source]\nurl = "{empty_database}"\nquery = "SELECT phone, name FROM people"\n{READ_OFTEN}'
        home.command("enqueue", *campaign_file(home, tables, "two"))
        slow = "SELECT '+919000000001' AS phone, 'P' || pg_sleep(600) AS name"
        connection.execute(f"CREATE OR REPLACE VIEW people AS {slow}".encode())
        running = home.start("worker")
        asked = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' "
            "AND pid <> pg_backend_pid()"
        )

        def active() -> int:
            return int(connection.execute(asked.encode()).fetchone()[0])  # type: ignore[index]

        until(lambda: active() > 0, "the query")
        running.signal(verb)
        assert running.ended().code == code
        until(lambda: active() == 0, "its end")


SPOILT = {
    "text": "'{'",
    "nothing": "'null'",
    "array": "'[]'",
    "types": 'replace(spec, \'"weight": 1\', \'"weight": "heavy"\')',
    "nan": "replace(spec, '\"calls_per_second\": 1.0', '\"calls_per_second\": NaN')",
    "huge": "replace(spec, '\"calls_per_second\": 1.0', '\"calls_per_second\": 1e308')",
    "endless": "replace(spec, '\"calls_per_second\": 1.0', '\"calls_per_second\": Infinity')",
    "rule": 'replace(spec, \'"also_rules": []\', \'"also_rules": ["nothing"]\')',
    "zone": 'replace(spec, \'"timezone": ""\', \'"timezone": "Mars/Phobos"\')',
    "later": 'replace(spec, \'"days": [0, 1, 2, 3, 4, 5]\', \'"of_the_next_version": 1, "days": [0]\')',
}
"""What a ledger may hold that was filled by another version or another program."""


def copies(ledger: Path, names: Iterable[str]) -> list[str]:
    """Statements that copy campaign 1, with its people, under these names, and spoil each."""
    statements = []
    for n, name in enumerate(names, 100):
        statements += [
            f"INSERT INTO campaigns SELECT {n}, {_columns(ledger, 'campaigns', {'name': repr(name)})} "
            "FROM campaigns WHERE id = 1",
            f"INSERT INTO contacts SELECT NULL, {_columns(ledger, 'contacts', {'campaign_id': str(n)})} "
            "FROM contacts WHERE campaign_id = 1",
            f"UPDATE campaigns SET spec = {SPOILT[name]} WHERE id = {n}",
        ]
    return statements


def _columns(ledger: Path, table: str, changed: dict[str, str]) -> str:
    with sqlite3.connect(ledger) as database:
        names = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
    database.close()
    return ", ".join(changed.get(name, f'"{name}"') for name in names if name != "id")


def test_campaigns_that_cannot_be_obeyed_halt_and_the_others_go_on(
    open_home: OpenHome, open_provider: OpenProvider
) -> None:
    provider = open_provider()
    home = open_home(provider)
    ledger = home.path / "home" / "ledger.db"
    home.command("enqueue", str(write_list(home.path / "bad.csv", 2, first=50)), *campaign_file(home, "", "bad"))
    change(ledger, *copies(ledger, SPOILT), "UPDATE campaigns SET status = 'paused' WHERE id = 1")
    home.command("enqueue", str(write_list(home.path / "list.csv", 3)), *dialing())
    worker = home.start("worker")
    home.until_status("finished")
    for name in SPOILT:
        until(lambda name=name: home.glance(name)["status"] == "halted", f"{name} halted")  # type: ignore[misc]
        assert "cannot be obeyed" in home.glance(name)["halt_reason"]
    worker.signal(signal.SIGTERM)
    assert worker.ended().code == 0
    assert provider.placed() == 3
    for words in (("campaigns",), ("report", "text"), ("report", "nan"), ("export", "types"), ("cancel", "nan")):
        home.command(*words)


def test_a_list_with_odd_dates_calls_all_the_others(open_home: OpenHome, open_provider: OpenProvider) -> None:
    provider = open_provider()
    home = open_home(provider)
    odd = ["9999-12-31 23:59:59", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "infinity", "0000-00-00 00:00:00",
           "2099-13-45T00:00:00Z", "\x00", "nan"]  # fmt: skip
    rows = [f"+9190000001{n:02d},Odd,{text}" for n, text in enumerate(odd)]
    visit = datetime.fromtimestamp(SystemClock().now() + 2 * 86400, UTC).isoformat(timespec="minutes")
    good = [f"+9190000002{n:02d},Good,{visit}" for n in range(2)]
    (home.path / "list.csv").write_text("\n".join(["phone,name,when", rows[0], good[0], *rows[1:], good[1], ""]))
    # A reminder whose moment has passed is made up for at once.
    tables = '[reminder]\nevent = "when"\nbefore = ["3d"]\ntimezone = "Pacific/Kiritimati"'
    options = ["--provider", "vaanivoice", "--window", "always", "--json"]
    imported = home.command("enqueue", "list.csv", *campaign_file(home, tables), *options).json()
    assert (imported["rows"], imported["queued"], imported["invalid"]) == (len(odd) + 2, 2, len(odd))
    worker = home.start("worker")
    until(lambda: provider.placed() == 2, "both calls")
    worker.signal(signal.SIGTERM)
    assert worker.ended().code == 0
