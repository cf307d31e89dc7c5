"""Which people are meant, as the query of an address says it."""

from typing import Annotated, Literal

from fastapi import Depends, Path, Query

from dialer.domain.contact import ContactStatus
from dialer.domain.disposition import Disposition
from dialer.domain.people_filter import PeopleFilter

Id = Annotated[int, Path(ge=1, le=2**62)]
Status = Literal["", "pending", "active", "reached", "exhausted", "suppressed", "invalid", "expired", "cancelled"]
Outcome = Literal[
    "", "answered", "voicemail", "no_answer", "busy", "rejected", "failed", "invalid_number", "blocked", "unconfirmed"
]
Waits = Literal[
    "", "ready", "call", "any", "review", "window", "people", "number busy", "trial", "key", "later"
]  # fmt: skip


def wanted(
    status: Annotated[Status, Query(description="Where they stand.")] = "",
    outcome: Annotated[Outcome, Query(description="What their last call came to.")] = "",
    waits: Annotated[Waits, Query(description="What they wait for; `any`: anything but their turn.")] = "",
    attempts: Annotated[str, Query(pattern=r"^\d{0,4}$", description="How many calls were made.")] = "",
) -> PeopleFilter:
    """All that is given holds."""
    return PeopleFilter(
        ContactStatus(status) if status else None,
        Disposition(outcome) if outcome else None,
        waits,
        int(attempts) if attempts else None,
    )


Wanted = Annotated[PeopleFilter, Depends(wanted)]
