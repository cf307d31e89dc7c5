"""The ledger over SQLite or PostgreSQL."""

from dialer.adapters.sql_ledger.ledger import SqlLedger

__all__ = ["SqlLedger"]
