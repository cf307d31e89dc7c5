"""Webhooks of api.vaanivoice.ai: every event, flat and nested, and who signed it."""

import hmac
import json
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.adapters.providers.vaanivoice.signatures import verify_webhook
from dialer.adapters.providers.vaanivoice.webhooks import TERMINAL, WebhookKind, parse_webhook
from dialer.errors import AnswerUnreadable, WebhookForged

SECRET = "not-a-real-secret"
NOW = 1_790_000_000.0
BODY = b'{"event":"call_started","room_name":"outbound-1-a"}'
FIELDS: dict[str, dict[str, Any]] = {
    "call_started": {"status": "dialing"},
    "call_ringing": {"status": "ringing"},
    "user_picked_up_at": {"status": "active"},
    "call_rejected": {"status": "rejected"},
    "call_no_answer": {"status": "no_answer"},
    "call_failed": {"status": "failed", "error": "SIP_404_NOT_FOUND"},
    "human_transfer_initiated": {"transfer_type": "warm"},
    "human_transfer_successful": {"agent_identity": "desk"},
    "human_transfer_failed": {"reason": "busy", "sip_status": "486"},
    "call_ended": {"call_duration": 12.5, "end_reason": "AGENT_REQUESTED_DISCONNECT"},
    "call_postprocessing": {"call_duration": 12500, "summary": "Short", "entities": {"a": 1}, "recording_url": "u"},
    "webhook_test": {"events": ["call_started"]},
    "campaign.status_changed": {"campaign_id": "k", "old_status": "active", "new_status": "paused", "stats": {"x": 1}},
    "campaign.completed": {"campaign_id": "k"},
    "campaign.cancelled": {"campaign_id": "k"},
    "call.completed": {"call_duration_seconds": 7, "call_outcome": "won"},
    "call.failed": {"call_status": "failed"},
    "call.no_answer": {"call_status": "no_answer"},
}


def test_every_kind_is_here() -> None:
    assert set(FIELDS) == set(WebhookKind)


@pytest.mark.parametrize("event", FIELDS)
@pytest.mark.parametrize("nested", [False, True])
def test_every_kind_is_read_flat_and_nested(event: str, nested: bool) -> None:
    fields = {**FIELDS[event], "room_name": "outbound-1-a", "phone_number": "+14155550123"}
    body = {"event": event, "timestamp": "2026-11-21T10:00:00Z", **({"data": fields} if nested else fields)}
    found = parse_webhook(json.dumps(body).encode())
    assert found.kind == event and found.is_terminal == (event in TERMINAL)
    assert (found.call_id, found.phone_number) == ("outbound-1-a", "+14155550123")
    assert found.timestamp is not None and found.timestamp.timestamp() == 1_795_255_200
    assert found.raw == body
    told = {name: value for name, value in FIELDS[event].items() if name != "events"}
    assert {name: getattr(found, name) for name in told} == told


def test_what_the_dashboard_adds_is_read() -> None:
    data = {"call_id": "c1", "room_name": "c1", "dispositions": {"call_disposition": "won"}, "technical_issue": False}
    body = {"event": "call_ended", "timestamp": 1_795_255_200, "from": "+14155550199", "data": data}
    body["call_started_at"] = "2026-11-21T10:00:00"
    found = parse_webhook(body)
    assert (found.from_number, found.dispositions, found.technical_issue) == (
        "+14155550199",
        data["dispositions"],
        False,
    )
    assert found.started_at is not None and found.started_at.tzinfo is None
    assert found.timestamp is not None and found.timestamp.timestamp() == 1_795_255_200


def test_a_duration_is_told_only_where_its_unit_is_sure() -> None:
    told = [
        ("call_ended", "call_duration"),
        ("call_postprocessing", "call_duration"),
        ("call.failed", "call_duration_seconds"),
    ]
    assert [parse_webhook({"event": event, name: 9}).duration_s for event, name in told] == [9.0, None, 9.0]


def test_a_campaigns_call_names_its_contact() -> None:
    found = parse_webhook({"event": "call.completed", "call_id": "c", "contact": {"name": "A", "phone": "14155550123"}})
    assert found.phone_number == "+14155550123"


def test_an_event_that_no_list_knows_is_kept() -> None:
    found = parse_webhook({"event": "call_teleported", "room_name": "r"})
    assert (found.event, found.kind, found.call_id, found.is_terminal) == ("call_teleported", None, "r", False)


@pytest.mark.parametrize("body", [b"", b"<xml>", b"[]", b"null", b"{}", b'{"event": null}', b'{"event":{}}', "\ud800"])
def test_what_is_no_event_is_refused(body: bytes) -> None:
    with pytest.raises(AnswerUnreadable):
        parse_webhook(body)


KEYS = st.sampled_from(["event", "data", "contact", "timestamp", "call_id", "x"])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner),
    max_leaves=6,
)


@given(ANYTHING)
def test_nothing_but_an_event_or_our_own_error_comes_out(body: Any) -> None:
    try:
        assert parse_webhook(json.dumps(body)).event
    except AnswerUnreadable as error:
        assert str(error)


def signed(*parts: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), b"".join(parts), sha256).hexdigest()


STAMP = str(int(NOW))
GOOD: list[dict[str, str]] = [
    {"X-Webhook-Signature": f"sha256={signed(BODY)}", "X-Webhook-Event": "call_started"},
    {"x-webhook-signature": signed(BODY)},
    {"Vaani-Signature": f"sha256={signed(BODY)}"},
    {"Vaani-Signature": signed(BODY).upper()},
    {"X-Vaani-Signature": f"sha256={signed(STAMP.encode(), b'.', BODY)}", "X-Vaani-Timestamp": STAMP},
]


@pytest.mark.parametrize("headers", GOOD)
def test_each_scheme_is_believed_and_only_with_the_secret_and_the_very_body(headers: dict[str, str]) -> None:
    verify_webhook(BODY, headers, SECRET, NOW)
    for body, secret in ((BODY + b" ", SECRET), (BODY, "another"), (BODY, "")):
        with pytest.raises(WebhookForged):
            verify_webhook(body, headers, secret, NOW)


@pytest.mark.parametrize("late_s", [-300.0, 300.0])
def test_a_stamped_webhook_is_believed_within_the_window(late_s: float) -> None:
    verify_webhook(BODY, GOOD[-1], SECRET, NOW + late_s)
    with pytest.raises(WebhookForged, match="time"):
        verify_webhook(BODY, GOOD[-1], SECRET, NOW + late_s * 1.01)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Webhook-Signature": ""},
        {"X-Webhook-Signature": "sha256=é"},
        {"X-Vaani-Signature": GOOD[-1]["X-Vaani-Signature"]},
        {"X-Vaani-Signature": GOOD[-1]["X-Vaani-Signature"], "X-Vaani-Timestamp": "soon"},
        {"X-Vaani-Signature": GOOD[-1]["X-Vaani-Signature"], "X-Vaani-Timestamp": str(int(NOW) + 1)},
        {"X-Vaani-Signature": "sha256=0", "X-Vaani-Timestamp": STAMP, "Vaani-Signature": signed(BODY)},
    ],
)
def test_what_is_not_signed_is_forged(headers: dict[str, str]) -> None:
    with pytest.raises(WebhookForged):
        verify_webhook(BODY, headers, SECRET, NOW)
