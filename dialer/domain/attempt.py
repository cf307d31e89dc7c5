"""The life of one attempt: one try at one contact.

The table below is the machine. The SQL guards, the diagram in ``docs/lifecycle.md`` and the tests are
checked against it; nothing else may move an attempt.
"""

from enum import StrEnum


class AttemptState(StrEnum):
    """Where an attempt is, and who moves it on."""

    PLANNED = "planned"
    """Due at some time; nothing was sent, or every earlier request is proven not placed. Feeder moves it."""
    QUEUED = "queued"
    """Handed to the workers under a short lease. The gate moves it; the sweeper takes an expired lease back."""
    DIALING = "dialing"
    """The intent is durable and the request may be on the wire. Its worker moves it, else the sweeper."""
    PLACED = "placed"
    """The provider accepted the call. The reconciler moves it."""
    UNKNOWN = "unknown"
    """Bytes may have left and no answer is known. Holds its line and its number. The reconciler moves it."""
    ENDED = "ended"
    """Final: the call log showed what the call came to."""
    REFUSED = "refused"
    """Final: the provider refused this number or payload and placed nothing. Given back when it refuses everybody."""
    UNCONFIRMED = "unconfirmed"
    """Final: no evidence after the horizon; the attempt is spent. Late evidence corrects it."""
    CANCELLED = "cancelled"
    """Final, nobody was called: suppressed, campaign cancelled, contact settled or expired, or an operator says so."""
    REVIEW = "review"
    """The log shows a call that the provider said it had not placed. Its outcome, or a person, moves it on."""


class Actor(StrEnum):
    """Who moves an attempt."""

    FEEDER = "feeder"
    WORKER = "worker"
    SWEEPER = "sweeper"
    RECONCILER = "reconciler"
    OPERATOR = "operator"


S, A = AttemptState, Actor

TRANSITIONS: dict[tuple[AttemptState, AttemptState], frozenset[Actor]] = {
    (S.PLANNED, S.QUEUED): frozenset({A.FEEDER}),
    (S.PLANNED, S.CANCELLED): frozenset({A.FEEDER, A.OPERATOR, A.RECONCILER}),
    (S.PLANNED, S.REVIEW): frozenset({A.RECONCILER}),
    (S.QUEUED, S.REVIEW): frozenset({A.RECONCILER}),
    (S.QUEUED, S.PLANNED): frozenset({A.WORKER, A.SWEEPER, A.OPERATOR}),
    (S.QUEUED, S.DIALING): frozenset({A.WORKER}),
    (S.QUEUED, S.CANCELLED): frozenset({A.WORKER, A.OPERATOR, A.RECONCILER, A.FEEDER}),
    (S.DIALING, S.PLACED): frozenset({A.WORKER}),
    (S.DIALING, S.PLANNED): frozenset({A.WORKER}),
    (S.DIALING, S.REFUSED): frozenset({A.WORKER}),
    (S.DIALING, S.UNKNOWN): frozenset({A.WORKER, A.SWEEPER}),
    (S.UNKNOWN, S.PLACED): frozenset({A.WORKER, A.RECONCILER}),
    (S.UNKNOWN, S.ENDED): frozenset({A.RECONCILER}),
    (S.UNKNOWN, S.UNCONFIRMED): frozenset({A.RECONCILER}),
    (S.PLACED, S.ENDED): frozenset({A.RECONCILER}),
    (S.PLACED, S.UNCONFIRMED): frozenset({A.RECONCILER}),
    (S.UNCONFIRMED, S.ENDED): frozenset({A.RECONCILER}),
    (S.REFUSED, S.PLANNED): frozenset({A.SWEEPER}),
    (S.REVIEW, S.ENDED): frozenset({A.OPERATOR, A.RECONCILER}),
    (S.REVIEW, S.CANCELLED): frozenset({A.OPERATOR}),
}
"""Each allowed move and who may make it.

Never to be added: ``unknown -> planned`` by anyone, ``dialing -> planned`` by anyone but its own worker
(which must hold proof that nothing was sent), anything ``-> dialing`` but from ``queued``.
"""

LIVE = frozenset({S.DIALING, S.PLACED, S.UNKNOWN})
"""States that hold a line and lock the number."""

WAITING = frozenset({S.PLANNED, S.QUEUED})

FINAL = frozenset({S.ENDED, S.REFUSED, S.UNCONFIRMED, S.CANCELLED})


def allowed(before: AttemptState, after: AttemptState, actor: Actor) -> bool:
    """Whether ``actor`` may move an attempt from ``before`` to ``after``."""
    return actor in TRANSITIONS.get((before, after), frozenset())


def sources(after: AttemptState, actor: Actor) -> tuple[AttemptState, ...]:
    """The states from which ``actor`` may move an attempt to ``after``, in declaration order."""
    return tuple(before for (before, to), actors in TRANSITIONS.items() if to is after and actor in actors)
