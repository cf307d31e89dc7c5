"""A served page over a ledger with some people in it, for the tests of people's pages and API."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from config import Settings
from dialer.adapters.ledger import SqlLedger
from dialer.console import open_access
from dialer.control_room import open_ledger
from dialer.domain.act import Act, By
from dialer.domain.call import Placed
from dialer.domain.disposition import Disposition
from dialer.domain.redial import Redial, Settle
from dialer.ports import Admitted, Campaign, Matched
from tests.ledger_steps import ACCOUNT, EXHAUSTED, REACHED, dial, listed, log_of, outcome, running
from tests.web.served import on_a_socket

BY = By("tests")


@dataclass
class Desk:
    """A server, its ledger, and clients by role."""

    settings: Settings
    address: str
    ledger: SqlLedger
    stack: AsyncExitStack

    async def program(self, role: str = "operator") -> httpx.AsyncClient:
        """A client with a token."""
        _, token = await open_access(self.settings, self.ledger).add(f"{role} program", role, "", BY)
        client = httpx.AsyncClient(base_url=f"{self.address}/api/v1", timeout=60.0)
        client.headers["Authorization"] = f"Bearer {token}"
        return await self.stack.enter_async_context(client)

    async def browser(self, role: str = "operator") -> httpx.AsyncClient:
        """A client that signed in on the page, and follows where it is sent."""
        _, token = await open_access(self.settings, self.ledger).add(f"{role} browser", role, "", BY)
        headers = {"Origin": self.address}
        client = httpx.AsyncClient(base_url=self.address, timeout=60.0, follow_redirects=True, headers=headers)
        await self.stack.enter_async_context(client)
        assert (await client.post("/login", data={"token": token})).status_code == 200
        return client

    async def people(self) -> Campaign:
        """The campaign "spring" with four: answered, not answered and given up, to be called later, not called yet."""
        campaign = await running(self.ledger, 4)
        for came_to, follow in (
            (Disposition.ANSWERED, REACHED),
            (Disposition.NO_ANSWER, EXHAUSTED),
            (Disposition.NO_ANSWER, Redial(self.ledger.clock.now() + 3600)),
        ):
            await self.call(campaign, came_to, follow)
        return campaign

    async def call(
        self, campaign: Campaign, came_to: Disposition, follow: Redial | Settle, call_id: str = ""
    ) -> Admitted:
        """Call the next one, and let the log say what it came to."""
        (call,) = await dial(self.ledger, campaign, 1)
        call_id = call_id or f"call-{call.attempt_id}"
        await self.ledger.record_sends([outcome(call, Placed(call_id))])
        row = log_of(call, came_to, str(came_to), call_id=call_id)
        await self.ledger.record_logs(ACCOUNT, [Matched(row, call.attempt_id, "call id", follow)])
        return call

    async def acts(self, word: str, campaign: str = "") -> list[Act]:
        """What the audit has of one kind."""
        return [act for act in await listed(self.ledger.acts(campaign)) if act.act == word]


@asynccontextmanager
async def open_desk(home: Path, ledger_url: str, **options: Any) -> AsyncIterator[Desk]:
    """A server over the ledger at this URL."""
    settings = Settings(home=home, database_url=SecretStr(ledger_url), **options)
    async with AsyncExitStack() as stack:
        ledger = await stack.enter_async_context(open_ledger(settings))
        address = await stack.enter_async_context(on_a_socket(settings))
        yield Desk(settings, address, ledger, stack)


def said(page: httpx.Response) -> str:
    """What a page says, without its tags."""
    return unescape(" ".join(re.sub(r"<[^>]*>", " ", page.text.partition("<main")[2]).split()))


def links(page: httpx.Response, start: str) -> list[str]:
    """The addresses on a page that begin so, in their order."""
    return [unescape(one) for one in re.findall(r'href="([^"]*)"', page.text) if one.startswith(start)]
