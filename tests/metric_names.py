"""Every metric that the program registers, by the names that Prometheus sees."""

from functools import cache

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from dialer.adapters.local.system_clock import SystemClock
from dialer.adapters.metrics.counters import CallMeter
from dialer.adapters.metrics.requests_seen import RequestsSeen
from dialer.adapters.metrics.stock_gauges import StockGauges


def names_of(text: str) -> set[str]:
    """The names of samples in an answer of /metrics."""
    return {sample.name for family in text_string_to_metric_families(text) for sample in family.samples}


@cache
def registered() -> frozenset[str]:
    """All names, with those of a histogram's parts, whether or not anything was counted yet."""
    registry = CollectorRegistry()
    CallMeter(SystemClock(), registry)
    RequestsSeen(registry)
    StockGauges(SystemClock(), registry)
    names = set()
    for family in registry.collect():
        suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}.get(family.type, ("",))
        names |= {family.name + suffix for suffix in suffixes}
    return frozenset(names | names_of(generate_latest(registry).decode()))
