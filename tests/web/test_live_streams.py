"""A stream goes on for as long as who listens is known, and ends where it cannot be shown."""

import asyncio
import os
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import Request

from dialer.errors import LedgerUnavailable
from dialer.pipeline.keep_access import KeepAccess
from dialer.web.api.events import Streamed, streamed
from dialer.web.live import STILL_S, Live, Now
from tests.memory_ledger import memory_ledger
from tests.virtual_time import VirtualClock
from tests.web.door_steps import BY, House

pytestmark = pytest.mark.virtual_time

NOTHING = dict.fromkeys(("total", "planned", "queued", "cancelled", "dialing", "placed", "unknown"), 0)


async def report(_: str) -> Mapping[str, Any]:
    return {"status": "running", "attempts": NOTHING}


async def shown(_: Now) -> str:
    return "event: blocks\n\n"


class Door:
    """What a request is answered with, over a ledger in memory on the loop's own time."""

    def __init__(self) -> None:
        clock = VirtualClock()
        self.access = KeepAccess(memory_ledger(clock).keys, clock, os.urandom)
        self.live = Live(report, clock)

    def request(self, token: str) -> Request:
        console = SimpleNamespace(access=self.access, settings=SimpleNamespace(web_proxy=""))
        app = SimpleNamespace(state=SimpleNamespace(live=self.live, console=console))
        headers = [(b"authorization", f"Bearer {token}".encode())]
        return Request({"type": "http", "app": app, "headers": headers, "client": ("203.0.113.9", 1), "method": "GET"})


async def listen(stream: Streamed, came: list[object]) -> None:
    async for part in stream.body_iterator:
        came.append(part)


async def test_a_revoked_token_ends_what_it_listens_to() -> None:
    door = Door()
    _, token = await door.access.add("a program", "viewer", "", BY)
    came: list[object] = []
    listening = asyncio.create_task(listen(streamed(door.request(token), "one", shown), came))
    await asyncio.sleep(10 * STILL_S)
    assert not listening.done()
    assert came[0] == await shown(await door.live.now("one"))

    await door.access.revoke("a program", BY)
    before = VirtualClock().monotonic()
    await listening
    assert VirtualClock().monotonic() - before <= 2 * STILL_S
    await door.live.aclose()


async def test_a_state_that_cannot_be_shown_ends_the_stream_quietly() -> None:
    door = Door()
    _, token = await door.access.add("a program", "viewer", "", BY)

    async def not_shown(_: Now) -> str:
        raise LedgerUnavailable("away")

    came: list[object] = []
    await listen(streamed(door.request(token), "one", not_shown), came)
    assert came == []
    await door.live.aclose()


async def test_it_is_ready_until_it_ends(house: House) -> None:
    visitor = house.visitor()
    assert (await visitor.get("/readyz")).status_code == 200

    await house.page.end_streams()

    assert (await visitor.get("/readyz")).status_code == 503
    assert (await visitor.get("/livez")).status_code == 200, "it still answers what was begun"
