"""Tokens, sessions, and answers that are given again."""

from collections.abc import Sequence
from dataclasses import dataclass

from dialer.adapters.ledger.acts import add_acts
from dialer.adapters.ledger.store import Store
from dialer.adapters.ledger.transaction import Row, Transaction
from dialer.domain.access import ROLES, Token, Visitor
from dialer.domain.act import Act, By
from dialer.ports.access import NewToken, Reply
from dialer.ports.world import Clock

NOTED_EVERY_S = 60.0
"""That a token or a session was used is written down so often."""
SESSIONS_AT_ONCE = 500
RUNNING_S = 120.0
"""A request of which nothing was heard for so long went down with its process."""
LINKS_KEPT_S = 2 * 86_400.0
"""Longer than any session that one of them opened."""

ADD = """
INSERT INTO tokens (name, role, secret, shown, once, made_by, made_at, ends_at)
VALUES (:name, :role, :secret, :shown, :once, :made_by, :made_at, :ends_at)
"""
ID_OF = "SELECT id FROM tokens WHERE secret = :secret"
ALL_KEYS = """
SELECT id, name, role, shown, made_by, made_at, ends_at, used_at, revoked_at FROM tokens WHERE once = 0 ORDER BY id
"""
NAME_OF = "SELECT name FROM tokens WHERE id = :id"
REVOKE = "UPDATE tokens SET revoked_at = :now WHERE id = :id AND revoked_at IS NULL"
END_SESSIONS_OF = "DELETE FROM sessions WHERE token_id = :id"
HOLDER = """
SELECT name, role, id, used_at FROM tokens
WHERE secret = :secret AND once = :once AND revoked_at IS NULL AND (ends_at IS NULL OR ends_at > :now)
"""
FORGET_LINKS = "DELETE FROM tokens WHERE once = 1 AND ends_at <= :before"
NOTE_USE = "UPDATE tokens SET used_at = :now WHERE secret = :secret"
USE_UP = """
UPDATE tokens SET used_at = :now, revoked_at = :now
WHERE secret = :secret AND once = 1 AND revoked_at IS NULL AND ends_at > :now
"""
BEGIN_SESSION = """
INSERT INTO sessions (secret, token_id, name, role, began_at, used_at, ends_at)
VALUES (:secret, :token_id, :name, :role, :now, :now, :ends_at)
"""
FORGET_SESSIONS = "DELETE FROM sessions WHERE ends_at <= :now"
SESSION = """
SELECT s.name, s.role, s.token_id, s.used_at FROM sessions s
WHERE s.secret = :secret AND s.ends_at > :now AND s.used_at > :idle_since AND (s.token_id = 0 OR EXISTS (
    SELECT 1 FROM tokens t WHERE t.id = s.token_id AND (t.once = 1 OR t.revoked_at IS NULL)
        AND (t.once = 1 OR t.ends_at IS NULL OR t.ends_at > :now)))
"""
NOTE_SESSION = "UPDATE sessions SET used_at = :now WHERE secret = :secret"
END_SESSION = "DELETE FROM sessions WHERE secret = :secret"
BEGIN_REPLY = """
INSERT INTO replies (key, fingerprint, began_at) VALUES (:key, :fingerprint, :now) ON CONFLICT (key) DO NOTHING
"""
REPLY = "SELECT fingerprint, status, headers, body FROM replies WHERE key = :key"
HEAR_OF_REPLY = "UPDATE replies SET began_at = :now WHERE key = :key AND status IS NULL"
KEEP_REPLY = """
UPDATE replies SET fingerprint = :fingerprint, status = :status, headers = :headers, body = :body WHERE key = :key
"""
FORGET_REPLY = "DELETE FROM replies WHERE key = :key"
FORGET_REPLIES = """
DELETE FROM replies WHERE began_at <= :before OR (status IS NULL AND began_at <= :lost)
"""


