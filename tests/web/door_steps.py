"""The page and the API within the test's process, on a ledger of their own, and those who knock."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from config import Settings
from dialer.console import Console, open_console
from dialer.domain.access import Role
from dialer.domain.act import By
from dialer.web.app import Application
from tests.house import SPEC

HOST = "http://127.0.0.1:8080"
OURS = {"Origin": HOST}
BY = By("tests", "to knock")
HERE = "203.0.113.9"


@dataclass
class House:
    """An application that is open, and its rooms."""

    page: Application
    console: Console

    def visitor(self, *, address: str = HERE, at: str = HOST, **headers: str) -> httpx.AsyncClient:
        """A client from this address; headers as ``sec_fetch_site="none"``."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        transport = httpx.ASGITransport(self.page, raise_app_exceptions=False, client=(address, 40_000))
        return httpx.AsyncClient(transport=transport, base_url=at, headers=named)

    async def token(self, role: Role = Role.ADMIN, name: str = "", expires: str = "") -> str:
        """A token of that role."""
        return (await self.console.access.add(name or f"a {role.word}", role.word, expires, BY))[1]

    async def program(self, role: Role = Role.ADMIN) -> httpx.AsyncClient:
        """A client with a token."""
        return self.visitor(authorization=f"Bearer {await self.token(role)}")

    async def browser(self, role: Role = Role.ADMIN) -> httpx.AsyncClient:
        """A client that signed in, and sends what browsers send for our own pages."""
        client = self.visitor(origin=HOST)
        answer = await client.post("/login", data={"token": await self.token(role)})
        assert answer.status_code == 303
        return client


@asynccontextmanager
async def open_house(home: Path, ledger_url: str, **settings: Any) -> AsyncIterator[House]:
    """The application with its rooms open, over a ledger with one campaign, which is number 1."""
    options = Settings(home=home, database_url=SecretStr(ledger_url), **settings)
    async with open_console(options) as console:

        @asynccontextmanager
        async def rooms() -> AsyncIterator[Console]:
            yield console

        page = Application(options, rooms, "127.0.0.1")
        async with page.running():
            await console.ledger.open_campaign(SPEC)
            yield House(page, console)


def code_of(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a problem."""
    return answer.status_code, answer.json()["code"]
