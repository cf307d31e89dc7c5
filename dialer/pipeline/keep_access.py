"""Who may use the page and the API: tokens, and the sessions that they open."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from hmac import compare_digest

from dialer.domain.access import (
    LONGEST_NAME,
    NAME,
    RANDOM_BYTES,
    ROLES,
    SHOWN,
    Role,
    Token,
    Visitor,
    is_token,
    kept,
    make_token,
)
from dialer.domain.act import By
from dialer.errors import UnknownName, UsageError
from dialer.pipeline.iso import iso
from dialer.ports.access import AccessLedger, NewToken
from dialer.ports.world import Clock

SESSION_S, IDLE_S = 12 * 3600.0, 2 * 3600.0
LINK_S = 15 * 60.0
"""A link, printed for the person who started the program, opens one session, within this time."""
LINK = "link"
OF_SETTINGS = Visitor("DIALER_WEB_TOKEN", Role.ADMIN)
SPAN = re.compile(r"([1-9]\d{0,4})([hd])")
SPAN_S = {"h": 3600.0, "d": 86400.0}


@dataclass(frozen=True)
class KeepAccess:
    """The doorkeeper's room. ``web_token``: the administrator's, of the settings; "" without one."""

    ledger: AccessLedger
    clock: Clock
    random_bytes: Callable[[int], bytes]
    web_token: str = ""

    async def add(self, name: str, role: str, expires: str, by: By) -> tuple[int, str]:
        """Make a token for a person or a program: its id, and the token, which is shown this once.

        ``expires``: "90d", "12h" or "" for never. Raises UsageError.
        """
        if len(name) > LONGEST_NAME or not NAME.fullmatch(name):
            raise UsageError(f'"{name[:LONGEST_NAME]}" is no name of a token: letters, digits, space and . _ - @ only')
        if role not in ROLES:
            raise UsageError(f'"{role}" is no role: viewer, operator or admin')
        ends_at = None if not expires else self.clock.now() + span_s(expires)
        token = make_token(self.random_bytes(RANDOM_BYTES))
        new = NewToken(name, ROLES[role], kept(token), token[:SHOWN], ends_at)
        return await self.ledger.add_token(new, by), token

    async def tokens(self) -> list[Token]:
        """All that were made, oldest first."""
        return await self.ledger.tokens()

    async def anybody(self) -> bool:
        """Whether anybody holds a token that is valid now."""
        now = self.clock.now()
        return bool(self.web_token) or any(_valid(one, now) for one in await self.ledger.tokens())

    async def revoke(self, which: str, by: By) -> Token:
        """End a token by its id or its name, and its sessions. Raises UnknownName."""
        alive = [one for one in await self.ledger.tokens() if one.revoked_at is None]
        by_id = [one for one in alive if which == str(one.token_id)]
        chosen = by_id or [one for one in alive if which == one.name]
        if len(chosen) > 1:
            raise UsageError(f'{len(chosen)} tokens are called "{which}": name its id')
        if not chosen or not await self.ledger.revoke_token(chosen[0].token_id, by):
            raise UnknownName(f'there is no token "{which}" to revoke: `dialer token list` shows them')
        return chosen[0]

    async def holder(self, token: str) -> Visitor | None:
        """Who holds this token; None if nobody does. A link's token opens its session, and nothing else."""
        if self.web_token and compare_digest(kept(token), kept(self.web_token)):
            return OF_SETTINGS
        return await self.ledger.holder(kept(token)) if is_token(token) else None

    async def named(self, name: str) -> Visitor | None:
        """Whom a believed proxy names: the role is that of the token with this name."""
        now = self.clock.now()
        for one in await self.ledger.tokens():
            if one.name == name and _valid(one, now):
                return Visitor(one.name, one.role, one.token_id)
        return None

    async def sign_in(self, token: str, address: str) -> tuple[Visitor, str] | None:
        """Open a session with a token: whose it is, and the secret for the cookie. None for a wrong token."""
        visitor, once = await self.holder(token), ""
        if visitor is None and is_token(token):
            once = kept(token)
            visitor = await self.ledger.holder(once, once=True)
        if visitor is None:
            return None
        secret = self.random_bytes(RANDOM_BYTES).hex()
        by = By(f"{visitor.name} at {address}")
        ends_at = self.clock.now() + SESSION_S
        if not await self.ledger.begin_session(kept(secret), visitor, ends_at, by, once=once):
            return None
        return visitor, secret

    async def visitor(self, secret: str) -> Visitor | None:
        """Whose session this is."""
        return await self.ledger.session(kept(secret), IDLE_S)

    async def sign_out(self, secret: str) -> None:
        """End a session."""
        await self.ledger.end_session(kept(secret))

    async def link(self, by: By) -> str:
        """A token that opens one session of an administrator, soon."""
        token = make_token(self.random_bytes(RANDOM_BYTES))
        ends_at = self.clock.now() + LINK_S
        await self.ledger.add_token(NewToken(LINK, Role.ADMIN, kept(token), "", ends_at, once=True), by)
        return token


def _valid(token: Token, now: float) -> bool:
    return token.revoked_at is None and (token.ends_at is None or token.ends_at > now)


def span_s(text: str) -> float:
    """Seconds of "90d" or "12h". Raises UsageError."""
    if not (read := SPAN.fullmatch(text)):
        raise UsageError(f'"{text}" is no time: write days or hours, such as 90d or 12h')
    return int(read[1]) * SPAN_S[read[2]]


def token_document(token: Token) -> dict[str, object]:
    """A token as JSON keys."""
    return {
        "token_id": token.token_id,
        "name": token.name,
        "role": token.role.word,
        "begins": token.shown,
        "made_by": token.made_by,
        "made_at": iso(token.made_at),
        "ends_at": iso(token.ends_at),
        "used_at": iso(token.used_at),
        "revoked_at": iso(token.revoked_at),
    }
