"""Servers that start when a test first asks for them, one per test process, and ledgers on a manual clock.

What they need is imported with them: unit tests need none of it.
"""

import asyncio
import shutil
import signal
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from itertools import count
from pathlib import Path

import pytest
import pytest_asyncio
import structlog
from hypothesis import settings

from tests.fakes.clock import ManualClock
from tests.ledger_steps import FullLedger

PLAIN = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
_numbers = count(1)

# How long an example takes is the machine's matter. ``make push`` asks for the other profile.
settings.register_profile("few", max_examples=20, deadline=None)
settings.register_profile("many", max_examples=100, deadline=None)
settings.load_profile("few")


def pytest_configure() -> None:
    """A shell that runs pytest in the background ignores these, and so would every process that a test starts."""
    for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, usual)


@pytest.fixture(autouse=True)
def default_logs() -> Iterator[None]:
    """A command that ran within a test's process leaves no level of its logs behind. Tracebacks are not painted."""
    structlog.configure(processors=[structlog.processors.add_log_level, PLAIN])
    yield
    structlog.reset_defaults()


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """A test with the mark ``virtual_time`` runs on a loop whose time passes when everybody waits."""
    if item.get_closest_marker("virtual_time") is None:
        return {"real": asyncio.new_event_loop}
    from tests.virtual_time import VirtualLoop

    return {"virtual": VirtualLoop}


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A real Redis; tests share it, so keep to keys of your own."""
    from tests.redis_server import redis_server

    with redis_server() as url:
        yield url


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A real PostgreSQL: its URL, with ``{database}`` where the name goes."""
    from tests.postgres_server import postgres_server

    with postgres_server() as url:
        yield url


@pytest.fixture(scope="session")
def migrated_database(postgres_url: str) -> Iterator[str]:
    """The name of a database with the newest schema, to be copied."""
    from dialer.adapters.ledger.migrate import migrate
    from tests.postgres_server import fresh_database

    with fresh_database(postgres_url, "migrated") as url:
        migrate(url)
        yield "migrated"


@pytest.fixture
def empty_database(postgres_url: str) -> Iterator[str]:
    """The URL of an empty PostgreSQL database."""
    from tests.postgres_server import fresh_database

    with fresh_database(postgres_url, f"empty{next(_numbers)}") as url:
        yield url


@pytest.fixture(scope="session")
def used_database(postgres_url: str) -> Iterator[str]:
    """The URL of a ledger that is emptied after each test: a database for each would cost five times as much."""
    from dialer.adapters.ledger.migrate import migrate
    from tests.postgres_server import fresh_database

    with fresh_database(postgres_url, "used") as url:
        migrate(url)
        yield url


@pytest.fixture
def postgres_ledger_url(used_database: str) -> Iterator[str]:
    """The URL of a ledger on PostgreSQL without a row; whoever changes its schema puts it back."""
    from tests.postgres_server import empty_ledger

    yield used_database
    empty_ledger(used_database)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite ledger with the newest schema, to be copied."""
    from dialer.adapters.ledger.migrate import migrate

    path = tmp_path_factory.mktemp("ledger") / "migrated.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_ledger_url(migrated_file: Path, tmp_path: Path) -> str:
    """The URL of a fresh ledger on SQLite."""
    path = tmp_path / "ledger.db"
    shutil.copyfile(migrated_file, path)
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest) -> str:
    """The URL of a fresh ledger, on either engine."""
    wanted = {"sqlite": "sqlite_ledger_url", "postgresql": "postgres_ledger_url"}
    return str(request.getfixturevalue(wanted[request.param]))


@pytest.fixture(params=["sqlite", "postgresql"])
def any_empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without a ledger, on either engine."""
    sqlite = f"sqlite:///{tmp_path}/ledger.db"
    return sqlite if request.param == "sqlite" else str(request.getfixturevalue("empty_database"))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def any_ledger_url(request: pytest.FixtureRequest) -> str:
    """The URL of a fresh ledger on either engine, or "" for the one in memory."""
    wanted = {"sqlite": "sqlite_ledger_url", "postgresql": "postgres_ledger_url"}
    return str(request.getfixturevalue(wanted[request.param])) if request.param in wanted else ""


@pytest_asyncio.fixture
async def ledger(any_ledger_url: str, clock: ManualClock) -> AsyncIterator[FullLedger]:
    """An opened ledger on the manual clock: in memory, on SQLite and on PostgreSQL."""
    from dialer.adapters.ledger import SqlLedger
    from tests.memory_ledger import memory_ledger

    opened = await SqlLedger.open(any_ledger_url, clock) if any_ledger_url else memory_ledger(clock)
    yield opened
    await opened.aclose()
