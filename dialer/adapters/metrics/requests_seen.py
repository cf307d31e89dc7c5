"""Requests to the page and the API, by the template of their route."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

LABELS = ("route", "method", "code")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 10)


class RequestsSeen:
    """Counts over a registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter("dialer_http_requests", "Requests that were answered.", LABELS, registry=registry)
        self._took_s = Histogram(
            "dialer_http_request_duration_seconds", "From a request to its whole answer.", LABELS, buckets=BOUNDS_S,
            registry=registry,
        )  # fmt: skip
        self._streams = Gauge("dialer_sse_clients", "Open event streams.", registry=registry)

    def seen(self, route: str, method: str, code: int, took_s: float | None) -> None:
        """``route``: the template, "" for an address that nobody has; ``took_s`` None: a stream, which takes as long
        as somebody looks.
        """
        labels = (route or "other", method if method in METHODS else "other", str(code))
        self._requests.labels(*labels).inc()
        if took_s is not None:
            self._took_s.labels(*labels).observe(took_s)

    def count_streams(self, streams: Callable[[], int]) -> None:
        """Ask for the number of open streams in this way."""
        self._streams.set_function(streams)
