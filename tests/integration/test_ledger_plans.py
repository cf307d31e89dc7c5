"""How the engines run every statement of the ledger: none reads what history leaves, none sorts more than a page.

A statement is every text of the adapter's modules that begins as one, so a new one is looked at without being named
here. A fragment of SQL has a name that begins with an underscore.
"""

import ast
import importlib
import json
import pkgutil
import re
import sqlite3
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest

from dialer.adapters import ledger
from dialer.adapters.ledger.ledger import PAGE
from dialer.adapters.ledger.migrate import migrate
from dialer.adapters.ledger.transaction import for_postgresql, for_sqlite
from tests.fakes.clock import START
from tests.filled_ledger import CAMPAIGN_ID, fill
from tests.ledger_steps import ACCOUNT, phone

APART = ("engines", "postgresql_engine", "hazards", "migrate", "tables", "migrations")
"""Modules whose SQL is no verb's: it makes the tables, or asks the server about itself."""
GROWING = (
    "campaigns", "contacts", "attempts", "sends", "log_rows", "events", "acts", "suppressions", "ledger_facts",
    "webhooks",
)  # fmt: skip
FEW = ("readings", "json_each", "CONSTANT", "alembic_version", "tokens", "uploads")
OF_FEW = ("attempts_queued", "attempts_dialing", "attempts_one_live_per_phone", "attempts_review", "log_rows_unmapped")
"""Indexes that only hold what is soon over, or is rare: they may be read whole."""

REPORT = "a report counts a campaign, when a person asks for it, and keeps nobody waiting"
COUNTS = {
    "view.ATTEMPT_COUNTS": REPORT,
    "view.CONTACT_COUNTS": REPORT,
    "view.UNEXPLAINED": REPORT,
    "view.UNMAPPED": REPORT,
    "waiting.EXPIRED": REPORT,
    "waiting.WAITING_ATTEMPTS": REPORT,
    "waiting.WAITING_CONTACTS": REPORT,
    "waiting.WAITING_FOR": REPORT,
}
MAY = COUNTS | {
    "campaigns.HAS_ATTEMPTS": "ends at the first it finds; asked when a campaign is to have another provider",
    "suppressing.SUPPRESS_CONTACTS": "looks at all campaigns for entries of rehearsals alone",
    "suppressing.WAITING_TO_PHONES": "looks at all campaigns for entries of rehearsals alone",
    "view.ALL_CAMPAIGNS": "whoever wants all campaigns; what is asked every second has OPEN_CAMPAIGNS",
    "view.RECENT_SENDS": "counts as many as it was told to, after they were found",
}
"""Statement -> why it may read more, or put more in order."""

GROWS = COUNTS | {
    "redialing.SETTLED_AFTER": "asked when an operator has people called again, outside of the gate",
    "readings.UNSEEN": "asked once for each reading of a source, which reads as many itself",
}
"""Statement -> why its work may grow with what there is."""

BEGINS = re.compile(r"\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH)\b")
VALUE = re.compile(r"%\((\w+)\)s")
VALUES: dict[str, Any] = {
    "account": ACCOUNT,
    "attempt_id": 1,
    "before": START,
    "below": 2**62,
    "beyond": "log:vaanivoice;",
    "campaign_id": CAMPAIGN_ID,
    "contact_ids": [1, 2, 3],
    "corrected_since": START,
    "ended_at": START,
    "ids": [1, 2, 3],
    "limit": 100,
    "now": str(START),
    "phone": phone(1),
    "prefix": "log:vaanivoice:",
    "since": START,
    "until": START + 1,
}
LISTED = ["a", "b", "c"]


@cache
def statements() -> dict[str, str]:
    """Every statement of the ledger: its module and name -> the text."""
    found: dict[str, str] = {}
    for module in modules():
        for name, value in vars(importlib.import_module(f"{ledger.__name__}.{module}")).items():
            for key, text in value.items() if isinstance(value, dict) else [("", value)]:
                if isinstance(text, str) and BEGINS.match(text) and not name.startswith("_"):
                    found.setdefault(text, f"{module}.{name}" + (f"[{key.__name__}]" if isinstance(key, type) else ""))
    return {name: text for text, name in found.items()}


def modules() -> list[str]:
    return [module.name for module in pkgutil.iter_modules(ledger.__path__) if module.name not in APART]


def values_of(text: str) -> dict[str, Any]:
    """Something for every ``:name``; what the engines cannot tell the type of has one."""
    lists = set(re.findall(r"IN :(\w+)\*", text))
    names = VALUE.findall(for_postgresql(text))
    return {name: VALUES.get(name, LISTED if name in lists else str(CAMPAIGN_ID)) for name in names}


def run_on_sqlite(connection: sqlite3.Connection, text: str, before: str = "") -> list[Any]:
    values = {name: json.dumps(v) if isinstance(v, list) else v for name, v in values_of(text).items()}
    return connection.execute(before + for_sqlite(text), values).fetchall()


@pytest.fixture
def filled_sqlite(sqlite_ledger_url: str) -> Iterator[sqlite3.Connection]:
    """Nobody asks SQLite for statistics: how much there is does not change its plans."""
    fill(sqlite_ledger_url, 100, 100)
    connection = sqlite3.connect(sqlite_ledger_url.removeprefix("sqlite:///"))
    yield connection
    connection.close()


@pytest.fixture
def filled_postgresql(empty_database: str) -> Iterator[psycopg.Connection]:
    """Enough that reading a table is dearer than an index, with statistics, which no other test is to have."""
    migrate(empty_database)
    fill(empty_database, 20_000, 20_000)
    with psycopg.connect(empty_database, autocommit=True) as connection:
        yield connection


