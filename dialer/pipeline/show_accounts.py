"""Each account at a provider as it stands now."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dialer.domain.campaign import OVER
from dialer.pipeline.hear_webhooks import HearWebhooks
from dialer.pipeline.iso import iso
from dialer.pipeline.known_pace import known_pace
from dialer.ports import LOG_NOTES, RESTORED, LedgerView, Limits, LogScan, PaceState
from dialer.ports.ledger import Ledger
from dialer.ports.people import PeopleView


@dataclass(frozen=True)
class ShowAccounts:
    """The reader's room. ``accounts``: the limits of each; ``has_key``: whether it can be used; ``pace_of``: what the
    pacer says of it, None where there is none to ask.
    """

    ledger: Ledger
    view: LedgerView
    people: PeopleView
    accounts: Mapping[str, Limits]
    has_key: Callable[[str], bool]
    pace_of: Callable[[str], Awaitable[PaceState]] | None = None
    webhooks: HearWebhooks | None = None

    async def documents(self) -> list[dict[str, Any]]:
        """Every account that can be used or has a campaign, as JSON keys; times are ISO 8601 in UTC."""
        campaigns = await self.view.campaigns(over=True)
        used = {one.spec.provider for one in campaigns}
        names = [name for name in self.accounts if name in used or self.has_key(name)]
        open_ones = {name: [one.spec.name for one in campaigns if one.spec.provider == name and one.status not in OVER]
                     for name in names}  # fmt: skip
        return [await self._document(name, open_ones[name]) for name in names]

    async def _document(self, account: str, campaigns: list[str]) -> dict[str, Any]:
        limits, state = self.accounts[account], await known_pace(self.pace_of, account)
        used, unknown, since = await self.people.live_calls(account)
        facts = await self.ledger.log_facts(account)
        return {
            "account": account,
            "has_key": self.has_key(account),
            "campaigns": campaigns,
            "calls_per_second": {
                "configured": limits.calls_per_second,
                "learned": state.learned_per_s if state else None,
            },
            "lines": {"used": used, "limit": limits.concurrent_calls},
            "braked_until": iso(state.braked_until) if state else None,
            "unknown": {"calls": unknown, "since": iso(since)},
            "log": _scan_document(await self.people.last_whole_scan(account)),
            "webhook": await self._webhook(account),
            "notes": [*json.loads(facts.get(LOG_NOTES, "[]")), *_restored(facts)],
        }

    async def _webhook(self, account: str) -> dict[str, Any] | None:
        """The last webhook; None where none came, or this account's are not taken."""
        if self.webhooks is None or self.webhooks.account != account:
            return None
        last = await self.webhooks.last()
        if last is None:
            return None
        return {"received_at": iso(last.received_at), "event": last.event, "signed_by": last.signed_by or None}


def _scan_document(scan: LogScan | None) -> dict[str, Any] | None:
    """The last reading of the log that reached as far back as it had to, and without a gap."""
    if scan is None:
        return None
    return {"read_at": iso(scan.ended_at), "back_to": iso(scan.since), "pages": scan.pages, "rows": scan.rows}


def _restored(facts: Mapping[str, str]) -> list[str]:
    why = json.loads(facts.get(RESTORED, "{}")).get("why", "")
    return [why] if why else []
