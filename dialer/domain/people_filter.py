"""Which people of a campaign are meant, and what may be done with them."""

from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode

from dialer.domain.contact import OPEN_CONTACTS, ContactStatus
from dialer.domain.disposition import Disposition
from dialer.domain.waiting import CALL, KINDS, READY, REVIEW

ANY = "any"
"""Waits for anything but its turn."""
WAITS = (READY, CALL, ANY, REVIEW, *KINDS)
NEVER_AGAIN = frozenset({Disposition.INVALID_NUMBER, Disposition.BLOCKED})
"""Nobody is reached by such a number, or must not be."""

STATUS_WORDS = {
    ContactStatus.PENDING: "not called yet",
    ContactStatus.ACTIVE: "being called",
    ContactStatus.EXHAUSTED: "not reached",
    ContactStatus.SUPPRESSED: "not to be called",
    ContactStatus.INVALID: "with a number that cannot be called",
    ContactStatus.EXPIRED: "whose time has passed",
    ContactStatus.CANCELLED: "taken out",
}
WAIT_WORDS = {
    READY: "who may be called now",
    CALL: "in a call",
    ANY: "who wait for later",
    REVIEW: "whose call a person must judge",
    "window": "outside their calling hours",
    "people": "called as often as the limits allow",
    "number busy": "with another call open",
    "trial": "who wait until the first calls were tried",
    "key": "whose worker has no key",
    "later": "planned for later",
}


@dataclass(frozen=True, slots=True)
class PeopleFilter:
    """People of one campaign: all conditions hold, those that are None or "" aside. ``attempts``: calls made so far."""

    status: ContactStatus | None = None
    outcome: Disposition | None = None
    waits: str = ""
    attempts: int | None = None

    @property
    def is_everybody(self) -> bool:
        """Whether no condition is set."""
        return self == PeopleFilter()

    @property
    def only_status(self) -> bool:
        """Whether no other condition than the status is set."""
        return self == PeopleFilter(self.status)

    @property
    def only_open(self) -> bool:
        """Whether only people can fit who may still be called."""
        return bool(self.waits) or self.status in OPEN_CONTACTS

    def fits(self, status: ContactStatus, outcome: Disposition | None, waits: str, attempts: int) -> bool:
        """Whether somebody is meant who is so; ``waits`` is what a Wait says."""
        return (
            self.status in (None, status)
            and self.outcome in (None, outcome)
            and self.attempts in (None, attempts)
            and self._waits(waits)
        )

    def _waits(self, waits: str) -> bool:
        if self.waits == ANY:
            return waits not in ("", READY, CALL)
        return self.waits in ("", waits)

    @property
    def words(self) -> str:
        """As people say it, after "people"."""
        parts = []
        if self.status:
            parts.append(STATUS_WORDS.get(self.status, str(self.status)))
        if self.outcome:
            parts.append(f"whose last call came to {str(self.outcome).replace('_', ' ')}")
        if self.waits:
            parts.append(WAIT_WORDS[self.waits])
        if self.attempts is not None:
            parts.append(f"called {self.attempts} {'time' if self.attempts == 1 else 'times'}")
        return ", ".join(parts) or "everybody"

    @property
    def query(self) -> dict[str, str]:
        """What is set, as text."""
        given = {"status": self.status, "outcome": self.outcome, "waits": self.waits or None}
        given |= {"attempts": None if self.attempts is None else str(self.attempts)}
        return {name: str(value) for name, value in given.items() if value is not None}

    @property
    def text(self) -> str:
        """In one word, for ``read_filter``."""
        return urlencode(self.query)


def read_filter(text: str) -> PeopleFilter:
    """The filter that was written as ``PeopleFilter.text``."""
    given = {name: values[0] for name, values in parse_qs(text).items()}
    return PeopleFilter(
        ContactStatus(given["status"]) if "status" in given else None,
        Disposition(given["outcome"]) if "outcome" in given else None,
        given.get("waits", ""),
        int(given["attempts"]) if "attempts" in given else None,
    )


def why_not_again(status: ContactStatus, outcome: Disposition | None) -> str:
    """Why somebody is not called again at an operator's word, by what is known without a look elsewhere; "" if so."""
    if status in OPEN_CONTACTS:
        return "to be called anyway"
    if status is ContactStatus.SUPPRESSED:
        return "on the do-not-call list"
    if status is ContactStatus.INVALID or outcome in NEVER_AGAIN:
        return "the number cannot be called"
    if status is ContactStatus.EXPIRED:
        return "the time for it has passed"
    if status is ContactStatus.CANCELLED:
        return "taken out of the campaign"
    return ""
