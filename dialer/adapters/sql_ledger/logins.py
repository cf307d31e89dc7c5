"""Logins that are renewed while calls are placed: known to all workers, and to the next start."""

from collections.abc import Sequence

from dialer.adapters.sql_ledger.transaction import Transaction
from dialer.ports.login import KeptLogin

LOGIN = "SELECT tokens, renewals FROM logins WHERE name = :name"
KEEP = """
INSERT INTO logins (name, tokens, renewals) VALUES (:name, :tokens, 1)
ON CONFLICT (name) DO UPDATE SET tokens = excluded.tokens, renewals = logins.renewals + 1
"""


def login(transaction: Transaction, name: str) -> KeptLogin:
    """What is kept under this name."""
    rows = transaction.all(LOGIN, {"name": name})
    return KeptLogin(*rows[0]) if rows else KeptLogin()


def keep_logins(transaction: Transaction, kept: Sequence[tuple[str, str]], now: float) -> list[None]:
    """Keep each (name, tokens)."""
    del now
    transaction.many(KEEP, [{"name": name, "tokens": tokens} for name, tokens in kept])
    return [None] * len(kept)
