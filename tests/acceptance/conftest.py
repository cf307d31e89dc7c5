"""What every acceptance test starts from: a provider of its own, homes of its own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.acceptance.dialer_process import QUICK, Home, Provider, provider_process, settings_for
from tests.redis_server import RedisServer, running_redis

OpenProvider = Callable[..., Provider]
OpenHome = Callable[..., Home]


@pytest.fixture
def open_provider() -> Iterator[OpenProvider]:
    """Starts a simulator whose calls are quick, with further options."""
    with ExitStack() as stack:

        def start(*options: str) -> Provider:
            return stack.enter_context(provider_process([*QUICK, *options]))

        yield start


@pytest.fixture
def open_home(tmp_path: Path) -> Iterator[OpenHome]:
    """Makes a home whose commands dial a provider; what still runs at the end is ended."""
    homes: list[Home] = []

    def make(provider: Provider, **settings: str) -> Home:
        path = tmp_path / f"place-{len(homes)}"
        path.mkdir()
        homes.append(Home(path, settings_for(provider, **settings)))
        return homes[-1]

    yield make
    for home in homes:
        home.end()


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """A Valkey of its own, which the test may kill and start again."""
    with running_redis() as server:
        yield server
