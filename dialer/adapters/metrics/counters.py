"""Counts what happens in this process. No label holds a number, a name, a key or what a provider wrote."""

import platform
from collections.abc import Mapping
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.process_collector import ProcessCollector

from dialer import __version__
from dialer.domain.attempt import AttemptState
from dialer.domain.call import CallLog, NotPlaced, Placed, PlaceResult, Refused, Unknown
from dialer.domain.contact import ContactStatus
from dialer.domain.turned_away import word_of
from dialer.ports import Admitted, Clock, GateAnswer
from dialer.ports.meter import Meter

Measure = TypeVar("Measure", Counter, Histogram)

RESULTS = {Placed: "placed", Refused: "refused", NotPlaced: "not_placed", Unknown: "unknown"}
REQUEST_S = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
TALK_S = (5, 15, 30, 60, 120, 300, 600, 1800)
DIAL_S = (0.5, 1, 2, 5, 10, 30, 60, 300)
OUTCOME_S = (1, 5, 10, 30, 60, 120, 300, 900, 3600)
COMMIT_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)
ITEMS = (1, 2, 5, 10, 25, 50, 100, 250, 500)
ENDED_BY = {
    "suppressed": ContactStatus.SUPPRESSED,
    "cap_spent": ContactStatus.EXHAUSTED,
    "too_late": ContactStatus.EXPIRED,
    "reached": ContactStatus.CANCELLED,
}
"""What becomes of a person whom the gate turns away for good."""


class CallMeter(Meter):
    """The counters of calls, over a registry of this process."""

    def __init__(self, clock: Clock, registry: CollectorRegistry) -> None:
        self.clock, self.registry = clock, registry
        self._of: dict[tuple[object, ...], Counter | Histogram] = {}
        ProcessCollector(registry=registry)
        build = Gauge("dialer_build_info", "The program that runs.", ("version", "python"), registry=registry)
        build.labels(__version__, platform.python_version()).set(1)
        self._count_calls()
        self._count_log()
        self._count_storage()

    def _count_calls(self) -> None:
        counter, histogram = self._counter, self._histogram
        self.requests = counter("dialer_requests", "Requests to place a call, by result.", "provider", "result")
        self.request_s = histogram(
            "dialer_request_duration_seconds", "From the first byte to the answer.", REQUEST_S, "provider"
        )
        self.verdicts = counter("dialer_gate_verdicts", "What the gate said of attempts.", "verdict", "reason")
        self.attempts_ended = counter(
            "dialer_attempts_ended", "Attempts whose outcome is known.", "provider", "disposition"
        )
        self.contacts_finished = counter("dialer_contacts_finished", "People who became final by a call.", "status")
        self.talk_s = histogram("dialer_talk_duration_seconds", "Talk time of calls.", TALK_S, "provider")
        self.dial_s = histogram(
            "dialer_dial_delay_seconds", "From the moment a call may leave to its first byte.", DIAL_S, "provider"
        )
        self.throttled = counter("dialer_throttled", "Requests that the provider had no room for.", "provider", "code")

    def _count_log(self) -> None:
        counter = self._counter
        self.outcome_s = self._histogram(
            "dialer_outcome_delay_seconds", "From the end of a call to its outcome here.", OUTCOME_S, "provider"
        )
        self.log_pages = counter("dialer_log_pages_read", "Pages of call logs that were read.", "provider")
        self.log_rows = counter("dialer_log_rows", "Rows of call logs that were read.", "provider", "match")
        self.log_readings = counter("dialer_log_readings", "Readings of call logs.", "provider", "result")
        self.lies = counter("dialer_provider_lied", "Calls that were said not to be placed, and were.", "provider")

    def _count_storage(self) -> None:
        self.commit_s = self._histogram("dialer_ledger_commit_duration_seconds", "One transaction.", COMMIT_S)
        self.batch = self._histogram("dialer_ledger_batch_items", "What goes into one transaction.", ITEMS)
        self.redis_errors = self._counter("dialer_redis_errors", "Commands that did not get through to Redis.")

    def judged(self, answer: GateAnswer) -> None:
        if isinstance(answer, Admitted):
            self._one(self.verdicts, "admitted", "").inc()
            return
        for_good = answer.state is AttemptState.CANCELLED
        word = word_of(answer.why, for_good=for_good)
        if word:
            self._one(self.verdicts, "ended" if for_good else "deferred", word).inc()
        if for_good and word in ENDED_BY:
            self.finished(ENDED_BY[word])

    def asked(self, account: str, result: PlaceResult, delay_s: float | None, took_s: float | None) -> None:
        self._one(self.requests, account, RESULTS[type(result)]).inc()
        if delay_s is not None:
            self._one(self.dial_s, account).observe(delay_s)
        if took_s is not None:
            self._one(self.request_s, account).observe(took_s)
        if isinstance(result, NotPlaced) and result.throttled:
            self._one(self.throttled, account, str(result.http_status or "none")).inc()

    def ended(self, account: str, call: CallLog) -> None:
        self._one(self.attempts_ended, account, str(call.disposition)).inc()
        if call.duration_s:
            self._one(self.talk_s, account).observe(call.duration_s)
        if call.ended_at is not None:
            self._one(self.outcome_s, account).observe(max(0.0, self.clock.now() - call.ended_at))

    def absent(self, account: str, dispositions: Mapping[str, int]) -> None:
        for disposition, attempts in dispositions.items():
            self._one(self.attempts_ended, account, disposition).inc(attempts)

    def finished(self, status: ContactStatus) -> None:
        self._one(self.contacts_finished, str(status)).inc()

    def read(self, account: str, pages: int, result: str) -> None:
        self._one(self.log_pages, account).inc(pages)
        self._one(self.log_readings, account, result).inc()

    def rows(self, account: str, match: str, rows: int) -> None:
        self._one(self.log_rows, account, match).inc(rows)

    def lied(self, account: str, calls: int) -> None:
        self._one(self.lies, account).inc(calls)

    def committed(self, took_s: float, items: int) -> None:
        self.commit_s.observe(took_s)
        self.batch.observe(items)

    def redis_failed(self) -> None:
        self.redis_errors.inc()

    def account(self, account: str) -> None:
        """An account of this process: what never happened yet is 0 and not missing."""
        for result in RESULTS.values():
            self._one(self.requests, account, result)
        for match in ("ours", "known", "unexplained", "unmapped"):
            self._one(self.log_rows, account, match)
        self._one(self.lies, account)

    def _counter(self, name: str, says: str, *labels: str) -> Counter:
        return Counter(name, says, labels, registry=self.registry)

    def _histogram(self, name: str, says: str, bounds: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(name, says, labels, buckets=bounds, registry=self.registry)

    def _one(self, measure: Measure, *labels: str) -> Measure:
        """The one with these labels, which is looked up at every call: the library's own way costs ten times as much.

        The threads that ask may both make it; it is the same.
        """
        key = (measure, *labels)
        one = self._of.get(key)
        if one is None:
            one = self._of[key] = measure.labels(*labels)
        return one  # type: ignore[return-value]
