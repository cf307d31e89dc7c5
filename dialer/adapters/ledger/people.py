"""People of campaigns, page by page."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dialer.adapters.ledger import picking, redialing, unfinished, view
from dialer.adapters.ledger.acts import COLUMNS as ACT_COLUMNS
from dialer.adapters.ledger.acts import add_acts, handle_of
from dialer.adapters.ledger.campaigns import CAMPAIGN_BY_ID, campaign_of
from dialer.adapters.ledger.states import in_states
from dialer.adapters.ledger.store import Store
from dialer.adapters.ledger.transaction import Row, Transaction
from dialer.domain.act import Act, By
from dialer.domain.attempt import LIVE
from dialer.domain.contact import ContactStatus
from dialer.domain.people_filter import PeopleFilter
from dialer.domain.suppression import hash_of, names_of
from dialer.errors import UnknownName
from dialer.ports import AttemptRow, Campaign, Clock, LogScan, Suppression
from dialer.ports.people import Listed, PeoplePage, Someone

LAST_ACTS = f"SELECT id, {ACT_COLUMNS} FROM acts WHERE id < :below ORDER BY id DESC LIMIT :limit"
LAST_ACTS_ON = (
    f"SELECT id, {ACT_COLUMNS} FROM acts WHERE campaign = :campaign AND id < :below ORDER BY id DESC LIMIT :limit"
)
_FEW = "(SELECT 1 FROM contacts WHERE campaign_id = :campaign_id {more} ORDER BY id LIMIT :most) AS few"
COUNT_ALL = f"SELECT count(*) FROM {_FEW.format(more='')}"
COUNT_STATUS = f"SELECT count(*) FROM {_FEW.format(more='AND status = :status')}"
_ENTRY = "id, phone, reason, source, campaign_id, added_at"
LAST_ENTRIES = f"""
SELECT {_ENTRY} FROM suppressions WHERE id < :below AND campaign_id >= 0 ORDER BY id DESC LIMIT :limit
"""
ENTRY = f"SELECT {_ENTRY} FROM suppressions WHERE id = :id"
ENTRIES_OF = f"SELECT {_ENTRY} FROM suppressions WHERE phone IN :names*"
BARRED_AMONG = "SELECT phone FROM suppressions WHERE phone IN :names* AND campaign_id = 0"

LIVE_CALLS = f"""
SELECT count(*), count(CASE WHEN state = 'unknown' THEN 1 END), min(CASE WHEN state = 'unknown' THEN dialed_at END)
FROM attempts WHERE account = :account AND state IN ({in_states(LIVE)})
"""
LAST_WHOLE_SCAN = """
SELECT started_at, ended_at, since, pages, rows, whole FROM scans
WHERE account = :account AND whole = 1 ORDER BY started_at DESC LIMIT 1
"""


@dataclass(frozen=True)
class SqlPeople:
    """The PeopleView and PeopleLedger ports over a store."""

    store: Store
    clock: Clock

    async def campaign(self, campaign_id: int) -> Campaign:
        rows = await self.store.read(lambda t: t.all(CAMPAIGN_BY_ID, {"id": campaign_id}))
        if not rows:
            raise UnknownName(f"there is no campaign {campaign_id}")
        return campaign_of(rows[0])

    async def by_status(self, campaign_id: int) -> Mapping[ContactStatus, int]:
        rows = await self.store.read(lambda t: t.all(view.CONTACT_COUNTS, {"id": campaign_id}))
        return {ContactStatus(status): count for status, count in rows}

    async def last_acts(self, campaign: str, limit: int, before: int = 2**62) -> list[Act]:
        statement, params = (
            LAST_ACTS_ON if campaign else LAST_ACTS,
            {"campaign": campaign, "limit": limit, "below": before},
        )
        return [Act(*row) for row in await self.store.read(lambda t: t.all(statement, params))]

    async def live_calls(self, account: str) -> tuple[int, int, float | None]:
        used, unknown, since = (await self.store.read(lambda t: t.all(LIVE_CALLS, {"account": account})))[0]
        return used, unknown, since

    async def last_whole_scan(self, account: str) -> LogScan | None:
        rows = await self.store.read(lambda t: t.all(LAST_WHOLE_SCAN, {"account": account}))
        return LogScan(*rows[0]) if rows else None

    async def page(self, campaign_id: int, wanted: PeopleFilter, after: int, limit: int) -> PeoplePage:
        now = self.clock.now()
        return await self.store.read(lambda t: picking.page_after(t, campaign_id, wanted, after, limit, now))

    async def count(self, campaign_id: int, status: ContactStatus | None, most: int) -> int:
        params = {"campaign_id": campaign_id, "status": str(status or ""), "most": most}
        statement = COUNT_STATUS if status else COUNT_ALL
        return int(await self.store.read(lambda t: t.all(statement, params)[0][0]))

    async def person(self, contact_id: int) -> Someone:
        someone = await self.store.read(lambda t: picking.one(t, contact_id, self.clock.now()))
        if someone is None:
            raise UnknownName(f"there is no person {contact_id}")
        return someone

    async def of_number(self, phone: str) -> list[Someone]:
        return await self.store.read(lambda t: picking.of_number(t, phone, self.clock.now()))

    async def attempts(self, campaign_id: int, after: int, limit: int) -> list[AttemptRow]:
        rows = await self.store.read(lambda t: view.attempts_after(t, campaign_id, after, limit))
        return [row for _, row in rows]

    async def entries_of(self, phones: Sequence[str]) -> list[Listed]:
        names = sorted({name for phone in phones for name in names_of(phone)})
        rows = await self.store.read(lambda t: t.all(ENTRIES_OF, {"names": names}))
        return [_listed(row) for row in sorted(rows)]

    async def barred_among(self, phones: Sequence[str]) -> set[str]:
        names = [name for phone in phones for name in names_of(phone)]
        listed = {row[0] for row in await self.store.read(lambda t: t.all(BARRED_AMONG, {"names": names}))}
        return {phone for phone in phones if phone in listed or hash_of(phone) in listed}

    async def suppressions(self, before: int, limit: int) -> list[Listed]:
        rows = await self.store.read(lambda t: t.all(LAST_ENTRIES, {"below": before, "limit": limit}))
        return [_listed(row) for row in rows]

    async def suppression(self, entry_id: int) -> Listed:
        rows = await self.store.read(lambda t: t.all(ENTRY, {"id": entry_id}))
        if not rows:
            raise UnknownName(f"the suppression list has no entry {entry_id}")
        return _listed(rows[0])

    async def call_again(
        self, campaign_id: int, contact_ids: Sequence[int], words: str, by: By, *, only_look: bool = False
    ) -> Mapping[str, int]:
        return await redialing.redial_these(
            self.store, self.clock, campaign_id, contact_ids, words, by, only_look=only_look
        )

    async def stop(self, campaign_id: int, wanted: PeopleFilter, by: By) -> int:
        await self.store.submit(_begin_stops, [(campaign_id, wanted)], by)
        return await unfinished.finish(self.store, self.clock, campaign_id)


def _begin_stops(transaction: Transaction, stops: Sequence[tuple[int, PeopleFilter]], by: By, now: float) -> list[None]:
    """Keep who said it, and leave a mark: the rest is done page by page."""
    for campaign_id, wanted in stops:
        unfinished.leave(transaction, unfinished.STOP, campaign_id, now, wanted.text)
        meant, handle = json.dumps({"meant": wanted.words}), handle_of(transaction, campaign_id)
        add_acts(transaction, [Act(0, now, by.who, "stop calling", handle, after=meant, why=by.why)])
    return [None] * len(stops)


def _listed(row: Row) -> Listed:
    entry_id, phone, reason, source, campaign_id, added_at = row
    return Listed(entry_id, Suppression(phone, reason, source, campaign_id or None, added_at))
