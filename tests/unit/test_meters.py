"""What is counted, and under which words: a closed set, that holds nobody's number."""

import re
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from dialer.adapters.metrics.counters import CallMeter
from dialer.adapters.metrics.requests_seen import RequestsSeen
from dialer.adapters.metrics.stock_gauges import StockGauges
from dialer.domain.attempt import AttemptState
from dialer.domain.call import CallLog, NotPlaced, Placed, PlaceResult, Refused, Unknown
from dialer.domain.contact import ContactStatus
from dialer.domain.disposition import Disposition
from dialer.domain.turned_away import WORDS, word_of
from dialer.pipeline.odd_rows import TIME_S, OddRows
from dialer.ports import KnownCall, Turned
from dialer.ports.stock import AccountStock, AttemptsNow, CampaignStock, Stock
from tests.fakes.clock import START, ManualClock

ACCOUNT = "vaanivoice"


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def meter(registry: CollectorRegistry) -> CallMeter:
    return CallMeter(ManualClock(), registry)


@pytest.mark.parametrize(
    ("why", "for_good", "word"),
    [
        ("suppressed: asked for it", True, "suppressed"),
        ("campaign paused", False, "paused"),
        ("another call to this number is open", False, "number_busy"),
        ("another call to this person is open", False, "number_busy"),
        ("called at this hour of the day before", False, "other_hour"),
        ("its worker stood still: the line may be gone", False, "late_worker"),
        ("the appointment has passed", True, "too_late"),
        ("the campaign has ended", True, "too_late"),
        ("the person was reached on another number", True, "reached"),
        ("called 3 times, and never again", True, "cap_spent"),
        ("others are asked first, while no call was accepted yet", False, "trial"),
        ("not due yet", False, "not_due"),
        ("attempt is dialing, dispatch 2", False, ""),
    ],
)
def test_why_the_gate_turned_somebody_away_is_one_word(why: str, for_good: bool, word: str) -> None:
    assert word_of(why, for_good=for_good) == word
    assert word in (*WORDS, "")


def test_a_hand_over_that_came_twice_is_no_verdict(meter: CallMeter, registry: CollectorRegistry) -> None:
    meter.judged(Turned(1, AttemptState.DIALING, "attempt is dialing, dispatch 2"))
    meter.judged(Turned(1, AttemptState.CANCELLED, "suppressed: +14155550123 called us"))
    deferred = {"verdict": "deferred", "reason": "not_due"}
    ended = {"verdict": "ended", "reason": "suppressed"}
    assert registry.get_sample_value("dialer_gate_verdicts_total", deferred) is None
    assert registry.get_sample_value("dialer_gate_verdicts_total", ended) == 1
    assert registry.get_sample_value("dialer_contacts_finished_total", {"status": "suppressed"}) == 1


@pytest.mark.parametrize(
    ("result", "word"),
    [
        (Placed("call-1"), "placed"),
        (NotPlaced("busy with +14155550123", throttled=True, http_status=429), "not_placed"),
        (Refused(Disposition.INVALID_NUMBER, "no such number +14155550123"), "refused"),
        (Unknown("the answer was lost"), "unknown"),
    ],
)
def test_an_answer_is_counted_once(
    meter: CallMeter, registry: CollectorRegistry, result: PlaceResult, word: str
) -> None:
    meter.asked(ACCOUNT, result, 0.2, 0.3)
    meter.asked(ACCOUNT, result, None, None)
    assert registry.get_sample_value("dialer_requests_total", {"provider": ACCOUNT, "result": word}) == 2
    assert registry.get_sample_value("dialer_request_duration_seconds_count", {"provider": ACCOUNT}) == 1
    assert registry.get_sample_value("dialer_dial_delay_seconds_sum", {"provider": ACCOUNT}) == 0.2
    throttled = registry.get_sample_value("dialer_throttled_total", {"provider": ACCOUNT, "code": "429"})
    assert throttled == (2 if word == "not_placed" else None)
    labels = [value for one in registry.collect() for sample in one.samples for value in sample.labels.values()]
    assert labels
    assert not [value for value in labels if re.search(r"\d{7}", value)]


