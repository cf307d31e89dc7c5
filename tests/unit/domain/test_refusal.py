"""Whom a refusal is about, by the words that providers use in public."""

import pytest

from dialer.domain.refusal import FEW, About, is_everybodys
from dialer.domain.refusal import About as A
from dialer.domain.refusal import about as read

WORDS = [
    ("Agent not found", A.AGENT),
    ("Agent is not published", A.AGENT),
    ("Agent with phone number +14155550100 not found", A.AGENT),
    ("badly formed hexadecimal UUID string for agent", A.AGENT),
    ("Unknown assistant", A.AGENT),
    ("From phone number is not verified", A.CALLER_ID),
    ("outbound number +14155550100 does not belong to this account", A.CALLER_ID),
    ("Invalid phone number format for agent_phone_number", A.CALLER_ID),
    ("Agent has no phone number configured", A.CALLER_ID),
    ("Outbound trunk missing for this phone number", A.TRUNK),
    ("No SIP trunk is configured for this phone number", A.TRUNK),
    ("Your trial has expired, please upgrade your plan", A.ACCOUNT),
    ("KYC pending", A.ACCOUNT),
    ("Account suspended, contact support", A.ACCOUNT),
    ("Your subscription is not active", A.ACCOUNT),
    ("wallet exhausted", A.CREDIT),
    ("Insufficient balance", A.CREDIT),
    ("Please recharge", A.CREDIT),
    ("Concurrency limit reached: 3 of 3 calls are active", A.LIMIT),
    ("User channel limit exceeded", A.LIMIT),
    ("reach concurrency limit", A.LIMIT),
    ("Too many requests. Please try again later", A.LIMIT),
    ("RATE LIMITED", A.LIMIT),
    ("Daily call limit for this number", A.NUMBER_LIMIT),
    ("Calls to this country are not enabled for your account", A.PERSON),
    ("Insufficient balance for this destination", A.PERSON),
    ("blocked by the customer", A.PERSON),
    ("Destination number not found", A.NUMBER),
    ("Invalid phone number format", A.NUMBER),
    ("contact is on the DND list", A.DO_NOT_DISTURB),
    ("outside TRAI hours", A.HOURS),
    ("name is too long: limit exceeded, 100 characters", A.NOTHING),
    ("Bad Request", A.NOTHING),
    ("Forbidden", A.NOTHING),
]


@pytest.mark.parametrize(("text", "expected"), WORDS, ids=[text for text, _ in WORDS])
def test_words(text: str, expected: About) -> None:
    assert read(text) is expected


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("agent_id", A.AGENT),
        ("agent_phone_number", A.CALLER_ID),
        ("outbound_number", A.CALLER_ID),
        ("sip_trunk_id", A.TRUNK),
        ("contact_number", A.NUMBER),
        ("phone_number_to_dial", A.NUMBER),
        ("metadata", A.NOTHING),
    ],
)
def test_the_field_that_a_validation_error_names(field: str, expected: About) -> None:
    assert read("value is no good", [field]) is expected


def test_ten_in_a_row_are_everybodys_whatever_the_words() -> None:
    for what in (A.NOTHING, A.NUMBER, A.PERSON):
        assert not is_everybodys([what] * (FEW - 1), accepted_before=True, over=False)
        assert is_everybodys([what] * FEW, accepted_before=True, over=False)


def test_do_not_disturb_counts_only_where_nobody_was_ever_accepted() -> None:
    assert is_everybodys([A.DO_NOT_DISTURB] * FEW, accepted_before=False, over=False)
    assert not is_everybodys([A.DO_NOT_DISTURB] * 50, accepted_before=True, over=True)


def test_at_the_end_of_a_small_list_words_that_name_nobody_are_enough() -> None:
    assert is_everybodys([A.NOTHING], accepted_before=False, over=True)
    assert not is_everybodys([A.NUMBER] * 3, accepted_before=False, over=True)
    assert not is_everybodys([A.NOTHING] * 2, accepted_before=True, over=True)
    assert is_everybodys([A.NOTHING] * 3, accepted_before=True, over=True)
