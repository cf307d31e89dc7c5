"""Which of our numbers to show."""

from hypothesis import given
from hypothesis import strategies as st

from dialer.domain.caller_id import choose

OURS = ("+14155550001", "+14155550002", "+14155550003")


def test_without_numbers_none_is_shown() -> None:
    assert choose((), 1, 1) is None


def test_contacts_are_spread_over_the_numbers() -> None:
    assert [choose(OURS, contact, 1) for contact in range(4)] == [*OURS, OURS[0]]


@given(st.integers(1, 10**9), st.integers(1, 20))
def test_the_next_attempt_shows_another_number(contact_id: int, number_of: int) -> None:
    shown, then = choose(OURS, contact_id, number_of), choose(OURS, contact_id, number_of + 1)
    assert shown in OURS
    assert shown != then


@given(st.integers(1, 10**9), st.integers(1, 20))
def test_one_number_is_always_shown(contact_id: int, number_of: int) -> None:
    assert choose(OURS[:1], contact_id, number_of) == OURS[0]
