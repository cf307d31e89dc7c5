"""People of campaigns, page by page, as the page and the API show them."""

from collections.abc import Mapping
from typing import Protocol

from dialer.domain.act import Act
from dialer.domain.contact import ContactStatus
from dialer.ports.records import Campaign, LogScan


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
