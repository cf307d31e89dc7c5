"""Who may use the page and the API, as the ledger keeps it."""

from dataclasses import dataclass
from typing import Protocol

from dialer.domain.access import Role, Token, Visitor
from dialer.domain.act import By


@dataclass(frozen=True, slots=True)
class NewToken:
    """``secret`` is the hash of the token. ``once``: the first session that it opens ends it. Times: unix seconds."""

    name: str
    role: Role
    secret: str
    shown: str
    ends_at: float | None = None
    once: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that was given. ``status`` None: its request still runs, and its fingerprint is not known yet."""

    fingerprint: str
    status: int | None
    headers: str = ""
    body: str = ""


class AccessLedger(Protocol):
    """Tokens, sessions and answers that are given again. All raise LedgerUnavailable."""

    async def add_token(self, token: NewToken, by: By) -> int:
        """Its id; with an act."""
        ...

    async def tokens(self) -> list[Token]:
        """All that were made for people and programs, oldest first."""
        ...

    async def revoke_token(self, token_id: int, by: By) -> bool:
        """End a token and its sessions, with an act; False if it is not there, or was revoked before."""
        ...

    async def holder(self, secret: str, *, once: bool = False) -> Visitor | None:
        """Who holds the token with this hash; None if nobody does now. ``once``: among those that open one session."""
        ...

    async def begin_session(self, secret: str, visitor: Visitor, ends_at: float, by: By, *, once: str = "") -> bool:
        """Open a session under this hash. ``once``: the hash of the token to use up; False if it was used before."""
        ...

    async def session(self, secret: str, idle_s: float) -> Visitor | None:
        """Whose session this is; None once it ended, was unused for ``idle_s``, or its token is gone."""
        ...

    async def end_session(self, secret: str) -> None:
        """End it."""
        ...

    async def begin_reply(self, key: str, keep_s: float) -> Reply | None:
        """Note that a request with this key runs: None. Else what is known of the one before, which is forgotten after
        ``keep_s``, or where it has no answer and nothing was heard of it for two minutes.
        """
        ...

    async def hear_of_reply(self, key: str) -> None:
        """Its request still runs."""
        ...

    async def keep_reply(self, key: str, reply: Reply | None) -> None:
        """Keep its answer; None: forget it, so that the same request may run again."""
        ...
