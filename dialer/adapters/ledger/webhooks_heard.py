"""Webhooks of providers, remembered so that one that is sent again changes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from dialer.adapters.ledger.reconcile import NOTE_FACT
from dialer.adapters.ledger.store import Store
from dialer.adapters.ledger.transaction import Transaction
from dialer.ports.webhooks import HeardWebhook, Webhook
from dialer.ports.world import Clock

_COLUMNS = "account, event, call_id, signed_by, received_at"

FORGET = "DELETE FROM webhooks WHERE received_at <= :before"
HEAR = """
INSERT INTO webhooks (digest, account, call_id, event, signed_by, received_at)
VALUES (:digest, :account, :call_id, :event, :signed_by, :now) ON CONFLICT (digest) DO NOTHING
"""
OF_CALLS = f"SELECT {_COLUMNS} FROM webhooks WHERE call_id IN :call_ids* ORDER BY id"
LAST = f"SELECT {_COLUMNS} FROM webhooks WHERE account = :account ORDER BY id DESC LIMIT 1"
FACT = "SELECT value FROM ledger_facts WHERE name = :name"
KEEP_PATH = "INSERT INTO ledger_facts (name, value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING"


@dataclass(frozen=True)
class SqlWebhooks:
    """The WebhookLedger port over a store."""

    store: Store
    clock: Clock

    async def hear(self, webhook: Webhook, keep_s: float) -> bool:
        return (await self.store.submit(_hear, [webhook], keep_s, serial=False))[0]

    async def note_unsigned(self, account: str) -> None:
        await self.store.submit(_note_unsigned, [account], serial=False)

    async def path(self, account: str, fresh: str = "") -> str:
        name = f"webhook-path:{account}"
        kept = await self._fact(name)
        if kept or not fresh:
            return kept
        await self.store.submit(_keep_paths, [(name, fresh)], serial=False)
        return await self._fact(name)

    async def of_calls(self, call_ids: Sequence[str]) -> list[HeardWebhook]:
        params = {"call_ids": [call_id for call_id in call_ids if call_id]}
        return [HeardWebhook(*row) for row in await self.store.read(lambda t: t.all(OF_CALLS, params))]

    async def last(self, account: str) -> HeardWebhook | None:
        rows = await self.store.read(lambda t: t.all(LAST, {"account": account}))
        unsigned_at = float(await self._fact(_unsigned(account)) or 0.0)
        if rows and rows[0][-1] >= unsigned_at:
            return HeardWebhook(*rows[0])
        return HeardWebhook(account, "", "", "", unsigned_at) if unsigned_at else None

    async def _fact(self, name: str) -> str:
        rows = await self.store.read(lambda t: t.all(FACT, {"name": name}))
        return str(rows[0][0]) if rows else ""


def _unsigned(account: str) -> str:
    return f"webhook-unsigned:{account}"


def _hear(transaction: Transaction, webhooks: Sequence[Webhook], keep_s: float, now: float) -> list[bool]:
    transaction.run(FORGET, {"before": now - keep_s})
    # In one order, so that two processes do not wait for each other.
    order = sorted(range(len(webhooks)), key=lambda place: webhooks[place].digest)
    won = transaction.won(HEAR, [_values(webhooks[place]) | {"now": now} for place in order])
    kept = dict(zip(order, won, strict=True))
    return [kept[place] for place in range(len(webhooks))]


def _values(one: Webhook) -> dict[str, object]:
    return {
        "digest": one.digest,
        "account": one.account,
        "call_id": one.call_id,
        "event": one.event,
        "signed_by": one.signed_by,
    }


def _note_unsigned(transaction: Transaction, accounts: Sequence[str], now: float) -> list[None]:
    for account in sorted(set(accounts)):
        transaction.run(NOTE_FACT, {"name": _unsigned(account), "value": repr(now)})
    return [None] * len(accounts)


def _keep_paths(transaction: Transaction, paths: Sequence[tuple[str, str]], now: float) -> list[None]:
    del now
    transaction.many(KEEP_PATH, [{"name": name, "value": fresh} for name, fresh in paths])
    return [None] * len(paths)
