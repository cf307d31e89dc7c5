"""People who are not called yet, and what they wait for."""

from dataclasses import dataclass

from dialer.domain.attempt import LIVE, AttemptState
from dialer.domain.contact import OPEN_CONTACTS, ContactStatus
from dialer.domain.limits import FREE_AT
from dialer.domain.opening import CLOSED_WORDS

BUSY_NUMBER = ("another call to this number", "another call to this person")
NO_KEY = "no key for "
TRIAL = "others are asked first"
NOT_DUE = "not due yet"

READY, CALL, REVIEW = "ready", "call", "review"
"""May be called now; a call is on, or may be; a person must say what a call was."""
KINDS = ("window", "people", "number busy", "trial", "key", "later")
"""What somebody may wait for who is not called now."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """``people`` of a campaign wait for one reason, the first of them until ``due_at`` (unix seconds)."""

    reason: str
    people: int
    due_at: float


@dataclass(frozen=True, slots=True)
class Wait:
    """What one person waits for: a kind, "" for nothing any more; why, in words; and until when (unix seconds)."""

    kind: str = ""
    why: str = ""
    until: float | None = None


@dataclass(frozen=True, slots=True)
class OpenCall:
    """The attempt of a contact that is not over."""

    state: AttemptState
    reason: str
    due_at: float


def kind_of(reason: str) -> str:
    """One of KINDS, by the words that the feeder or the gate wrote."""
    if reason.startswith(CLOSED_WORDS):
        return "window"
    if reason.startswith(BUSY_NUMBER):
        return "number busy"
    if FREE_AT in reason:
        return "people"
    if reason.startswith(NO_KEY):
        return "key"
    return "trial" if reason.startswith(TRIAL) else "later"


def wait_of(status: ContactStatus, reason: str, due_at: float | None, call: OpenCall | None, now: float) -> Wait:
    """What a contact waits for; ``reason`` and ``due_at`` are its own, which count until its first attempt is made."""
    if status not in OPEN_CONTACTS:
        return Wait()
    if call is None:
        return _planned(reason or NOT_DUE, due_at, now)
    if call.state in LIVE:
        return Wait(CALL, "in a call" if call.state is not AttemptState.UNKNOWN else "the call log will say")
    if call.state is AttemptState.REVIEW:
        return Wait(REVIEW, "a person must say what the call was")
    if call.state is AttemptState.QUEUED:
        return Wait(READY, "its turn comes now")
    return _planned(call.reason, call.due_at, now)


def _planned(reason: str, due_at: float | None, now: float) -> Wait:
    if due_at is not None and due_at <= now:
        return Wait(READY, "may be called now")
    return Wait(kind_of(reason), reason, due_at)
