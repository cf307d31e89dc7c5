"""Where logins are kept that are renewed while calls are placed."""

from dataclasses import dataclass
from typing import Protocol

from dialer.ports.ledger import Leases


@dataclass(frozen=True, slots=True)
class KeptLogin:
    """``tokens`` as they were kept ("" at first); ``renewals`` counts how often."""

    tokens: str = ""
    renewals: int = 0

    def __repr__(self) -> str:
        return f"KeptLogin(tokens='***', renewals={self.renewals})"


class LoginStore(Leases, Protocol):
    """One place for all workers; what it keeps is secret. Who renews a login holds its lease meanwhile.

    All raise LedgerUnavailable.
    """

    async def login(self, name: str) -> KeptLogin:
        """What is kept under this name."""
        ...

    async def keep_login(self, name: str, tokens: str) -> None:
        """Keep what a renewal brought."""
        ...
