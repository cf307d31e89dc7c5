"""Two workers, one login whose refresh token is good for one renewal: who comes second takes what the first one got."""

import sqlite3
from random import Random

from dialer.adapters.ledger import SqlLedger
from dialer.adapters.providers.http.requests import Endpoint
from dialer.adapters.providers.vaani.adapter import Vaani
from dialer.domain.call import CallRequest, NotPlaced, Placed
from tests.fakes.clock import ManualClock
from tests.raw_server import Line, Permit, RawServer, StoppedClock, raw_server

REQUEST = CallRequest("token-1", "+14155550100", "+14155550123", "Ann")


class Rotating:
    """Lets in who wears the newest access token; the newest refresh token is good for one renewal."""

    def __init__(self) -> None:
        self.renewals = 0
        self.access, self.refresh = "a0", "r0"

    def expire(self) -> None:
        """The access token runs out."""
        self.access = "none"

    async def __call__(self, line: Line) -> None:
        while True:
            request = await line.read_request()
            cookie = request.headers.get("cookie", "")
            if request.target == "/auth/refresh":
                if f"refresh_token={self.refresh}" not in cookie:
                    await line.answer(401, b'{"detail":"Invalid refresh token"}')
                    continue
                self.renewals += 1
                self.access, self.refresh = f"a{self.renewals}", f"r{self.renewals}"
                both = f"set-cookie: access_token={self.access}\r\nset-cookie: refresh_token={self.refresh}\r\n"
                await line.answer(200, b"{}", both)
            elif f"access_token={self.access}" in cookie:
                await line.answer(200, b'{"success":true}')
            else:
                await line.answer(401, b'{"detail":"Invalid or missing token"}')


def worker(server: RawServer, ledger: SqlLedger, seed: int) -> Vaani:
    endpoint = Endpoint(base_url=server.url, access_token="a0", refresh_token="r0", logins=ledger, timeout_s=60.0)
    return Vaani(endpoint, StoppedClock(), Random(seed))


async def test_who_comes_second_and_who_starts_later_go_on(sqlite_ledger_url: str, clock: ManualClock) -> None:
    ledger, provider = await SqlLedger.open(sqlite_ledger_url, clock), Rotating()
    async with raw_server(provider) as server:
        workers = [worker(server, ledger, seed) for seed in (1, 2)]
        for turn in range(3):
            provider.expire()
            for one in workers if turn % 2 else reversed(workers):
                assert isinstance(await one.place(REQUEST, Permit()), Placed)
            assert provider.renewals == turn + 1
        provider.expire()
        late = worker(server, ledger, 3)
        assert isinstance(await late.place(REQUEST, Permit()), Placed), "the tokens of the environment are used up"
        assert provider.renewals == 4
        for one in (*workers, late):
            await one.aclose()
    await ledger.aclose()


async def test_a_ledger_that_is_away_puts_the_call_off(sqlite_ledger_url: str, clock: ManualClock) -> None:
    ledger, provider = await SqlLedger.open(sqlite_ledger_url, clock), Rotating()
    with sqlite3.connect(sqlite_ledger_url.removeprefix("sqlite:///")) as other:
        other.execute("DROP TABLE logins")
    provider.expire()
    async with raw_server(provider) as server:
        one = worker(server, ledger, 1)
        result = await one.place(REQUEST, Permit())
        await one.aclose()
    await ledger.aclose()
    assert isinstance(result, NotPlaced) and not result.halt
