"""Which people a filter means, and how it is written and said."""

import pytest

from dialer.domain.attempt import AttemptState
from dialer.domain.contact import ContactStatus
from dialer.domain.disposition import Disposition
from dialer.domain.people_filter import WAIT_WORDS, WAITS, PeopleFilter, read_filter, why_not_again
from dialer.domain.waiting import KINDS, OpenCall, wait_of

NOW = 1000.0
ALL = PeopleFilter(ContactStatus.ACTIVE, Disposition.NO_ANSWER, "number busy", 2)


@pytest.mark.parametrize("given", [PeopleFilter(), ALL, PeopleFilter(attempts=0), PeopleFilter(waits="any")])
def test_what_is_written_is_read_again(given: PeopleFilter) -> None:
    assert read_filter(given.text) == given
    assert " " not in given.text


def test_it_is_said_in_words() -> None:
    assert PeopleFilter().words == "everybody"
    assert ALL.words == "being called, whose last call came to no answer, with another call open, called 2 times"
    assert set(WAIT_WORDS) == set(WAITS)


@pytest.mark.parametrize(("waits", "any_of"), [("", False), ("ready", False), ("call", False), ("review", True)])
def test_any_wait_is_not_ones_turn(waits: str, any_of: bool) -> None:
    assert PeopleFilter(waits="any").fits(ContactStatus.ACTIVE, None, waits, 1) is any_of


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        (None, "window"),
        (OpenCall(AttemptState.DIALING, "", 0), "call"),
        (OpenCall(AttemptState.UNKNOWN, "", 0), "call"),
        (OpenCall(AttemptState.QUEUED, "", 0), "ready"),
        (OpenCall(AttemptState.REVIEW, "", 0), "review"),
        (OpenCall(AttemptState.PLANNED, "redial after busy", NOW), "ready"),
        (OpenCall(AttemptState.PLANNED, "redial after busy", NOW + 1), "later"),
        (OpenCall(AttemptState.PLANNED, "2 calls in a day already: free at 2026-01-01 00:00 UTC", NOW + 1), "people"),
        (OpenCall(AttemptState.PLANNED, "another call to this number is open", NOW + 1), "number busy"),
        (OpenCall(AttemptState.PLANNED, "no key for vaani", NOW + 1), "key"),
        (OpenCall(AttemptState.PLANNED, "others are asked first, while", NOW + 1), "trial"),
    ],
)
def test_what_somebody_waits_for(call: OpenCall | None, kind: str) -> None:
    assert wait_of(ContactStatus.ACTIVE, "window opens 09:00", NOW + 1, call, NOW).kind == kind
    assert wait_of(ContactStatus.REACHED, "window opens 09:00", NOW + 1, call, NOW).kind == ""
    assert kind in WAITS
    assert set(KINDS) < set(WAITS)


def test_only_the_settled_with_a_usable_number_are_called_again() -> None:
    again = {status for status in ContactStatus if not why_not_again(status, Disposition.NO_ANSWER)}
    assert again == {ContactStatus.REACHED, ContactStatus.EXHAUSTED}
    assert why_not_again(ContactStatus.EXHAUSTED, Disposition.INVALID_NUMBER)
