"""The acceptance tests' provider and homes."""

from tests.acceptance.conftest import open_home, open_provider, own_redis

__all__ = ["open_home", "open_provider", "own_redis"]
