"""Time and memory of reading a list from a database or a workbook, the first time and again unchanged.

python benchmarks/source.py [--rows 1000000] [--kinds sqlite,postgresql,xlsx] [--json]

``dialer enqueue`` into an empty SQLite ledger; a workbook has a tenth of the rows. Memory is the peak of the command's
process, beside that of the same command with a thousandth of the rows: the difference is what a row costs.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sqlalchemy import create_engine, text

from tests.acceptance.dialer_process import ROOT
from tests.postgres_server import fresh_database, postgres_server
from tests.redis_server import redis_server
from tests.xlsx_files import write_xlsx

ROW = "'+91' || CAST(9000000000 + n AS TEXT), 'Person ' || CAST(n AS TEXT), 'Pune'"
SERIES = {
    "sqlite": "(WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n + 1 < :rows) SELECT n FROM s)",
    "postgresql": "(SELECT generate_series(0, :rows - 1) AS n)",
}


@dataclass(frozen=True, slots=True)
class Read:
    """One command."""

    kind: str
    rows: int
    reading: str
    seconds: float
    peak_mib: float
    queued: int


def fill(url: str, rows: int) -> None:
    """A table of so many people, each with a number of their own."""
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE people (phone TEXT, name TEXT, city TEXT)"))
        series = SERIES[engine.dialect.name]
        connection.execute(text(f"INSERT INTO people SELECT {ROW} FROM {series} AS numbers"), {"rows": rows})
    engine.dispose()


@contextmanager
def listed(kind: str, place: Path, rows: int) -> Iterator[list[str]]:
    """The words after ``dialer enqueue`` that name the list."""
    campaign = place / "list.toml"
    text_of = 'name = "list"\nagent = "agent-1"\nprovider = "simulator"\n[window]\ndays = "always"\nrules = "off"\n'
    text_of += 'rules_reason = "a measurement"\n'
    if kind == "xlsx":
        people = ([f"+91{9_000_000_000 + n}", f"Person {n}", "Pune"] for n in range(rows))
        write_xlsx(place / "list.xlsx", [["phone", "name", "city"], *people])
        campaign.write_text(text_of)
        yield [str(place / "list.xlsx"), "--campaign", str(campaign)]
        return
    with database(kind, place) as url:
        fill(url, rows)
        source = f'[source]\nurl = "{url}"\nquery = "SELECT phone, name, city FROM people"\n'
        campaign.write_text(text_of + source)
        yield ["--campaign", str(campaign)]


@contextmanager
def database(kind: str, place: Path) -> Iterator[str]:
    """The URL of an empty one."""
    if kind == "sqlite":
        yield f"sqlite:///{place / 'people.db'}"
        return
    with postgres_server() as server, fresh_database(server, "people") as url:
        yield url.replace("postgresql://", "postgresql+psycopg://")


def enqueue(words: list[str], environment: dict[str, str]) -> tuple[float, float, int]:
    """Run the command; seconds, peak memory in MiB, rows queued."""
    begun = time.monotonic()
    command = [sys.executable, "-c", "from dialer.cli import main; main()", "enqueue", *words, "--json"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    told = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, told
    return time.monotonic() - begun, usage.ru_maxrss / 1024, json.loads(told)["queued"]


def run(kind: str, rows: int) -> Iterator[Read]:
    with tempfile.TemporaryDirectory() as folder, redis_server() as redis, listed(kind, Path(folder), rows) as words:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("DIALER_")}
        environment = clean | {"DIALER_HOME": f"{folder}/home", "DIALER_REDIS_URL": redis, "PYTHONPATH": str(ROOT)}
        for reading in ("first", "again"):
            seconds, peak, queued = enqueue(words, environment)
            yield Read(kind, rows, reading, round(seconds, 1), round(peak, 1), queued)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--kinds", default="sqlite,postgresql,xlsx")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found: list[Read] = []
    for kind in given.kinds.split(","):
        rows = given.rows // 10 if kind == "xlsx" else given.rows
        for one in (*run(kind, max(1, rows // 1000)), *run(kind, rows)):
            found.append(one)
            if not given.json:
                print(f"{one.kind}, {one.rows:,} rows, {one.reading}: {one.seconds} s, peak {one.peak_mib} MiB, "
                      f"{one.queued:,} queued", flush=True)  # fmt: skip
    if given.json:
        print(json.dumps([asdict(one) for one in found]))


if __name__ == "__main__":
    main()
