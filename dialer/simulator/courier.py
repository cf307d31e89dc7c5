"""Sending the webhooks: in order for each call, again when they are not taken, and wrong on request (section 3.13)."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

import httpx

from dialer.simulator import vaanivoice_rows, webhooks
from dialer.simulator.books import Call, Delivery
from dialer.simulator.checking import zoned
from dialer.simulator.switchboard import Switchboard
from dialer.simulator.webhooks import Event

DELAYS_S = (0, 5, 25, 125, 625)
"""When a delivery is tried, from the first time on."""
ANSWER_WITHIN_S = 5.0
FORGED_SECRET = "somebody else's"  # noqa: S105 - it is meant to be wrong


@dataclass(frozen=True, slots=True)
class _Parcel:
    url: str
    kind: str
    body: bytes
    scheme: str
    secret: str | None
    tries: int
    fault: str | None = None


class Courier:
    """Every webhook of the account; what was sent is in the books."""

    def __init__(self, board: Switchboard) -> None:
        self.board = board
        self._last: dict[str, asyncio.Task[None]] = {}
        self._early: list[asyncio.Task[None]] = []
        self._http: httpx.AsyncClient | None = None
        board.on_placed.append(self._follow)

    def campaign(self, url: str | None, body: dict[str, Any], at: float) -> None:
        """Send a campaign's webhook, signed with a timestamp as documented, up to five times."""
        if url is None:
            return
        whole = json.dumps({**body, "timestamp": zoned(at)}).encode()
        secret, chain = self.board.options.webhook_secret, body["campaign_id"]
        self._hand_over(chain, _Parcel(url, body["event"], whole, "x-vaani-signature", secret, len(DELAYS_S)))

    def test(self) -> None:
        """What the dashboard's test button sends."""
        now, url = self.board.clock.now(), self.board.options.webhook_url
        body = {"event": "webhook_test", "events": list(webhooks.EVENTS), "timestamp": zoned(now)}
        if url is not None:
            self._hand_over("test", self._parcel(url, "webhook_test", body))

    def spoken(self, call: Call) -> dict[str, Any]:
        """Transcript and summary of a call, as a campaign's webhook has them."""
        if call.life.answered_at is None:
            return {"transcript": None, "summary": None}
        options = self.board.options
        return {"transcript": vaanivoice_rows.transcript(call), "summary": vaanivoice_rows.summary(call, options)}

    async def before_the_answer(self) -> None:
        """Wait until the early webhooks are delivered."""
        early, self._early = self._early, []
        if early:
            await asyncio.gather(*early)

    async def close(self) -> None:
        """Give up what is under way."""
        tasks = list(self._last.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._http is not None:
            await self._http.aclose()

    # --- what happens to a call's webhooks ---------------------------------------------------------------

    def _follow(self, call: Call) -> None:
        """Plan the events of a call that was placed just now."""
        options = self.board.options
        if options.webhook_url is None or call.order.dialect != "vaanivoice":
            return
        for event in webhooks.events_of(call, options, f"http://{self.board.address}"):
            dice = Random(f"{options.seed}/webhook/{call.call_id}/{event.kind}")  # noqa: S311 - to be repeated
            faults = {name for name, chance in options.webhook_faults.items() if dice.random() < chance}
            if "early" in faults:
                self._happen(call, event, faults, call.life.accepted_at)
                self._early += [task for task in (self._last.get(call.call_id),) if task is not None]
            else:
                self.board.agenda.at(event.at, partial(self._happen, call, event, faults))

    def _happen(self, call: Call, event: Event, faults: set[str], at: float) -> None:
        options = self.board.options
        if options.webhook_url is None:
            return
        parcel = self._parcel(options.webhook_url, event.kind, webhooks.body_of(event, call, options))
        if "forged" in faults:
            lie = Event(at, "call_failed", {"status": "failed", "error": "FORGED"})
            body = json.dumps(webhooks.body_of(lie, call, options)).encode()
            forged = _Parcel(parcel.url, lie.kind, body, parcel.scheme, FORGED_SECRET, 1, "forged")
            self._hand_over(call.call_id, forged)
        if "lost" in faults:
            self.board.books.webhooks.append(Delivery(at, event.kind, 0, None, "lost"))
            return
        for _ in range(2 if "repeated" in faults else 1):
            self._hand_over(call.call_id, parcel)

    def _parcel(self, url: str, kind: str, body: dict[str, Any]) -> _Parcel:
        options = self.board.options
        tries = min(max(options.webhook_attempts, 1), len(DELAYS_S))
        whole = json.dumps(body).encode()
        return _Parcel(url, kind, whole, options.webhook_signature, options.webhook_secret, tries)

    # --- sending -----------------------------------------------------------------------------------------

    def _hand_over(self, chain: str, parcel: _Parcel, number_of: int = 1, first_at: float | None = None) -> None:
        """Send after what went before in the same chain; must be called inside the server's event loop."""
        before = self._last.get(chain)
        started = self.board.clock.now() if first_at is None else first_at

        async def send() -> None:
            if before is not None:
                await asyncio.wait([before])
            taken = await self._send(parcel, number_of)
            if not taken and number_of < parcel.tries:
                again: Callable[[float], None] = lambda _: self._hand_over(chain, parcel, number_of + 1, started)  # noqa: E731
                self.board.agenda.at(started + DELAYS_S[number_of], again)

        task = self._last[chain] = asyncio.get_running_loop().create_task(send())
        task.add_done_callback(lambda done: self._last.pop(chain) if self._last.get(chain) is done else None)

    async def _send(self, parcel: _Parcel, number_of: int) -> bool:
        now = self.board.clock.now()
        headers = webhooks.signed(parcel.scheme, parcel.secret, parcel.kind, parcel.body, now)
        status: int | None = None
        try:
            answer = await self._client().post(
                parcel.url, content=parcel.body, headers={"Content-Type": "application/json", **headers}
            )
            status = answer.status_code
        except (httpx.HTTPError, httpx.InvalidURL):
            status = None
        self.board.books.webhooks.append(Delivery(now, parcel.kind, number_of, status, parcel.fault))
        return status is not None and 200 <= status < 300

    def _client(self) -> httpx.AsyncClient:
        if self._http is None:
            self._http = httpx.AsyncClient(timeout=ANSWER_WITHIN_S, trust_env=False)
        return self._http
