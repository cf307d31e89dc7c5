"""What the ledger knows, as it was last read: a scrape reads nothing."""

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from dialer.domain.campaign import OVER, CampaignStatus
from dialer.ports import Clock
from dialer.ports.stock import AccountStock, CampaignStock, Stock

Values = Iterable[tuple[tuple[str, ...], float | None]]


class StockGauges(Collector):
    """``show`` hands over a new stock."""

    def __init__(self, clock: Clock, registry: CollectorRegistry) -> None:
        self.clock = clock
        self.stock = Stock(0.0, {}, {}, {})
        registry.register(self)

    def show(self, stock: Stock) -> None:
        """From now on this is what is so."""
        self.stock = stock

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Every gauge; all are named also while nothing was read yet."""
        stock = self.stock
        yield _gauge("stock_age_seconds", "How old these numbers are.", (), [((), self._age(stock.at or None))])
        shown = [(str(status), stock.statuses.get(status, 0)) for status in CampaignStatus if status not in OVER]
        values = [((status,), float(count)) for status, count in shown if stock.at]
        yield _gauge("campaigns", "Campaigns that are not over.", ("status",), values)
        yield from self._accounts(stock.accounts.items())
        yield from self._campaigns(stock.campaigns.items())

    def _accounts(self, accounts: Iterable[tuple[str, AccountStock]]) -> Iterator[GaugeMetricFamily]:
        accounts = list(accounts)

        def each(name: str, says: str, values: Iterable[float | None]) -> GaugeMetricFamily:
            by_name = zip([(account,) for account, _ in accounts], values, strict=True)
            return _gauge(name, says, ("provider",), by_name)

        of = [stock for _, stock in accounts]
        rates = [
            ((name, kind), rate)
            for name, one in accounts
            for kind, rate in (("configured", one.configured_per_s), ("learned", one.learned_per_s))
        ]
        yield _gauge("rate_calls_per_second", "Calls a second; 0: no limit.", ("provider", "kind"), rates)
        yield each("lines_used", "Calls that are on.", (one.lines_used for one in of))
        yield each("lines_limit", "Calls that may be on; 0: no limit.", (one.lines_limit for one in of))
        yield each("brake_seconds_left", "For so long no call leaves.", (self._left(one.braked_until) for one in of))
        states = [((name, state), float(count)) for name, one in accounts for state, count in _states(one)]
        yield _gauge("attempts", "Attempts that are not over.", ("provider", "state"), states)
        yield each("oldest_due_seconds", "How long somebody may be called already.", (self._due(one) for one in of))
        since = (self._age(one.attempts.unknown_since) or 0.0 for one in of)
        yield each("oldest_unknown_seconds", "How long a call is of unknown fate.", since)
        ages = (self._age(one.log_read_at) for one in of)
        yield each("log_whole_reading_age_seconds", "Since when the log was not read without a gap.", ages)

    def _campaigns(self, campaigns: Iterable[tuple[str, CampaignStock]]) -> Iterator[GaugeMetricFamily]:
        campaigns = list(campaigns)
        people = [
            ((name, str(status)), float(count)) for name, one in campaigns for status, count in one.contacts.items()
        ]
        yield _gauge("campaign_contacts", "People by status.", ("campaign", "status"), people)
        costs = [((name,), one.cost) for name, one in campaigns]
        yield _gauge("campaign_cost", "What the calls cost so far, in the provider's units.", ("campaign",), costs)
        budgets = [((name,), one.budget or None) for name, one in campaigns]
        yield _gauge("campaign_budget", "What they may cost.", ("campaign",), budgets)
        ages = [((name,), self._age(one.source_read_at)) for name, one in campaigns]
        yield _gauge("source_age_seconds", "Since when a source was not read whole.", ("campaign",), ages)

    def _age(self, at: float | None) -> float | None:
        return None if at is None else max(0.0, self.clock.now() - at)

    def _due(self, one: AccountStock) -> float:
        return self._age(one.due_since) or 0.0

    def _left(self, until: float | None) -> float:
        return 0.0 if until is None else max(0.0, until - self.clock.now())


def _states(one: AccountStock) -> tuple[tuple[str, int], ...]:
    now = one.attempts
    return (
        ("planned", one.planned),
        ("queued", one.queued),
        ("dialing", now.dialing),
        ("placed", now.placed),
        ("unknown", now.unknown),
        ("review", now.review),
    )


def _gauge(name: str, says: str, labels: tuple[str, ...], values: Values) -> GaugeMetricFamily:
    """What is None is left out."""
    family = GaugeMetricFamily(f"dialer_{name}", says, labels=labels)
    for given, value in values:
        if value is not None:
            family.add_metric(given, value)
    return family
