"""People of campaigns, page by page, as the page and the API show them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from dialer.domain.act import Act, By
from dialer.domain.contact import ContactStatus
from dialer.domain.people_filter import PeopleFilter
from dialer.domain.waiting import Wait
from dialer.ports.records import AttemptRow, Campaign, ContactRow, LogScan, Suppression


@dataclass(frozen=True, slots=True)
class Someone:
    """A person in a campaign, and what they wait for."""

    contact_id: int
    campaign_id: int
    row: ContactRow
    wait: Wait


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """Some people in the order of their ids. ``next``: the id after which to go on, None when there are no more."""

    people: tuple[Someone, ...]
    next: int | None


@dataclass(frozen=True, slots=True)
class Listed:
    """An entry of the suppression list."""

    entry_id: int
    entry: Suppression


class PeopleView(Protocol):
    """Reads pages of the ledger. All raise LedgerUnavailable."""

    async def campaign(self, campaign_id: int) -> Campaign:
        """Raises UnknownName."""
        ...

    async def by_status(self, campaign_id: int) -> Mapping[ContactStatus, int]:
        """How many people have each status; those that nobody has may be missing."""
        ...

    async def last_acts(self, campaign: str, limit: int, before: int = ...) -> list[Act]:
        """The last acts on the campaign with this handle, or on all (""), the newest first; ids below ``before``."""
        ...

    async def live_calls(self, account: str) -> tuple[int, int, float | None]:
        """Attempts that hold a line; how many of them are of unknown fate, and when the oldest of these was dialed."""
        ...

    async def last_whole_scan(self, account: str) -> LogScan | None:
        """The last reading of the account's log that had no gap; None if there was none for a month."""
        ...

    async def page(self, campaign_id: int, wanted: PeopleFilter, after: int, limit: int) -> PeoplePage:
        """The next people by id whom a filter means, ``limit`` at most.

        There may be fewer, or none, although more follow: only so many are looked at at once.
        """
        ...

    async def count(self, campaign_id: int, status: ContactStatus | None, most: int) -> int:
        """How many people have this status, or any; ``most`` when there are more."""
        ...

    async def person(self, contact_id: int) -> Someone:
        """Raises UnknownName."""
        ...

    async def of_number(self, phone: str) -> list[Someone]:
        """Everybody with this number (E.164), over all campaigns, the newest first."""
        ...

    async def attempts(self, campaign_id: int, after: int, limit: int) -> list[AttemptRow]:
        """The next attempts of a campaign by id."""
        ...

    async def entries_of(self, phones: Sequence[str]) -> list[Listed]:
        """The entries of the suppression list that name these numbers, or their hashes."""
        ...

    async def barred_among(self, phones: Sequence[str]) -> set[str]:
        """Which of these numbers are on the list over all campaigns."""
        ...

    async def suppressions(self, before: int, limit: int) -> list[Listed]:
        """Entries of the suppression list with ids below ``before``, the newest first."""
        ...

    async def suppression(self, entry_id: int) -> Listed:
        """Raises UnknownName."""
        ...


class PeopleLedger(Protocol):
    """Verbs on many people of a campaign; each is guarded, and safe to give again. All raise LedgerUnavailable."""

    async def call_again(
        self, campaign_id: int, contact_ids: Sequence[int], words: str, by: By, *, only_look: bool = False
    ) -> Mapping[str, int]:
        """Plan a call now for each of these settled people who may be called; ``words`` say whom the operator meant.

        Answers why they are not called again, and how many; "" for those who are. ``only_look``: nothing is planned.
        """
        ...

    async def stop(self, campaign_id: int, wanted: PeopleFilter, by: By) -> int:
        """Call those of the open people whom a filter means no more; a call that is on goes on to its end.

        Answers how many. The act is kept before the first of them is stopped; who is left when the caller dies is
        stopped by the sweeper.
        """
