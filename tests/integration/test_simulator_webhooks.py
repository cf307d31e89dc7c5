"""The webhooks of calls: kinds, shapes, signatures, and what goes wrong with them (wire contract, section 3.13)."""

import hmac
from hashlib import sha256
from typing import Any

import pytest

from dialer.simulator.webhooks import EVENTS
from tests.simulator_support import line
from tests.webhook_receiver import receiver

SECRET = "shared"
ANSWERED = ["call_started", "call_ringing", "user_picked_up_at", "call_ended", "call_postprocessing"]


def hex_of(message: bytes) -> str:
    return hmac.new(SECRET.encode(), message, sha256).hexdigest()


@pytest.mark.parametrize(
    ("outcome", "events"),
    [
        ("answered", ANSWERED),
        ("voicemail", ANSWERED),
        ("busy", ["call_started", "call_rejected"]),
        ("rejected", ["call_started", "call_ringing", "call_rejected"]),
        ("no_answer", ["call_started", "call_ringing", "call_no_answer"]),
        ("failed", ["call_started", "call_failed"]),
    ],
)
async def test_a_calls_events_come_in_order(outcome: str, events: list[str]) -> None:
    async with receiver() as hooks, line(webhook_url=hooks.url, outcomes={outcome: 1.0}) as it:
        call_id = (await it.trigger()).json()["output"]["call_id"]
        it.clock.advance(100)
        taken = await hooks.until(len(events))
        assert hooks.events == events
        assert {one.body["room_name"] for one in taken} == {call_id}
        assert set(events) <= set(EVENTS)


async def test_each_comes_at_its_moment() -> None:
    async with receiver() as hooks, line(webhook_url=hooks.url) as it:
        await it.trigger()
        for seconds, count in ((1.0, 1), (1.0, 2), (3.0, 3), (10.0, 4), (2.0, 5)):
            it.clock.advance(seconds)
            await hooks.until(count)
        assert hooks.events == ANSWERED
        started, _, picked_up, ended, results = (one.body for one in hooks.taken)
        assert (started["status"], started["phone_number"]) == ("dialing", "+919876543210")
        assert picked_up["status"] == "active"
        assert (ended["call_duration"], ended["end_reason"]) == (10.0, "AGENT_REQUESTED_DISCONNECT")
        assert (results["call_duration"], results["transcript"][:6]) == (10_000, "AGENT:")
        assert results["recording_url"].endswith(f"/api/stream/{results['room_name']}")
        while len(it.simulator.books.webhooks) < 5:
            await it.http.get("/api/health")
        assert [sent.status for sent in it.simulator.books.webhooks] == [200] * 5
        assert (await it.http.get("/_sim/summary")).json()["webhooks"] == dict.fromkeys(ANSWERED, 1)


async def test_the_captured_shape_nests_and_details_on_request() -> None:
    switches: dict[str, Any] = {"webhook_form": "nested", "webhook_details": True, "webhook_duration": "s"}
    async with receiver() as hooks, line(webhook_url=hooks.url, **switches) as it:
        call_id = (await it.trigger()).json()["output"]["call_id"]
        it.clock.advance(100)
        started, *_, ended, results = (one.body for one in await hooks.until(5))
        assert set(started) == {"event", "timestamp", "data", "from"}
        assert (started["data"]["call_id"], started["data"]["room_name"]) == (call_id, call_id)
        assert started["timestamp"] == "2026-09-21T14:13:21.000000Z"
        assert set(ended["data"]) >= {"call_started_at", "picked_up_at", "call_ended_at", "technical_issue"}
        assert "picked_up_at" not in started["data"]
        assert (results["data"]["call_duration"], results["data"]["dispositions"]) == (
            10.0,
            {"call_disposition": "completed"},
        )


@pytest.mark.parametrize(
    ("transfer", "last"),
    [("successful", "human_transfer_successful"), ("failed", "human_transfer_failed")],
)
async def test_a_call_may_be_handed_to_a_human(transfer: str, last: str) -> None:
    async with receiver() as hooks, line(webhook_url=hooks.url, webhook_transfer=transfer) as it:
        await it.trigger()
        it.clock.advance(100)
        await hooks.until(7)
        assert hooks.events == [*ANSWERED[:3], "human_transfer_initiated", last, *ANSWERED[3:]]


