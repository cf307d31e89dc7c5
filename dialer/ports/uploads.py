"""What comes in over the network: lists that are looked at before anybody is called, people, and campaigns."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from dialer.domain.act import By
from dialer.domain.campaign import CampaignSpec
from dialer.ports.records import Campaign


@dataclass(frozen=True, slots=True)
class Upload:
    """A list that has arrived whole. ``size`` is in bytes, ``fingerprint`` its SHA-256, ``made_at`` unix seconds.

    ``settings`` is the campaign so far, as JSON in the shape of the campaign file. ``report`` is what was last seen in
    the list and what its import brought, as JSON; ``campaign`` is the handle of the campaign that it was brought into,
    "" until then.
    """

    upload_id: int
    name: str
    size: int
    fingerprint: str
    settings: str
    campaign: str
    made_by: str
    made_at: float
    report: str


class Uploads(Protocol):
    """Lists in parts. All raise LedgerUnavailable."""

    async def begin(self, name: str, settings: str, by: By) -> int:
        """The id of a list that is about to arrive; nobody sees it before it is complete."""
        ...

    async def keep(self, upload_id: int, part: int, content: bytes) -> None:
        """Add one part, or put another content in its place."""
        ...

    async def complete(self, upload_id: int, size: int, fingerprint: str, by: By) -> None:
        """The list has arrived; with an act."""
        ...

    async def drop(self, upload_id: int) -> None:
        """Forget it and its parts."""
        ...

    async def drop_parts(self, upload_id: int, first: int) -> None:
        """Forget its parts from ``first`` on."""
        ...

    async def upload(self, upload_id: int) -> Upload:
        """Raises UnknownName for one that is not there, or not complete."""
        ...

    async def last_of(self, campaign: str) -> Upload | None:
        """The last list that was brought into the campaign with this handle."""
        ...

    async def part(self, upload_id: int, part: int) -> bytes | None:
        """One part; None behind the last."""
        ...

    async def change(self, upload_id: int, before: str, settings: str) -> bool:
        """New settings in place of those ``before``; False if they are others by now."""
        ...

    async def note(self, upload_id: int, report: str, campaign: str = "") -> None:
        """What was seen in it; ``campaign``: that it is in the campaign with this handle now."""
        ...

    async def older(self, before: float, limit: int) -> list[int]:
        """Ids of those that began before then, the oldest first."""
        ...


@dataclass(frozen=True, slots=True)
class GivenPerson:
    """One person as a program or a form gives it, nothing of it checked; "" where nothing is said.

    ``event`` is when the appointment is, for a campaign of reminders; ``variables`` is what the agent is given.
    """

    phone: str
    name: str = ""
    key: str = ""
    timezone: str = ""
    region: str = ""
    event: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)


class Drafts(Protocol):
    """Campaigns that are made or changed by who may have seen an older state of them."""

    async def put(self, spec: CampaignSpec, seen: CampaignSpec | None, by: By, *, is_new: bool) -> Campaign | None:
        """As ``Ledger.open_campaign``, if the campaign's spec still is ``seen`` (None: whatever it is).

        ``is_new``: only if there is none. None if it is otherwise. Raises UsageError, LedgerUnavailable.
        """
        ...
