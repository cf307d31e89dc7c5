"""After this disposition and this many attempts: again when, or never?"""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.domain.contact import FINAL_CONTACTS, ContactStatus
from dialer.domain.disposition import Disposition
from dialer.domain.redial import CallBack, Redial, RedialPolicy, Settle, after_attempt

POLICY = RedialPolicy()


@pytest.mark.parametrize(
    ("disposition", "delay_s"),
    [("no_answer", 7200), ("busy", 900), ("voicemail", 14400), ("failed", 1800), ("unconfirmed", 14400)],
)
def test_who_was_not_reached_is_tried_again_after_the_delay(disposition: str, delay_s: float) -> None:
    word = Disposition(disposition)
    assert after_attempt(POLICY, word, 1, 1000.0) == Redial(1000.0 + delay_s)
    assert after_attempt(POLICY, word, 2, 1000.0) == Redial(1000.0 + delay_s)
    assert after_attempt(POLICY, word, 3, 1000.0) == Settle(ContactStatus.EXHAUSTED)


@pytest.mark.parametrize(
    ("disposition", "status"),
    [("answered", "reached"), ("invalid_number", "invalid"), ("blocked", "suppressed"), ("rejected", "exhausted")],
)
def test_the_rest_is_final_at_once(disposition: str, status: str) -> None:
    assert after_attempt(POLICY, Disposition(disposition), 1, 1000.0) == Settle(ContactStatus(status))


def test_a_disposition_without_a_delay_is_not_redialed() -> None:
    policy = RedialPolicy(3, {Disposition.BUSY: 60.0})
    assert after_attempt(policy, Disposition.NO_ANSWER, 1, 0.0) == Settle(ContactStatus.EXHAUSTED)
    assert after_attempt(policy, Disposition.BUSY, 1, 0.0) == Redial(60.0)


def test_a_delay_for_a_refusal_does_not_make_it_redialable() -> None:
    policy = RedialPolicy(3, dict.fromkeys(Disposition, 60.0))
    assert after_attempt(policy, Disposition.REJECTED, 1, 0.0) == Settle(ContactStatus.EXHAUSTED)
    assert after_attempt(policy, Disposition.ANSWERED, 1, 0.0) == Settle(ContactStatus.REACHED)


def test_a_disposition_may_have_a_cap_of_its_own_within_the_budget() -> None:
    policy = replace(POLICY, max_attempts=5, most={Disposition.NO_ANSWER: 2})
    assert after_attempt(policy, Disposition.NO_ANSWER, 1, 0.0) == Redial(7200.0, most=2)
    assert after_attempt(policy, Disposition.BUSY, 1, 0.0) == Redial(900.0)
    assert after_attempt(policy, Disposition.NO_ANSWER, 5, 0.0) == Settle(ContactStatus.EXHAUSTED)


def test_jitter_is_added_by_the_share_that_is_handed_in() -> None:
    policy = replace(POLICY, jitter_s=600.0)
    assert after_attempt(policy, Disposition.BUSY, 1, 0.0, luck=0.25) == Redial(1050.0)
    assert after_attempt(policy, Disposition.BUSY, 1, 0.0, 0.1, luck=0.25) == Redial(105.0)


def test_who_asks_to_be_called_back_is_within_the_budget() -> None:
    again = "callback requested"
    assert after_attempt(POLICY, Disposition.ANSWERED, 1, 1000.0, call_back=CallBack()) == Redial(4600.0, again)
    asked = CallBack(5000.0)
    assert after_attempt(POLICY, Disposition.ANSWERED, 2, 1000.0, 0.01, call_back=asked) == Redial(5000.0, again)
    assert after_attempt(POLICY, Disposition.ANSWERED, 1, 9000.0, call_back=asked) == Redial(9000.0, again)
    reached = Settle(ContactStatus.REACHED)
    assert after_attempt(POLICY, Disposition.ANSWERED, 3, 1000.0, call_back=asked) == reached
    assert after_attempt(replace(POLICY, callback_s=None), Disposition.ANSWERED, 1, 0.0, call_back=asked) == reached


def test_a_rehearsal_scales_the_delay() -> None:
    assert after_attempt(POLICY, Disposition.BUSY, 1, 1000.0, scale=0.01) == Redial(1009.0)


@given(st.sampled_from(Disposition), st.integers(1, 20), st.integers(1, 10), st.floats(0, 1e9))
def test_no_contact_is_tried_more_often_than_allowed(word: Disposition, made: int, most: int, ended_at: float) -> None:
    match after_attempt(RedialPolicy(most), word, made, ended_at):
        case Redial(due_at):
            assert made < most
            assert due_at >= ended_at
        case Settle(status):
            assert status in FINAL_CONTACTS
