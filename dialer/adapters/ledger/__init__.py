"""The ledger over SQLite or PostgreSQL."""

from dialer.adapters.ledger.ledger import SqlLedger

__all__ = ["SqlLedger"]
