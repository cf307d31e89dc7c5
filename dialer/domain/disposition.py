"""What a call came to."""

from enum import StrEnum


class Disposition(StrEnum):
    """What a call came to; "outcome" in prose."""

    ANSWERED = "answered"
    VOICEMAIL = "voicemail"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    REJECTED = "rejected"
    FAILED = "failed"
    INVALID_NUMBER = "invalid_number"
    BLOCKED = "blocked"
    UNCONFIRMED = "unconfirmed"


REDIALABLE = frozenset(
    {
        Disposition.VOICEMAIL,
        Disposition.NO_ANSWER,
        Disposition.BUSY,
        Disposition.FAILED,
        Disposition.UNCONFIRMED,
    }
)
"""Dispositions after which a person may be tried again, if the campaign's ``[redial]`` says when."""
