"""After this disposition and this many attempts: try again when, or never."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from dialer.domain.contact import ContactStatus
from dialer.domain.disposition import REDIALABLE, Disposition


@dataclass(frozen=True, slots=True)
class RedialPolicy:
    """``max_attempts`` per contact, and the delay in seconds after each disposition that allows another."""

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


@dataclass(frozen=True, slots=True)
class Redial:
    """Another attempt is due at ``due_at`` (unix seconds)."""

    due_at: float


@dataclass(frozen=True, slots=True)
class Settle:
    """The contact is final."""

    status: ContactStatus


def after_attempt(
    policy: RedialPolicy, disposition: Disposition, attempts_made: int, ended_at: float, scale: float = 1.0
) -> Redial | Settle:
    """What follows an attempt that came to ``disposition``.

    ``attempts_made`` counts this attempt; ``ended_at`` is in unix seconds; ``scale`` multiplies the delay
    (rehearsals and tests).
    """
    if disposition is Disposition.ANSWERED:
        return Settle(ContactStatus.REACHED)
    if disposition is Disposition.INVALID_NUMBER:
        return Settle(ContactStatus.INVALID)
    if disposition is Disposition.BLOCKED:
        return Settle(ContactStatus.SUPPRESSED)
    delay = policy.delays_s.get(disposition)
    if disposition in REDIALABLE and delay is not None and attempts_made < policy.max_attempts:
        return Redial(ended_at + delay * scale)
    return Settle(ContactStatus.EXHAUSTED)
