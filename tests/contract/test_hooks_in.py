"""A webhook as the rooms take it: whose secret signed it, and what two sendings of one have in common."""

import pytest

from dialer.adapters.providers.vaanivoice.hooks_in import LONGEST_ID, LONGEST_WORD, read_webhook
from dialer.errors import AnswerUnreadable, WebhookForged
from tests.fakes.clock import START
from tests.hook_steps import NEW, OLD, hook, signed, stamped

BODY = hook("call_ended")
BOTH = (NEW, OLD)


@pytest.mark.parametrize("secret", BOTH)
@pytest.mark.parametrize("header", ["X-Webhook-Signature", "Vaani-Signature"])
def test_either_secret_is_believed_while_they_change(secret: str, header: str) -> None:
    read = read_webhook(BODY, signed(BODY, secret, header), START, secrets=BOTH)

    assert (read.account, read.event, read.call_id) == ("vaanivoice", "call_ended", "room-1")
    assert (read.is_terminal, read.signed_by) == (True, header)


@pytest.mark.parametrize("secret", BOTH)
def test_so_is_either_with_a_time(secret: str) -> None:
    assert read_webhook(BODY, stamped(BODY, START, secret), START, secrets=BOTH).signed_by == "X-Vaani-Signature"


@pytest.mark.parametrize("headers", [{}, signed(BODY, "another"), stamped(BODY, START - 301), signed(BODY + b" ")])
def test_no_other_is(headers: dict[str, str]) -> None:
    for secrets in (BOTH, (NEW,)):
        with pytest.raises(WebhookForged):
            read_webhook(BODY, headers, START, secrets=secrets)


def test_the_old_one_is_nothing_once_it_is_taken_away() -> None:
    with pytest.raises(WebhookForged):
        read_webhook(BODY, signed(BODY, OLD), START, secrets=(NEW,))


def test_without_a_secret_nobody_signs() -> None:
    assert read_webhook(BODY, signed(BODY), START, secrets=()).signed_by == ""


def test_one_event_has_one_digest_however_it_is_sent_again() -> None:
    sendings = [
        signed(BODY),
        signed(BODY, OLD),
        {"x-webhook-signature": signed(BODY)["X-Webhook-Signature"].removeprefix("sha256=")},
        signed(BODY, header="Vaani-Signature"),
    ]
    assert len({read_webhook(BODY, headers, START, secrets=BOTH).digest for headers in sendings}) == 1
    later = [stamped(BODY, START + seconds) for seconds in (0, 5, 25)]
    assert len({read_webhook(BODY, headers, START, secrets=BOTH).digest for headers in later}) == 1


def test_another_event_has_another() -> None:
    bodies = [BODY, hook("call_ended", "room-2"), hook("call_ringing"), BODY + b"\n"]
    assert len({read_webhook(body, signed(body), START, secrets=BOTH).digest for body in bodies}) == len(bodies)


def test_what_is_signed_with_a_time_is_no_body_of_its_own() -> None:
    """The signature over time and body is also one over a body that begins with the time: nothing is read of it."""
    headers, stamp = stamped(BODY, START), str(int(START)).encode()
    with pytest.raises(AnswerUnreadable):
        read_webhook(stamp + b"." + BODY, {"Vaani-Signature": headers["X-Vaani-Signature"]}, START, secrets=BOTH)


def test_words_are_kept_no_longer_than_any_real_one() -> None:
    body = hook("x" * 10_000, "y" * 10_000)
    read = read_webhook(body, signed(body), START, secrets=BOTH)
    assert (len(read.event), len(read.call_id)) == (LONGEST_WORD, LONGEST_ID)
