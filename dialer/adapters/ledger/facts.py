"""Small things that the ledger remembers by name."""

from dialer.adapters.ledger.transaction import Transaction

FACTS = "SELECT name, value FROM ledger_facts WHERE name >= :prefix AND name < :beyond"


def facts_named(transaction: Transaction, prefix: str) -> dict[str, str]:
    """Of every fact whose name begins so: the rest of its name -> its value. There may be a million of others."""
    beyond = prefix[:-1] + chr(ord(prefix[-1]) + 1)
    rows = transaction.all(FACTS, {"prefix": prefix, "beyond": beyond})
    return {name.removeprefix(prefix): value for name, value in rows}
