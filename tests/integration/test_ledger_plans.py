"""How the engines would run every statement of the ledger: none reads what history leaves, none sorts more than a page.

A statement is every text of the adapter's modules that begins as one; a fragment of SQL has a name that begins with
an underscore. So a new statement is looked at without being named here.
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

from dialer.adapters import sql_ledger
from dialer.adapters.sql_ledger.ledger import PAGE
from dialer.adapters.sql_ledger.transaction import for_postgresql, for_sqlite
from tests.fakes.clock import START
from tests.filled_ledger import NOW, fill
from tests.ledger_steps import ACCOUNT

GROWING = ("contacts", "attempts", "sends", "log_rows", "events", "acts", "suppressions", "ledger_facts")
OF_FEW = {"attempts_queued", "attempts_dialing", "attempts_one_live_per_phone", "attempts_review"}
"""Indexes that only hold what is soon over: they may be read whole."""
APART = ("engines", "hazards", "migrate", "tables")
"""Modules whose SQL is no verb's: it asks the server about itself, or makes the tables."""
BEGINS = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b")
VALUE = re.compile(r"(?<!:):(\w+)(\*?)")

ALLOWED: dict[str, str] = {}
"""Statement -> why it may."""

VALUES: dict[str, Any] = {
    "account": ACCOUNT, "campaign_id": NOW, "id": NOW, "now": START, "limit": PAGE, "after": 5,
}


@cache
def statements() -> dict[str, str]:
    """Every statement of the ledger by its name."""
    found = {}
    for module in pkgutil.iter_modules(sql_ledger.__path__):
        if module.name in (*APART, "migrations"):
            continue
        for name, value in vars(importlib.import_module(f"{sql_ledger.__name__}.{module.name}")).items():
            for key, text in value.items() if isinstance(value, dict) else [("", value)]:
                if isinstance(text, str) and BEGINS.match(text) and not name.startswith("_"):
                    found.setdefault(text, f"{module.name}.{name}{key and f'[{key.__name__}]'}")
    return {name: text for text, name in found.items()}
