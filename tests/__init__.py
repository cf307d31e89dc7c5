"""The tests: real Redis, real SQLite and PostgreSQL, real sockets, real processes."""
