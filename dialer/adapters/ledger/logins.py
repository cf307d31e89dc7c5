"""Logins that are renewed while calls are placed: once for all workers, and known to the next start."""

from collections.abc import Sequence

from dialer.adapters.ledger.transaction import Transaction
from dialer.ports.login import KeptLogin

LOGIN = "SELECT tokens, renewals FROM logins WHERE name = :name"
ADD = "INSERT INTO logins (name) VALUES (:name) ON CONFLICT (name) DO NOTHING"
CLAIM = """
UPDATE logins SET holder = :holder, lease_until = :lease_until
WHERE name = :name AND (holder = '' OR holder = :holder OR lease_until <= :now)
"""
KEEP = """
UPDATE logins SET tokens = CASE WHEN :tokens = '' THEN tokens ELSE :tokens END,
    renewals = renewals + CASE WHEN :tokens = '' THEN 0 ELSE 1 END, holder = '', lease_until = NULL
WHERE name = :name AND holder = :holder
"""


def login(transaction: Transaction, name: str) -> KeptLogin:
    """What is kept under this name."""
    rows = transaction.all(LOGIN, {"name": name})
    return KeptLogin(*rows[0]) if rows else KeptLogin()


def claim_logins(transaction: Transaction, claims: Sequence[tuple[str, str, float]], now: float) -> list[bool]:
    """For each (name, holder, lease in seconds): whether the holder may renew it."""
    for name, _, _ in claims:
        transaction.run(ADD, {"name": name})
    return transaction.won(
        CLAIM,
        [
            {"name": name, "holder": holder, "lease_until": now + lease_s, "now": now}
            for name, holder, lease_s in claims
        ],
    )


def keep_logins(transaction: Transaction, kept: Sequence[tuple[str, str, str]], now: float) -> list[None]:
    """Keep each (name, holder, tokens), if it is still the holder's."""
    del now
    transaction.many(KEEP, [{"name": name, "holder": holder, "tokens": tokens} for name, holder, tokens in kept])
    return [None] * len(kept)