def test_every_statement_stands_where_it_is_found() -> None:
    assert len(statements()) > 150
    for module in modules():
        tree = ast.parse((Path(ledger.__path__[0]) / f"{module}.py").read_text())
        for function in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]:
            for node in ast.walk(function):
                where = f"{module}.{function.name}"
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    assert not BEGINS.match(node.value), f"{where} holds a statement: make it a name of the module"
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
                    runs = node.func.attr in ("all", "run", "won", "many")
                    fragment = isinstance(node.args[0], ast.Name) and node.args[0].id.startswith("_")
                    assert not (runs and fragment), f"{where} runs a fragment"


def test_what_may_read_more_is_there() -> None:
    assert set(MAY | GROWS) <= set(statements())


def test_sqlite_finds_what_it_reads(filled_sqlite: sqlite3.Connection) -> None:
    bad = {}
    for name, text in statements().items():
        plan = [str(row[-1]) for row in run_on_sqlite(filled_sqlite, text, "EXPLAIN QUERY PLAN ")]
        wrong = [step for step in plan if is_too_much(step, text)]
        if wrong and name not in MAY:
            bad[name] = wrong
    assert bad == {}


def is_too_much(step: str, text: str) -> bool:
    """Whether SQLite reads all of a table, or puts more in order than it answers."""
    if step.startswith("SCAN"):
        table, index = step.split()[1], step.rsplit(maxsplit=1)[-1]
        inner = re.findall(r"\) AS (\w+)", text)
        return table not in (*FEW, *inner) and not table.startswith("(") and index not in OF_FEW
    return "TEMP B-TREE FOR GROUP BY" in step or ("TEMP B-TREE" in step and "LIMIT" in text)


def test_postgresql_finds_what_it_reads(filled_postgresql: psycopg.Connection) -> None:
    bad = {}
    for name, text in statements().items():
        asked = plan_of(filled_postgresql, text)
        generic = generic_plan(filled_postgresql, text)
        # The one for any values is taken where it is no dearer.
        plans = [asked, generic] if generic["Total Cost"] <= asked["Total Cost"] else [asked]
        wrong = [told for plan in plans for node, above in nodes(plan) if (told := too_much(node, above))]
        if wrong and name not in MAY:
            bad[name] = wrong
    assert bad == {}


def plan_of(connection: psycopg.Connection, text: str, how: str = "FORMAT JSON") -> dict[str, Any]:
    row = connection.execute(f"EXPLAIN ({how}) {for_postgresql(text)}".encode(), values_of(text)).fetchone()
    assert row is not None
    return dict(row[0][0]["Plan"])


def generic_plan(connection: psycopg.Connection, text: str) -> dict[str, Any]:
    """What a statement gets that was asked often, whatever its values are. PostgreSQL 16 and newer tell it."""
    names = list(dict.fromkeys(VALUE.findall(for_postgresql(text))))
    types = {int: "::bigint", float: "::float8"}

    def number(found: re.Match[str]) -> str:
        return f"${names.index(found[1]) + 1}{types.get(type(VALUES.get(found[1])), '')}"

    numbered = VALUE.sub(number, for_postgresql(text)).replace("%%", "%")
    row = connection.execute(f"EXPLAIN (FORMAT JSON, GENERIC_PLAN) {numbered}".encode()).fetchone()
    assert row is not None
    return dict(row[0][0]["Plan"])


def nodes(plan: dict[str, Any], above: str = "") -> Iterator[tuple[dict[str, Any], str]]:
    """Each node of a plan, and the type of the one above it."""
    yield plan, above
    for node in plan.get("Plans", ()):
        yield from nodes(node, plan["Node Type"])


def too_much(node: dict[str, Any], above: str) -> str:
    """What is wrong with a node of PostgreSQL's plan, or ""."""
    kind, rows = node["Node Type"], node["Plan Rows"]
    table, index = node.get("Relation Name", ""), node.get("Index Name", "")
    if kind == "Seq Scan" and table in GROWING:
        return f"reads all {table}"
    whole = kind in ("Index Scan", "Index Only Scan", "Bitmap Index Scan") and "Index Cond" not in node
    if whole and table in GROWING and index not in OF_FEW and above != "Limit":
        return f"reads all {index}"
    if kind == "Sort" and rows > PAGE:
        return f"sorts {rows} rows"
    return ""


def sqlite_work(url: str, text: str) -> int:
    """How many steps SQLite's machine makes for a statement; what it changes is undone."""
    connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    steps = 0

    def step() -> None:
        nonlocal steps
        steps += 1

    connection.execute("BEGIN")
    connection.set_progress_handler(step, 1)
    try:
        run_on_sqlite(connection, text)
    except sqlite3.IntegrityError:
        pass  # it was there; to find that out was its work
    finally:
        connection.set_progress_handler(None, 0)
        connection.close()
    return steps


@pytest.mark.parametrize(("made", "waiting"), [(5_000, 200), (500, 5_000)], ids=["calls made", "people who wait"])
def test_no_statement_works_more_the_more_there_are(
    sqlite_ledger_url: str, migrated_file: Path, tmp_path: Path, made: int, waiting: int
) -> None:
    (tmp_path / "young.db").write_bytes(migrated_file.read_bytes())
    young, full = f"sqlite:///{tmp_path}/young.db", sqlite_ledger_url
    fill(young, 500, 200)
    fill(full, made, waiting)
    grew = {}
    for name, text in statements().items():
        before, after = sqlite_work(young, text), sqlite_work(full, text)
        if after > 2 * before + 200 and name not in GROWS:
            grew[name] = (before, after)
    assert grew == {}
