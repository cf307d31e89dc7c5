"""What will happen to a new contact, worked out before anybody is called."""

from dataclasses import dataclass, field
from typing import Protocol

from dialer.domain.campaign import CampaignSpec
from dialer.domain.contact import NewContact
from dialer.domain.contact_plan import first_due
from dialer.domain.opening import Closed, Open, window_at
from dialer.domain.reminder import NoMoment


class Outlook(Protocol):
    """Whether a person may be called, by the same rules as at the gate; ``answer`` is what the ledger said of them."""

    def __call__(self, contact: NewContact, answer: str = "queued") -> Open | Closed: ...


@dataclass(frozen=True, slots=True)
class _OutlookAt:
    spec: CampaignSpec
    now: float
    known: dict[tuple[tuple[str, ...], tuple[str, ...]], Open | Closed] = field(default_factory=dict)

    def __call__(self, contact: NewContact, answer: str = "queued") -> Open | Closed:
        whereabouts = contact.zones, contact.places
        if whereabouts not in self.known:
            zones = self.spec.zones_of(contact.zones)
            self.known[whereabouts] = window_at(self.spec.window, zones, self.now, contact.places)
        today = self.known[whereabouts]
        reminds = bool(self.spec.reminder.event) and contact.event_at is not None
        if not reminds or (isinstance(today, Closed) and today.opens_at is None):
            return today
        # What counts is not this hour, but those before the appointment.
        return self._before_the_event(contact) if answer == "deferred" else Open()

    def _before_the_event(self, contact: NewContact) -> Open | Closed:
        match first_due(self.spec, contact.zones, contact.places, contact.event_at, self.now):
            case NoMoment(why):
                return Closed(None, why)
            case _:
                return Open()


def outlook_of(spec: CampaignSpec, now: float) -> Outlook:
    """The outlook for people of one list at ``now`` (unix seconds)."""
    return _OutlookAt(spec, now)


def bright(contact: NewContact, answer: str = "queued") -> Open | Closed:
    """For who does not ask."""
    del contact, answer
    return Open()
