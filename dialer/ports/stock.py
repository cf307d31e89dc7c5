"""How much of everything there is now, for those who watch the program from outside."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from dialer.domain.contact import ContactStatus


@dataclass(frozen=True, slots=True)
class AttemptsNow:
    """An account's attempts by state, and when the oldest of unknown fate was dialed (unix seconds)."""

    dialing: int = 0
    placed: int = 0
    unknown: int = 0
    review: int = 0
    unknown_since: float | None = None


class StockView(Protocol):
    """Reads counts. All raise LedgerUnavailable."""

    async def attempts(self, account: str) -> AttemptsNow:
        """Those that hold a line, or wait for a person's word."""
        ...

    async def planned(self, campaign_id: int, most: int) -> int:
        """Attempts that wait for their time; ``most`` when there are more."""
        ...

    async def by_status(self, campaign_id: int) -> Mapping[ContactStatus, int]:
        """People by status; those that nobody has may be missing."""
        ...


@dataclass(frozen=True, slots=True)
class AccountStock:
    """One account. Rates and lines: 0 is no limit. Times are unix seconds."""

    configured_per_s: float
    learned_per_s: float | None
    """None where the pacer cannot be asked."""
    lines_used: int
    lines_limit: int
    braked_until: float | None
    attempts: AttemptsNow
    planned: int
    queued: int
    due_since: float | None
    """Since when the first of a running campaign may be called; None where nobody waits."""
    log_read_at: float | None
    """When the last reading of the log without a gap ended."""


@dataclass(frozen=True, slots=True)
class CampaignStock:
    """One campaign that is not over. ``budget`` 0: none; ``source_read_at`` None: no source, or never read."""

    contacts: Mapping[ContactStatus, int]
    cost: float
    budget: float
    source_read_at: float | None


@dataclass(frozen=True, slots=True)
class Stock:
    """Everything at ``at`` (unix seconds). Campaigns by name; OTHERS holds what is beyond the first of them."""

    at: float
    accounts: Mapping[str, AccountStock]
    statuses: Mapping[str, int]
    """Campaigns that are not over, by status."""
    campaigns: Mapping[str, CampaignStock]