def test_how_late_an_outcome_is(meter: CallMeter, registry: CollectorRegistry) -> None:
    meter.ended(ACCOUNT, _call("call-1", ended_at=START - 7, duration_s=40.0))
    labels = {"provider": ACCOUNT}
    assert registry.get_sample_value("dialer_outcome_delay_seconds_sum", labels) == 7
    assert registry.get_sample_value("dialer_talk_duration_seconds_sum", labels) == 40


def _call(call_id: str, **more: Any) -> CallLog:
    given = {"started_at": START - 60, "ended_at": None, "duration_s": None, "disposition": Disposition.ANSWERED} | more
    return CallLog(call_id, "+14155550123", "agent", raw_status="odd +14155550123", **given)


class Known:
    """The ledger, which knows of these calls."""

    def __init__(self, **attempts: int | None) -> None:
        self.attempts = attempts

    async def known_calls(self, account: str, call_ids: list[str]) -> dict[str, KnownCall]:
        return {one: KnownCall(START, self.attempts[one]) for one in call_ids if one in self.attempts}


async def test_a_row_is_unexplained_once_it_had_time(meter: CallMeter, registry: CollectorRegistry) -> None:
    odd = OddRows(Known(ours=4, theirs=None), ACCOUNT, meter)  # type: ignore[arg-type]
    rows = [_call("ours"), _call("theirs"), _call("old", started_at=START - 9000), _call("inbound", outbound=False)]
    await odd.mind(rows, [_call("theirs", unmapped=True)], START - 600, START)
    await odd.mind([], [_call("theirs", unmapped=True)], START - 600, START + TIME_S - 1)

    def counted(match: str) -> float | None:
        return registry.get_sample_value("dialer_log_rows_total", {"provider": ACCOUNT, "match": match})

    assert (counted("unmapped"), counted("unexplained")) == (1, None)
    await odd.mind([], [], START - 600, START + TIME_S)
    await odd.mind([], [], START - 600, START + 2 * TIME_S)
    assert counted("unexplained") == 1


def test_what_was_not_read_yet_is_left_out_and_named(registry: CollectorRegistry) -> None:
    gauges = StockGauges(ManualClock(), registry)
    before = generate_latest(registry).decode()
    assert "# TYPE dialer_oldest_due_seconds gauge" in before
    assert [line for line in before.splitlines() if not line.startswith("#")] == []

    account = AccountStock(
        configured_per_s=2.0, learned_per_s=None, lines_used=3, lines_limit=10, braked_until=START + 30,
        attempts=AttemptsNow(dialing=1, placed=2, unknown=1, review=0, unknown_since=START - 100), planned=5, queued=2,
        due_since=START + 50, log_read_at=START - 4,
    )  # fmt: skip
    campaign = CampaignStock({ContactStatus.REACHED: 7}, 12.5, 0.0, None)
    gauges.show(Stock(START, {ACCOUNT: account}, {"halted": 1}, {"october": campaign}))

    def now(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(f"dialer_{name}", labels)

    assert (now("campaigns", status="halted"), now("campaigns", status="running")) == (1, 0)
    assert now("rate_calls_per_second", provider=ACCOUNT, kind="learned") is None
    assert now("brake_seconds_left", provider=ACCOUNT) == 30
    assert now("oldest_due_seconds", provider=ACCOUNT) == 0
    assert now("oldest_unknown_seconds", provider=ACCOUNT) == 100
    assert now("log_whole_reading_age_seconds", provider=ACCOUNT) == 4
    assert now("campaign_contacts", campaign="october", status="reached") == 7
    assert now("campaign_budget", campaign="october") is None


def test_a_stream_takes_no_time_and_an_odd_address_is_no_label(registry: CollectorRegistry) -> None:
    seen = RequestsSeen(registry)
    seen.seen("", "BREW", 404, 0.01)
    seen.seen("/api/v1/events", "GET", 200, None)
    other = {"route": "other", "method": "other", "code": "404"}
    stream = {"route": "/api/v1/events", "method": "GET", "code": "200"}
    assert registry.get_sample_value("dialer_http_requests_total", other) == 1
    assert registry.get_sample_value("dialer_http_requests_total", stream) == 1
    assert registry.get_sample_value("dialer_http_request_duration_seconds_count", stream) is None
