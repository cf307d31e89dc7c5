"""A browser and a console for each file of tests: a browser that is open keeps a loop of its own running."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.browser_steps import Console, chromium, console


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium."""
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def looked_at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """A page that dials."""
    with console(tmp_path_factory.mktemp("console")) as opened:
        yield opened