@pytest.mark.parametrize("scheme", ["x-webhook-signature", "x-webhook-signature-bare", "vaani-signature"])
async def test_the_raw_body_is_signed(scheme: str) -> None:
    switches = {"webhook_signature": scheme, "webhook_secret": SECRET}
    async with receiver() as hooks, line(webhook_url=hooks.url, **switches) as it:
        await it.trigger()
        it.clock.advance(1)
        (one,) = await hooks.until(1)
        digest = hex_of(one.raw)
        assert {name: value for name, value in one.headers.items() if "signature" in name or "event" in name} == {
            "x-webhook-signature": {"x-webhook-event": "call_started", "x-webhook-signature": f"sha256={digest}"},
            "x-webhook-signature-bare": {"x-webhook-event": "call_started", "x-webhook-signature": digest},
            "vaani-signature": {"vaani-signature": digest},
        }[scheme]


async def test_a_timestamp_may_be_signed_with_it() -> None:
    switches = {"webhook_signature": "x-vaani-signature", "webhook_secret": SECRET}
    async with receiver() as hooks, line(webhook_url=hooks.url, **switches) as it:
        await it.trigger()
        it.clock.advance(1)
        (one,) = await hooks.until(1)
        stamp = one.headers["x-vaani-timestamp"]
        assert int(stamp) == it.clock.now()
        assert one.headers["x-vaani-signature"] == "sha256=" + hex_of(stamp.encode() + b"." + one.raw)


async def test_a_webhook_may_be_lost_or_come_twice() -> None:
    async with receiver() as hooks, line(webhook_url=hooks.url, webhook_faults={"lost": 1.0}) as it:
        await it.trigger()
        it.clock.advance(100)
        await it.http.post("/_sim/options", json={"webhook_faults": {"repeated": 1.0}})
        await it.trigger("+919876543211")
        it.clock.advance(100)
        await hooks.until(10)
        assert hooks.events == [event for event in ANSWERED for _ in range(2)]
        assert [sent.fault for sent in it.simulator.books.webhooks[:5]] == ["lost"] * 5


async def test_a_webhook_may_come_before_the_answer() -> None:
    async with receiver() as hooks, line(webhook_url=hooks.url, webhook_faults={"early": 1.0}) as it:
        answer = await it.trigger()
        assert hooks.events == ANSWERED
        assert hooks.taken[0].body["room_name"] == answer.json()["output"]["call_id"]


async def test_a_forged_one_has_the_wrong_signature() -> None:
    switches: dict[str, Any] = {"webhook_signature": "vaani-signature", "webhook_secret": SECRET}
    faults = {"webhook_faults": {"forged": 1.0}}
    async with receiver() as hooks, line(webhook_url=hooks.url, **switches, **faults) as it:
        await it.trigger()
        it.clock.advance(1)
        forged, real = await hooks.until(2)
        assert (forged.body["event"], real.body["event"]) == ("call_failed", "call_started")
        assert real.headers["vaani-signature"] == hex_of(real.raw)
        assert forged.headers["vaani-signature"] != hex_of(forged.raw)


async def test_one_that_is_not_taken_is_tried_again_later() -> None:
    async with (
        receiver([500, 503]) as hooks,
        line(webhook_url=hooks.url, webhook_attempts=5, outcomes={"failed": 1.0}) as it,
    ):
        await it.trigger()
        it.clock.advance(1)
        await hooks.until(1)
        it.clock.advance(1)
        await hooks.until(2)
        assert hooks.events == ["call_started", "call_failed"]
        it.clock.advance(5)
        await hooks.until(4)
        assert hooks.events[2:] == ["call_started", "call_failed"]
        while len(it.simulator.books.webhooks) < 4:
            await it.http.get("/api/health")
        it.clock.advance(700)
        await it.http.get("/api/health")
        tries = [(sent.event, sent.number_of, sent.status) for sent in it.simulator.books.webhooks]
        assert tries == [
            ("call_started", 1, 500),
            ("call_failed", 1, 503),
            ("call_started", 2, 200),
            ("call_failed", 2, 200),
        ]


@pytest.mark.parametrize("wrong", [{"lost": 2.0}, {"burnt": 0.5}])
async def test_wrong_faults_are_named(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="webhook_faults: lost, repeated, early, forged"):
        async with line(webhook_faults=wrong):
            pass


async def test_the_test_button() -> None:
    async with receiver() as hooks, line(webhook_url=hooks.url) as it:
        assert (await it.http.post("/_sim/webhook-test")).json() == {"sent": True}
        (one,) = await hooks.until(1)
        assert (one.body["event"], one.body["events"]) == ("webhook_test", list(EVENTS))


async def test_nobody_who_listens_is_no_harm() -> None:
    async with line(webhook_url="http://127.0.0.1:9/") as it:
        await it.trigger()
        it.clock.advance(100)
        while len(it.simulator.books.webhooks) < 5:
            await it.http.get("/_sim/summary")
        assert {sent.status for sent in it.simulator.books.webhooks} == {None}
