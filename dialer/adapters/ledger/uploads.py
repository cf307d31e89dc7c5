"""Lists that were sent over the network, in parts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dialer.adapters.ledger.acts import add_acts
from dialer.adapters.ledger.store import Store
from dialer.adapters.ledger.transaction import Transaction
from dialer.domain.act import Act, By
from dialer.errors import UnknownName
from dialer.ports.uploads import Upload
from dialer.ports.world import Clock

_COLUMNS = "id, name, size, fingerprint, settings, campaign, made_by, made_at, report"

BEGIN = """
INSERT INTO uploads (name, size, fingerprint, settings, made_by, made_at)
VALUES (:name, 0, '', :settings, :made_by, :now) RETURNING id
"""
KEEP = """
INSERT INTO upload_parts (upload_id, part, content) VALUES (:id, :part, :content)
ON CONFLICT (upload_id, part) DO UPDATE SET content = excluded.content
"""
COMPLETE = "UPDATE uploads SET size = :size, fingerprint = :fingerprint WHERE id = :id"
DROP = "DELETE FROM uploads WHERE id = :id"
DROP_PARTS = "DELETE FROM upload_parts WHERE upload_id = :id AND part >= :first"
UPLOAD = f"SELECT {_COLUMNS} FROM uploads WHERE id = :id AND fingerprint <> ''"
LAST_OF = f"SELECT {_COLUMNS} FROM uploads WHERE campaign = :campaign ORDER BY id DESC LIMIT 1"
PART = "SELECT content FROM upload_parts WHERE upload_id = :id AND part = :part"
CHANGE = "UPDATE uploads SET settings = :settings WHERE id = :id AND settings = :old"
NOTE = """
UPDATE uploads SET report = :report, campaign = CASE WHEN :campaign = '' THEN campaign ELSE :campaign END
WHERE id = :id
"""
OLDER = "SELECT id FROM uploads WHERE made_at < :before ORDER BY made_at LIMIT :limit"


@dataclass(frozen=True)
class SqlUploads:
    """The Uploads port over a store."""

    store: Store
    clock: Clock

    async def begin(self, name: str, settings: str, by: By) -> int:
        values = {"name": name, "settings": settings, "made_by": by.who}
        return (await self.store.submit(_begin, [values], serial=False))[0]

    async def keep(self, upload_id: int, part: int, content: bytes) -> None:
        await self._run(KEEP, id=upload_id, part=part, content=content)

    async def complete(self, upload_id: int, size: int, fingerprint: str, by: By) -> None:
        await self.store.submit(_complete, [{"id": upload_id, "size": size, "fingerprint": fingerprint}], by)

    async def drop(self, upload_id: int) -> None:
        await self.drop_parts(upload_id, 0)
        await self._run(DROP, id=upload_id)

    async def drop_parts(self, upload_id: int, first: int) -> None:
        await self._run(DROP_PARTS, id=upload_id, first=first)

    async def upload(self, upload_id: int) -> Upload:
        rows = await self.store.read(lambda t: t.all(UPLOAD, {"id": upload_id}))
        if not rows:
            raise UnknownName(f"there is no list {upload_id}: lists that were sent are kept for a week")
        return Upload(*rows[0])

    async def last_of(self, campaign: str) -> Upload | None:
        rows = await self.store.read(lambda t: t.all(LAST_OF, {"campaign": campaign}))
        return Upload(*rows[0]) if rows else None

    async def part(self, upload_id: int, part: int) -> bytes | None:
        rows = await self.store.read(lambda t: t.all(PART, {"id": upload_id, "part": part}))
        return bytes(rows[0][0]) if rows else None

    async def change(self, upload_id: int, before: str, settings: str) -> bool:
        values = {"id": upload_id, "old": before, "settings": settings}
        return (await self.store.submit(_change, [values], serial=False))[0]

    async def note(self, upload_id: int, report: str, campaign: str = "") -> None:
        await self._run(NOTE, id=upload_id, report=report, campaign=campaign)

    async def older(self, before: float, limit: int) -> list[int]:
        rows = await self.store.read(lambda t: t.all(OLDER, {"before": before, "limit": limit}))
        return [row[0] for row in rows]

    async def _run(self, statement: str, **values: Any) -> None:
        await self.store.submit(_run_each, [values], statement, serial=False)


def _begin(transaction: Transaction, uploads: Sequence[Mapping[str, Any]], now: float) -> list[int]:
    return [int(transaction.all(BEGIN, {**one, "now": now})[0][0]) for one in uploads]


def _complete(transaction: Transaction, uploads: Sequence[Mapping[str, Any]], by: By, now: float) -> list[None]:
    for one in uploads:
        transaction.run(COMPLETE, one)
        add_acts(transaction, [Act(0, now, by.who, "upload", "", f"list {one['id']}", why=by.why)])
    return [None] * len(uploads)


def _change(transaction: Transaction, changes: Sequence[Mapping[str, Any]], now: float) -> list[bool]:
    del now
    return transaction.won(CHANGE, changes)


def _run_each(transaction: Transaction, values: Sequence[Mapping[str, Any]], statement: str, now: float) -> list[None]:
    del now
    transaction.many(statement, values)
    return [None] * len(values)
