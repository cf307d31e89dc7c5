"""Whole processes, as for the acceptance tests."""

from tests.acceptance.conftest import database, open_home, open_provider, postgres

__all__ = ["database", "open_home", "open_provider", "postgres"]
