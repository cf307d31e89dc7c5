"""Whole processes, as for the acceptance tests."""

from tests.acceptance.conftest import open_home, open_provider

__all__ = ["open_home", "open_provider"]