@dataclass(frozen=True)
class SqlKeys:
    """The AccessLedger port over a store."""

    store: Store
    clock: Clock

    async def add_token(self, token: NewToken, by: By) -> int:
        return (await self.store.submit(_add_tokens, [token], by))[0]

    async def tokens(self) -> list[Token]:
        return [_token(row) for row in await self.store.read(lambda t: t.all(ALL_KEYS))]

    async def revoke_token(self, token_id: int, by: By) -> bool:
        return (await self.store.submit(_revoke_tokens, [token_id], by))[0]

    async def holder(self, secret: str, *, once: bool = False) -> Visitor | None:
        now = self.clock.now()
        params = {"secret": secret, "once": int(once), "now": now}
        return await self._noted(await self.store.read(lambda t: t.all(HOLDER, params)), NOTE_USE, secret, now)

    async def begin_session(self, secret: str, visitor: Visitor, ends_at: float, by: By, *, once: str = "") -> bool:
        return (await self.store.submit(_begin_sessions, [(secret, visitor, ends_at, once)], by))[0]

    async def session(self, secret: str, idle_s: float) -> Visitor | None:
        now = self.clock.now()
        params = {"secret": secret, "now": now, "idle_since": now - idle_s}
        return await self._noted(await self.store.read(lambda t: t.all(SESSION, params)), NOTE_SESSION, secret, now)

    async def end_session(self, secret: str) -> None:
        await self.store.submit(_run_each, [{"secret": secret}], END_SESSION, serial=False)

    async def begin_reply(self, key: str, keep_s: float) -> Reply | None:
        return (await self.store.submit(_begin_replies, [key], keep_s, serial=False))[0]

    async def hear_of_reply(self, key: str) -> None:
        await self.store.submit(_hear_of_replies, [key], serial=False)

    async def keep_reply(self, key: str, reply: Reply | None) -> None:
        if reply is None:
            await self.store.submit(_run_each, [{"key": key}], FORGET_REPLY, serial=False)
            return
        values = {"key": key, "fingerprint": reply.fingerprint, "status": reply.status}
        values |= {"headers": reply.headers, "body": reply.body}
        await self.store.submit(_run_each, [values], KEEP_REPLY, serial=False)

    async def _noted(self, rows: Sequence[Row], note: str, secret: str, now: float) -> Visitor | None:
        if not rows:
            return None
        name, role, token_id, used_at = rows[0]
        if used_at is None or used_at < now - NOTED_EVERY_S:
            await self.store.submit(_run_each, [{"secret": secret, "now": now}], note, serial=False)
        return Visitor(name, ROLES[role], token_id)


def _add_tokens(transaction: Transaction, tokens: Sequence[NewToken], by: By, now: float) -> list[int]:
    ids = []
    if any(token.once for token in tokens):
        transaction.run(FORGET_LINKS, {"before": now - LINKS_KEPT_S})
    for token in tokens:
        values = {
            "name": token.name,
            "role": token.role.word,
            "secret": token.secret,
            "shown": token.shown,
            "once": int(token.once),
            "made_by": by.who,
            "made_at": now,
            "ends_at": token.ends_at,
        }
        transaction.run(ADD, values)
        ids.append(int(transaction.all(ID_OF, {"secret": token.secret})[0][0]))
    add_acts(
        transaction,
        [Act(0, now, by.who, "token", "", one.name, "", one.role.word, by.why) for one in tokens if not one.once],
    )
    return ids


def _revoke_tokens(transaction: Transaction, token_ids: Sequence[int], by: By, now: float) -> list[bool]:
    won = transaction.won(REVOKE, [{"id": token_id, "now": now} for token_id in token_ids])
    for token_id, revoked in zip(token_ids, won, strict=True):
        if revoked:
            transaction.run(END_SESSIONS_OF, {"id": token_id})
            name = transaction.all(NAME_OF, {"id": token_id})[0][0]
            add_acts(transaction, [Act(0, now, by.who, "revoke", "", name, why=by.why)])
    return won


def _begin_sessions(
    transaction: Transaction, sessions: Sequence[tuple[str, Visitor, float, str]], by: By, now: float
) -> list[bool]:
    transaction.run(FORGET_SESSIONS, {"now": now})
    begun = []
    for secret, visitor, ends_at, once in sessions:
        if once and not transaction.run(USE_UP, {"secret": once, "now": now}):
            begun.append(False)
            continue
        values = {"secret": secret, "token_id": visitor.token_id, "name": visitor.name}
        values |= {"role": visitor.role.word, "now": now, "ends_at": ends_at}
        transaction.run(BEGIN_SESSION, values)
        add_acts(transaction, [Act(0, now, by.who, "sign in", "", visitor.name, "", visitor.role.word)])
        begun.append(True)
    return begun


def _begin_replies(transaction: Transaction, keys: Sequence[str], keep_s: float, now: float) -> list[Reply | None]:
    transaction.run(FORGET_REPLIES, {"before": now - keep_s, "lost": now - RUNNING_S})
    # In one order, so that two processes do not wait for each other.
    order = sorted(range(len(keys)), key=keys.__getitem__)
    begun = {place: _begun(transaction, keys[place], now) for place in order}
    return [begun[place] for place in range(len(keys))]


def _begun(transaction: Transaction, key: str, now: float) -> Reply | None:
    """What was there may be forgotten by another process between two statements: then it begins after all."""
    while not transaction.run(BEGIN_REPLY, {"key": key, "fingerprint": "", "now": now}):
        if rows := transaction.all(REPLY, {"key": key}):
            return Reply(*rows[0])
    return None


def _hear_of_replies(transaction: Transaction, keys: Sequence[str], now: float) -> list[None]:
    transaction.many(HEAR_OF_REPLY, [{"key": key, "now": now} for key in keys])
    return [None] * len(keys)


def _run_each(transaction: Transaction, values: Sequence[dict[str, object]], statement: str, now: float) -> list[None]:
    del now
    transaction.many(statement, values)
    return [None] * len(values)


def _token(row: Row) -> Token:
    token_id, name, role, *rest = row
    return Token(token_id, name, ROLES[role], *rest)
