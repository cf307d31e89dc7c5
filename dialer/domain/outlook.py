"""What a new contact can look forward to, told before anybody is called."""

from collections.abc import Callable

from dialer.domain.campaign import CampaignSpec
from dialer.domain.contact import NewContact
from dialer.domain.opening import Closed, Open, window_at

Outlook = Callable[[NewContact], Open | Closed]
"""Whether a person may be called now, by the same rules as at the gate."""


def outlook_of(spec: CampaignSpec, now: float) -> Outlook:
    """The outlook for people of one list at ``now`` (unix seconds)."""
    known: dict[tuple[tuple[str, ...], tuple[str, ...]], Open | Closed] = {}

    def ask(contact: NewContact) -> Open | Closed:
        whereabouts = contact.zones, contact.places
        if whereabouts not in known:
            known[whereabouts] = window_at(spec.window, spec.zones_of(contact.zones), now, contact.places)
        return known[whereabouts]

    return ask


def bright(contact: NewContact) -> Open | Closed:
    """For who does not ask."""
    del contact
    return Open()
