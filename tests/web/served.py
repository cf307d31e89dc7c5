"""The page and the API as they are served: over a real socket, on a ledger of their own."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from pydantic import SecretStr

from config import Settings
from dialer.adapters.ledger import SqlLedger
from dialer.console import open_access, open_console
from dialer.control_room import open_ledger
from dialer.domain.act import By
from dialer.web.app import Application

BY = By("tests")
ROOT = Path(__file__).parents[2]


@dataclass
class Served:
    """Two servers behind one ledger, and clients that signed in by role."""

    settings: Settings
    addresses: list[str]
    ledger: SqlLedger
    stack: AsyncExitStack
    tokens: dict[str, str] = field(default_factory=dict)

    async def program(self, role: str = "admin", server: int = 0) -> httpx.AsyncClient:
        """A client with a token."""
        client = httpx.AsyncClient(base_url=self.addresses[server], timeout=60.0)
        client.headers["Authorization"] = f"Bearer {await self._token(role)}"
        return await self.stack.enter_async_context(client)

    async def browser(self, role: str = "admin", server: int = 0) -> httpx.AsyncClient:
        """A client that signed in on the page and follows where it is led."""
        address = self.addresses[server]
        client = httpx.AsyncClient(base_url=address, timeout=60.0, follow_redirects=True, headers={"Origin": address})
        await self.stack.enter_async_context(client)
        answer = await client.post("/login", data={"token": await self._token(role)})
        assert answer.status_code == 200
        return client

    async def _token(self, role: str) -> str:
        if role not in self.tokens:
            access = open_access(self.settings, self.ledger)
            self.tokens[role] = (await access.add(f"a {role}", role, "", BY))[1]
        return self.tokens[role]


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Any:
        yield


@asynccontextmanager
async def serving(home: Path, *, database_url: str = "", servers: int = 1, **options: Any) -> AsyncIterator[Served]:
    """So many servers over one ledger: SQLite in ``home``, or the database named."""
    settings = Settings(home=home, database_url=SecretStr(database_url), **options)
    async with AsyncExitStack() as stack:
        ledger = await stack.enter_async_context(open_ledger(settings))
        addresses = [await stack.enter_async_context(on_a_socket(settings)) for _ in range(servers)]
        yield Served(settings, addresses, ledger, stack)


@asynccontextmanager
async def on_a_socket(settings: Settings) -> AsyncIterator[str]:
    """The page and the API as they are served, for the block: where."""
    page = Application(settings, lambda: open_console(settings))
    server = _Server(uvicorn.Config(page, log_config=None, lifespan="on", timeout_graceful_shutdown=2))
    with socket.socket() as own:
        own.bind(("127.0.0.1", 0))
        own.listen()
        task = asyncio.create_task(server.serve([own]))
        try:
            yield f"http://127.0.0.1:{own.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task


def text_of(page: httpx.Response) -> str:
    """What a page says, without its tags."""
    body = page.text.partition("<main")[2]
    return " ".join(re.sub(r"<[^>]*>", " ", body).split()).replace("&#34;", '"').replace("&#39;", "'")
