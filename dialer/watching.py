"""Joins what is counted to the port where it is asked for."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial

from prometheus_client import CollectorRegistry, disable_created_metrics

from config import Settings
from dialer.adapters.ledger.stock import SqlStock
from dialer.adapters.local.system_clock import SystemClock
from dialer.adapters.metrics.counters import CallMeter
from dialer.adapters.metrics.endpoint import answering
from dialer.adapters.metrics.requests_seen import RequestsSeen
from dialer.adapters.metrics.stock_gauges import StockGauges
from dialer.bootstrap import may_use, open_pacer
from dialer.control_room import open_ledger
from dialer.pipeline.take_stock import TakeStock
from dialer.provider_access import account_limits


class Watch:
    """What one process counts, and its port. One process has one."""

    def __init__(self, settings: Settings) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each counter, which nobody asks for
        self.settings, self.registry = settings, CollectorRegistry()
        self.meter = CallMeter(SystemClock(), self.registry)
        self._parts: dict[str, Callable[[], Sequence[str] | Awaitable[Sequence[str]]]] = {}

    def requests_seen(self) -> RequestsSeen:
        """Counts requests to the page and the API."""
        return RequestsSeen(self.registry)

    def name_accounts(self, accounts: Iterable[str]) -> None:
        """Accounts of this process: what never happened is 0 from the beginning."""
        for account in accounts:
            self.meter.account(account)

    def ask(self, part: str, unwell: Callable[[], Sequence[str] | Awaitable[Sequence[str]]]) -> None:
        """One more part of the process that must be well for it to be ready; ``unwell`` names what of it is not."""
        self._parts[part] = unwell

    async def not_ready(self) -> list[str]:
        """What keeps the process from being ready, such as "worker: redis"."""
        ailing: list[str] = []
        for part, unwell in self._parts.items():
            said = unwell()
            words = await said if isinstance(said, Awaitable) else said
            ailing += [f"{part}: {word}" for word in words]
        return ailing

    def answering(self) -> AbstractAsyncContextManager[None]:
        """Answer at the port while the block runs. Raises CannotServe."""
        return answering(self.settings.metrics_port, self.registry, self.not_ready)

    async def keep_stock(self) -> None:
        """Show what the ledger knows, over a ledger of its own: no page waits for it. Until cancelled."""
        async with open_stock(self.settings) as stock:
            await stock.keep(StockGauges(stock.clock, self.registry).show)


@asynccontextmanager
async def open_stock(settings: Settings) -> AsyncIterator[TakeStock]:
    """The room that counts what the ledger knows. Raises LedgerUnavailable."""
    async with open_ledger(settings) as ledger, open_pacer(settings, ledger) as pacer:
        yield TakeStock(
            ledger,
            ledger.people,
            SqlStock(ledger.people.store),
            ledger.clock,
            account_limits(settings),
            partial(may_use, settings),
            pacer.state if pacer else None,
        )
