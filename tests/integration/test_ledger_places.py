"""A ledger wherever people put it: odd paths, several hosts, other encodings, a missing right, a standby."""

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from dialer.adapters.ledger import SqlLedger
from dialer.adapters.ledger.hazards import file_system, hazards
from dialer.adapters.ledger.migrate import migrate, prepare
from dialer.adapters.local.system_clock import SystemClock
from dialer.domain.campaign import CampaignSpec
from dialer.errors import LedgerUnavailable


@pytest.fixture
def database(empty_database: str) -> str:
    """An empty database."""
    return empty_database


SPEC = CampaignSpec("आशा", "agent-1")
MOUNTS = """\
21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 21 0:44 / /mnt/share rw,relatime - nfs4 server:/x rw
31 30 0:45 / /mnt/share/local rw - xfs /dev/sdb rw
32 21 0:46 / /mnt/a\\040b rw,nosuid shared:7 master:2 - fuse.sshfs me@host: rw
nonsense
"""


def changed(url: str, **parts: str) -> str:
    """The same address, other in these parts."""
    told = psycopg.conninfo.conninfo_to_dict(url) | parts
    return "postgresql:///?" + "&".join(f"{name}={value}" for name, value in told.items())


@contextmanager
def encoded(url: str, encoding: str) -> Iterator[str]:
    """A database of this encoding on the same server."""
    name = f"places_{encoding.lower()}"
    execute(url, f"CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0")
    try:
        yield changed(url, dbname=name)
    finally:
        execute(url, f"DROP DATABASE {name} WITH (FORCE)")


def execute(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


async def keep_a_name(url: str) -> str:
    ledger = await SqlLedger.open(url, SystemClock())
    try:
        await ledger.open_campaign(SPEC)
        return (await ledger.campaign("आशा")).spec.name
    finally:
        await ledger.aclose()


@pytest.mark.parametrize("name", ["a b", "a?b", "%41bc", "a#b", "a&b", "a'b", 'a"b', "काम", "a:b@c"])
async def test_any_path_holds_a_ledger(tmp_path: Path, name: str) -> None:
    assert await keep_a_name(f"sqlite:///{tmp_path}/{name}/ledger.db") == "आशा"
    assert modes(tmp_path) == {name: 0o700}
    assert set(modes(tmp_path / name).values()) == {0o600}


def test_that_it_was_made_just_now_is_told_once(tmp_path: Path, database: str) -> None:
    for url, place in (
        (f"sqlite:///{tmp_path}/x/ledger.db", f"{tmp_path}/x/ledger.db"),
        (database, "the database of "),
    ):
        identity, made_at = prepare(url)
        assert made_at.startswith(place)
        assert prepare(url) == (identity, "")


async def test_an_address_of_several_hosts_works(database: str) -> None:
    made = psycopg.conninfo.conninfo_to_dict(database)
    host, port = str(made.get("host", "")), str(made.get("port", "5432"))
    url = changed(database, host=f"{host},{host}", port=f"{port},{port}", target_session_attrs="read-write")
    assert await keep_a_name(url) == "आशा"


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "UTF8"])
async def test_a_database_that_holds_every_name_is_taken(database: str, encoding: str) -> None:
    with encoded(database, encoding) as url:
        assert await keep_a_name(url) == "आशा"


def test_a_database_that_cannot_hold_every_name_is_refused(database: str) -> None:
    with encoded(database, "LATIN1") as url, pytest.raises(LedgerUnavailable, match=r"encoding LATIN1.*UTF8"):
        migrate(url)


async def test_a_missing_right_is_told_as_what_it_is(database: str) -> None:
    migrate(database)
    execute(
        database,
        "CREATE ROLE clerk LOGIN",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO clerk",
    )
    url = changed(database, user="clerk")
    try:
        ledger = await SqlLedger.open(url, SystemClock())  # reading needs no right to write
        try:
            assert await ledger.campaigns() == []
            with pytest.raises(LedgerUnavailable, match="permission denied"):
                await ledger.open_campaign(SPEC)
            with pytest.raises(LedgerUnavailable, match="permission denied"):
                await ledger.beat()
        finally:
            await ledger.aclose()
    finally:
        execute(database, "DROP OWNED BY clerk", "DROP ROLE clerk")


async def test_a_server_that_only_reads_can_be_read(database: str) -> None:
    identity = migrate(database)
    name = psycopg.conninfo.conninfo_to_dict(database)["dbname"]
    execute(database, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    ledger = await SqlLedger.open(database, SystemClock())
    try:
        assert ledger.identity == identity
        assert await ledger.campaigns() == []
        with pytest.raises(LedgerUnavailable, match="read-only"):
            await ledger.open_campaign(SPEC)
    finally:
        await ledger.aclose()


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib/dialer/ledger.db", "ext4"), ("/mnt/share/x/ledger.db", "nfs4"), ("/mnt/sharex/ledger.db", "ext4"),
        ("/mnt/share/local/ledger.db", "xfs"), ("/mnt/a b/ledger.db", "fuse.sshfs"), ("/ledger.db", "ext4"),
    ],
)  # fmt: skip
def test_the_file_system_of_a_ledger_is_found(path: str, kind: str) -> None:
    assert file_system(Path(path), MOUNTS) == kind


def test_a_network_file_system_is_a_hazard(tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)
    ((problem, remedy),) = hazards("sqlite:////mnt/share/ledger.db", mounts)
    assert "nfs4" in problem
    assert "PostgreSQL" in remedy
    assert hazards("sqlite:////var/ledger.db", mounts) == []
    assert hazards("sqlite:////var/ledger.db", tmp_path / "none") == []


def test_a_server_without_fsync_is_a_hazard(database: str) -> None:
    with psycopg.connect(database) as connection:
        row = connection.execute("SHOW fsync").fetchone()
    assert row is not None
    told = [problem for problem, _ in hazards(database)]
    assert any("fsync = off" in problem for problem in told) is (row[0] == "off")
