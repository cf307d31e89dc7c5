"""Where logins are kept that are renewed while calls are placed."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class KeptLogin:
    """``tokens`` as they were kept ("" at first); ``renewals`` counts how often."""

    tokens: str = ""
    renewals: int = 0

    def __repr__(self) -> str:
        return f"KeptLogin(tokens='***', renewals={self.renewals})"


class LoginStore(Protocol):
    """One place for all workers; what it keeps is secret. All raise LedgerUnavailable."""

    async def login(self, name: str) -> KeptLogin:
        """What is kept under this name."""
        ...

    async def claim_login(self, name: str, holder: str, lease_s: float) -> bool:
        """Whether ``holder`` may renew it now: nobody else does until the lease runs out."""
        ...

    async def keep_login(self, name: str, holder: str, tokens: str) -> None:
        """Keep what a renewal brought ("": nothing), and let others renew."""
        ...
