"""Puts what the rows of a log settle into the ledger. One row that cannot be stored does not keep the others out."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import structlog

from dialer.domain.checkpoint import Passing, unwatched
from dialer.domain.redial import Settle
from dialer.errors import LedgerUnavailable
from dialer.ports import Ledger, Matched, Pacer
from dialer.ports.meter import UNMETERED, Meter

log = structlog.get_logger()


@dataclass
class RecordRows:
    """For one account. ``set_aside``: calls whose rows could not be stored."""

    ledger: Ledger
    pacer: Pacer
    account: str
    passing: Passing = unwatched
    set_aside: set[str] = field(default_factory=set)
    meter: Meter = UNMETERED

    async def record(self, rows: Sequence[Matched]) -> int:
        """Store rows, end the attempts they settle and free their lines; answers how many ended."""
        rows = [row for row in rows if row.log.call_id not in self.set_aside]
        if not rows:
            return 0
        ended = await self._stored(rows)
        self.passing("reconcile.recorded")
        self._count([row for row, won in zip(rows, ended, strict=True) if won])
        over = [row.attempt_id for row, won in zip(rows, ended, strict=True) if won and row.attempt_id is not None]
        await self.pacer.release(self.account, over)
        self.passing("reconcile.released")
        return len(over)

    def _count(self, ended: Sequence[Matched]) -> None:
        for row in ended:
            self.meter.ended(self.account, row.log)
            if isinstance(row.follow, Settle):
                self.meter.finished(row.follow.status)

    async def correct(self, rows: Sequence[Matched]) -> int:
        """Take in later news of settled calls; answers how many outcomes it changed."""
        changed = sum(await self.ledger.correct_logs(self.account, rows)) if rows else 0
        if changed:
            log.info("calls.corrected", account=self.account, calls=changed)
        return changed

    async def _stored(self, rows: Sequence[Matched]) -> list[bool]:
        ended: list[bool] = []
        while len(ended) < len(rows):
            ended += await self._first_of(rows[len(ended) :])
        return ended

    async def _first_of(self, rows: Sequence[Matched]) -> list[bool]:
        """Store as many of them as go together: all that the ledger takes, or those before one that does not go."""
        try:
            return await self.ledger.record_logs(self.account, rows)
        except LedgerUnavailable:
            raise
        except Exception as wrong:  # noqa: BLE001 - whatever it is, it is about one of these rows
            return await self._first_of(rows[: len(rows) // 2]) if len(rows) > 1 else [await self._bare(rows[0], wrong)]

    async def _bare(self, row: Matched, wrong: Exception) -> bool:
        """Without its texts, what a row says of the outcome can be stored in any case; else it is set aside."""
        call = row.log
        bare = replace(call, raw_status="", summary="", recording_url="", entities={})
        kind = type(wrong).__name__
        try:
            ended = (await self.ledger.record_logs(self.account, [replace(row, log=bare)]))[0]
        except LedgerUnavailable:
            raise
        except Exception:
            self.set_aside.add(call.call_id)
            log.exception("log.row_set_aside", account=self.account, attempt=row.attempt_id)
            return False
        log.error("log.row_stored_bare", account=self.account, attempt=row.attempt_id, error=kind)
        return ended
