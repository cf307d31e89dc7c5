"""One person in one campaign."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class ContactStatus(StrEnum):
    """Whether to call a person again."""

    PENDING = "pending"
    """No attempt has been dialed yet."""
    ACTIVE = "active"
    """At least one attempt was dialed and the person is not settled."""
    REACHED = "reached"
    EXHAUSTED = "exhausted"
    SUPPRESSED = "suppressed"
    INVALID = "invalid"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


OPEN_CONTACTS = frozenset({ContactStatus.PENDING, ContactStatus.ACTIVE})
FINAL_CONTACTS = frozenset(ContactStatus) - OPEN_CONTACTS


@dataclass(frozen=True, slots=True)
class NewContact:
    """A person as read from a list, with the number already parsed.

    ``phone`` is E.164; ``zones`` every IANA zone the person may be in (empty: unknown); ``places`` the ISO 3166
    codes of the countries and subdivisions ("IN", "US-FL") the person may be in, declared and inferred;
    ``event_at`` the appointment in unix seconds, None without one; ``row`` the physical line in the source,
    1-based; ``variables`` what the agent's prompt is given; ``cells`` the row as it was read, for the rejects.
    ``barred`` says why the list itself forbids to call the person; "" when it does not.
    """

    phone: str
    name: str
    row: int
    key: str = ""
    region: str = ""
    zones: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    places: tuple[str, ...] = ()
    event_at: float | None = None
    cells: tuple[str, ...] = field(default=(), compare=False)
    barred: str = ""

    @property
    def person(self) -> str:
        """Who is meant, over all campaigns: the key of the list, else the number."""
        return self.key or self.phone
