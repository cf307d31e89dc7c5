"""A page and an API of its own for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.web.door_steps import House, open_house


@pytest_asyncio.fixture
async def house(tmp_path: Path, sqlite_ledger_url: str) -> AsyncIterator[House]:
    """The page and the API on SQLite."""
    async with open_house(tmp_path, sqlite_ledger_url) as opened:
        yield opened


@pytest_asyncio.fixture
async def either_house(tmp_path: Path, ledger_url: str) -> AsyncIterator[House]:
    """The page and the API on either engine."""
    async with open_house(tmp_path, ledger_url) as opened:
        yield opened


@pytest.fixture
def numbers() -> list[str]:
    """Numbers as somebody may write them, none of which may be said again."""
    return ["+14155550123", "+1 415-555-0123", "00919000000001", "4155550123"]
