"""After this disposition and this many attempts: try again when, or never."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from dialer.domain.contact import ContactStatus
from dialer.domain.disposition import REDIALABLE, Disposition

FARTHEST_CALLBACK_S = 30 * 86_400.0
"""A time that lies further ahead is no time that a person named."""


@dataclass(frozen=True, slots=True)
class RedialPolicy:
    """``max_attempts`` per contact, and the delay in seconds after each disposition that allows another.

    ``most``: how many attempts of a contact may come to a disposition before it is given up, within ``max_attempts``
    (absent: no more than that). Up to ``jitter_s`` seconds are added to each delay. ``other_hour``: not twice at the
    same hour of the day. ``callback_s``: when to call back who asked for it and named no time; None: never.
    """

    max_attempts: int = 3
    delays_s: Mapping[Disposition, float] = field(
        default_factory=lambda: {
            Disposition.NO_ANSWER: 7200.0,
            Disposition.BUSY: 900.0,
            Disposition.VOICEMAIL: 14400.0,
            Disposition.FAILED: 1800.0,
            Disposition.UNCONFIRMED: 14400.0,
        }
    )
    most: Mapping[Disposition, int] = field(default_factory=dict)
    jitter_s: float = 0.0
    other_hour: bool = False
    callback_s: float | None = 3600.0


@dataclass(frozen=True, slots=True)
class Redial:
    """Another attempt is due at ``due_at`` (unix seconds), unless ``most`` of the contact came to the same (0: any)."""

    due_at: float
    why: str = ""
    most: int = 0


@dataclass(frozen=True, slots=True)
class CallBack:
    """The person asked to be called back, ``at`` a time (unix seconds) or at none in particular."""

    at: float | None = None


@dataclass(frozen=True, slots=True)
class Settle:
    """The contact is final."""

    status: ContactStatus


def after_attempt(
    policy: RedialPolicy,
    disposition: Disposition,
    attempts_made: int,
    ended_at: float,
    scale: float = 1.0,
    *,
    luck: float = 0.0,
    call_back: CallBack | None = None,
) -> Redial | Settle:
    """What follows an attempt that came to ``disposition``.

    ``attempts_made`` counts this attempt; ``ended_at`` is in unix seconds; ``scale`` multiplies the delay
    (rehearsals and tests); ``luck``, from 0 to 1, is this attempt's share of the jitter.
    """
    if disposition is Disposition.ANSWERED:
        if call_back is not None and policy.callback_s is not None and attempts_made < policy.max_attempts:
            named = call_back.at is not None and call_back.at - ended_at <= FARTHEST_CALLBACK_S
            at = max(call_back.at or 0.0, ended_at) if named else ended_at + policy.callback_s * scale
            return Redial(at, "callback requested")
        return Settle(ContactStatus.REACHED)
    if disposition is Disposition.INVALID_NUMBER:
        return Settle(ContactStatus.INVALID)
    if disposition is Disposition.BLOCKED:
        return Settle(ContactStatus.SUPPRESSED)
    delay = policy.delays_s.get(disposition)
    if disposition in REDIALABLE and delay is not None and attempts_made < policy.max_attempts:
        due_at = ended_at + (delay + luck * policy.jitter_s) * scale
        return Redial(due_at, most=policy.most.get(disposition, 0))
    return Settle(ContactStatus.EXHAUSTED)
