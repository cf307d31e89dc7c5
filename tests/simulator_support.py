"""A simulator on a virtual clock, and a client for it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from dialer.simulator.clock import VirtualClock
from dialer.simulator.options import Options
from dialer.simulator.server import Simulator, run_simulator

AGENT, AGENT_NUMBER = "8cf3373e-0000-4000-8000-000000000001", "+16505550100"

STEADY: dict[str, Any] = {
    "outcomes": {"answered": 1.0},
    "start_delay_s": (1.0, 1.0),
    "dial_s": (1.0, 1.0),
    "ring_s": (3.0, 3.0),
    "no_answer_ring_s": (45.0, 45.0),
    "talk_s": (10.0, 10.0),
    "voicemail_s": (2.0, 2.0),
    "log_delay_s": 2.0,
}
"""Every answered call: dialing at 1 s, ringing at 2, answered at 5, ended at 15, in the logs at 17."""


@dataclass(frozen=True, slots=True)
class Line:
    """A running simulator, its clock, and a client with a key."""

    simulator: Simulator
    clock: VirtualClock
    http: httpx.AsyncClient

    async def trigger(self, to: str = "+919876543210", **more: Any) -> httpx.Response:
        """Place a call on vaanivoice."""
        body = {"agent_id": AGENT, "contact_number": to, "name": "Asha", **more}
        return await self.http.post("/api/trigger-call/", json=body)

    async def outbound(self, to: str = "+14155550123", **more: Any) -> httpx.Response:
        """Place a call on vaani."""
        body = {"agent_phone_number": AGENT_NUMBER, "phone_number_to_dial": to, **more}
        return await self.http.post("/calls/outbound_call", json=body)

    async def history(self, **query: Any) -> dict[str, Any]:
        """A history page on vaanivoice."""
        answer: dict[str, Any] = (await self.http.get("/api/call-history", params=query)).raise_for_status().json()
        return answer

    async def logs(self, **query: Any) -> Any:
        """A page of logs on vaani."""
        return (await self.http.get("/calls/logs", params=query)).raise_for_status().json()


@asynccontextmanager
async def line(**options: Any) -> AsyncIterator[Line]:
    """A simulator with steady timings and these options."""
    clock = VirtualClock()
    async with (
        run_simulator(Options(**{**STEADY, **options}), clock) as simulator,
        # A busy machine may take longer than httpx's 5 s over a few hundred requests at once.
        httpx.AsyncClient(base_url=simulator.url, headers={"X-API-Key": "any"}, trust_env=False, timeout=60) as http,
    ):
        yield Line(simulator, clock, http)
