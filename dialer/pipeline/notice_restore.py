"""Is this ledger older than what was done since? Asked before an account is dialed.

A ledger that was restored from a copy knows nothing of the calls made after the copy was taken, and would make them
again. The provider's log shows them; and how many sends the ledger held is noted outside of it (``SendMarks``). Calls
that it does not know are taken over from the log before anybody is called. Until none can come up any more the account
waits; where its log does not show every call, the operator decides.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import structlog

from dialer.domain.attempt import AttemptState
from dialer.domain.call import CallLog
from dialer.domain.campaign import CampaignStatus
from dialer.domain.matching import HIDDEN, contradicts, is_agents
from dialer.domain.phone_number import Phone, parse_phone
from dialer.pipeline.heed_opt_outs import HeedOptOuts
from dialer.pipeline.read_log import LogReading
from dialer.pipeline.reconcile_calls import ReconcileCalls
from dialer.ports import RESTORED, Adopted, Campaign, OpenContact, SendMarks

log = structlog.get_logger()

AFTER_RESTORE = "`dialer start NAME --after-restore` goes on"
FROM_A_COPY = "made after the copy was taken that this ledger was restored from"
DAY_S = 86_400.0
NEAR_S = 10.0
"""How much before the last known send a later call may begin by the provider's clock, beyond what was seen."""


@dataclass(frozen=True, slots=True)
class Quarantine:
    """Why an account waits, as the ledger keeps it. ``since``: the last event it knows; ``last``: that it lacks.

    ``accepted``: the operator wants to go on. Times are unix seconds.
    """

    since: float = 0.0
    last: float = 0.0
    adopted: int = 0
    why: str = ""
    accepted: bool = False


@dataclass
class NoticeRestore:
    """Of one account, in one process. ``may_dial``: nothing is older here, or all has been taken over."""

    reconciler: ReconcileCalls
    marks: SendMarks
    every_s: float
    """How often the log is read while the account waits."""
    may_dial: bool = False
    _most: int = 0
    _noted: int = -1
    _again_at: float = 0.0

    async def look(self) -> None:
        """Compare, unless that is done; note how far the ledger is, where it cannot be restored with it."""
        sends, sent_at = await self.reconciler.ledger.last_send()
        if sends < self._most:
            self.may_dial, self._most = False, sends  # restored under our feet
        if not self.may_dial and self.reconciler.clock.now() >= self._again_at:
            await self._compare(sends, sent_at)
        if self.may_dial and sends != self._noted:
            await self.marks.note(sends, self.reconciler.clock.now())
            self._most = self._noted = sends

    async def _compare(self, sends: int, sent_at: float) -> None:
        room, account = self.reconciler, self.reconciler.provider.account
        campaigns = [c for c in await room.view.campaigns() if c.spec.provider == account]
        if not any(campaign.status is CampaignStatus.RUNNING for campaign in campaigns):
            return
        facts = await room.ledger.log_facts(account)
        before = Quarantine(**json.loads(facts[RESTORED])) if RESTORED in facts else None
        if before is not None and before.accepted:
            await self._pass(before, "the operator goes on")
            return
        noted, noted_at = await self.marks.highest()
        older = noted > sends
        since = before.since if before else sent_at or min(campaign.created_at for campaign in campaigns)
        if before is None and older and not sent_at:
            since = min(since, noted_at - DAY_S)  # the campaign itself may have been made again
        scan = await self._read(since, facts)
        if scan is None:
            return
        strays = await self._strays(scan, since - (self._nearness_s if sent_at else 0.0))
        adopted, held_up = await self._adopt(scan, strays, campaigns)
        if before is None and not adopted and not held_up and not older:
            await self._pass(None, "")
            return
        before = before or Quarantine(since)
        begun = [row.started_at or scan.started for row in (*adopted, *held_up)]
        last = max([before.last, since, *begun, *([noted_at] if older else [])])
        unclear = bool(scan.unreadable) or any(HIDDEN in row.to_number for row in strays)
        await self._wait_or_ask(replace(before, last=last, adopted=before.adopted + len(adopted)), unclear=unclear)

    @property
    def _nearness_s(self) -> float:
        return max(0.0, self.reconciler.reader.clock.behind_s or 0.0) + NEAR_S

    async def _read(self, since: float, facts: Mapping[str, str]) -> LogReading | None:
        """The whole log back to the last event of the ledger; None while it cannot be read."""
        room = self.reconciler
        await room.doubts.recall(facts, room.clock.now(), calling=False)
        scan = await room.reader.read(since - self._nearness_s, room.clock.now(), None)
        if scan.failure is None:
            return scan
        await room.trouble.mind(scan.failure, calling=True)
        await room.doubts.note(room.trouble.words())
        self._again_at = room.clock.now() + room.trouble.rest_s(self.every_s)
        return None

    async def _strays(self, scan: LogReading, since: float) -> list[CallLog]:
        """Calls since then that nothing in the ledger explains, oldest first."""
        room = self.reconciler
        account, clock = room.provider.account, room.reader.clock
        waiting = await room.ledger.open_attempts(account, room.clock.now() - 2 * room.horizon_s)
        explained = room.explainer().explain(scan, waiting)
        tokens = await room.ledger.known_tokens([row.token for row in scan.rows.values() if row.token])
        denied = await room.ledger.denied_sends(account, since - room.horizon_s)
        strays = []
        for call_id, row in scan.rows.items():
            known = scan.known.get(call_id)
            ours = call_id in explained.matches or call_id in explained.legs or call_id in explained.corrections
            if ours or not row.outbound or row.token in tokens or (known is not None and known.attempt_id is not None):
                continue
            if row.started_at is None or row.started_at < since or (clock.shows_token and not row.token):
                continue
            if not any(contradicts(row, send.token, send.phone, send.sent_at) for send in denied):
                strays.append(row)
        return sorted(strays, key=lambda row: row.started_at or 0.0)

    async def _adopt(
        self, scan: LogReading, strays: Sequence[CallLog], campaigns: Sequence[Campaign]
    ) -> tuple[list[CallLog], list[CallLog]]:
        """Take over the calls to people we would call, and what was said in them.

        Answers those, and calls to people who have another call to be settled first.
        """
        if not strays:
            return [], []
        room, account = self.reconciler, self.reconciler.provider.account
        specs = {campaign.campaign_id: campaign.spec for campaign in campaigns}
        heeding = HeedOptOuts(room.ledger, room.view, account, room.memory.heeded)
        await heeding.heed(strays, [], {}, scan.known, specs)
        regions = {campaign.spec.region for campaign in campaigns if campaign.spec.region}
        meant = {row.call_id: _spellings(row.to_number, regions) for row in strays}
        waiting = await room.ledger.open_contacts(account, [phone for phones in meant.values() for phone in phones])
        live = {attempt.phone: attempt.state for attempt in await room.view.live_attempts(account)}
        taken, held_up = [], []
        for row in strays:
            whose = [one for one in waiting if one.phone in meant[row.call_id]]
            whose = [one for one in whose if is_agents(row, one.spec.agent) is not False]
            state = next((live[one.phone] for one in whose if one.phone in live), None)
            if whose and state is None:
                taken.append(self._taken(row, whose[0]))
            elif state is not None and state is not AttemptState.DIALING:
                held_up.append(row)  # while it is being dialed, this may be that very call
        if taken:
            await room.ledger.adopt_calls(account, taken)
            log.warning("ledger.calls_adopted", account=account, calls=len(taken))
        return [one.log for one in taken], held_up

    def _taken(self, row: CallLog, contact: OpenContact) -> Adopted:
        follow = None
        if row.disposition is not None:
            follow = self.reconciler.follow.after(contact.spec, row.disposition, contact.attempts_made, row)
        return Adopted(row, contact.contact_id, contact.spec, FROM_A_COPY, follow)

    async def _wait_or_ask(self, case: Quarantine, *, unclear: bool) -> None:
        """The ledger is older. Wait until every call shows; then go on, or halt where the log hides some."""
        room, account = self.reconciler, self.reconciler.provider.account
        waits_s = case.last + room.horizon_s - room.clock.now()
        reason = (
            "this ledger is older than what was done since: it was restored from a copy. "
            f"{case.adopted} calls that it did not know were taken over from the call log"
        )
        if waits_s > 0:
            why = f"{reason}; the account waits for others that may still come up there. {AFTER_RESTORE} at once"
        elif unclear or room.provider.silent_when_unanswered:
            why = f"{reason}; but it does not show every call. {AFTER_RESTORE}, and may call people again"
        else:
            await self._pass(case, "every call since was taken over")
            return
        facts = await room.ledger.log_facts(account)
        if json.loads(facts.get(RESTORED, "{}")).get("accepted"):
            return  # said meanwhile
        if waits_s <= 0:
            halted = await room.ledger.halt_account(account, why)
            log.error("ledger.older_than_log", account=account, adopted=case.adopted, campaigns=halted)
        await room.ledger.note_log(account, {RESTORED: json.dumps(asdict(replace(case, why=why)))})
        self._again_at = room.clock.now() + self.every_s

    async def _pass(self, case: Quarantine | None, why: str) -> None:
        room = self.reconciler
        if case is not None:
            log.warning("ledger.quarantine_over", account=room.provider.account, why=why, adopted=case.adopted)
            await room.ledger.note_log(room.provider.account, {RESTORED: ""})
        self.may_dial, self._noted, self._most = True, -1, 0


def _spellings(shown: str, regions: Collection[str]) -> list[str]:
    """The numbers that a row may mean: as written, or dialed at home in one of these regions."""
    if not shown or HIDDEN in shown:
        return []
    parsed = [parse_phone(shown.lstrip("+"), region) for region in regions]
    return [shown, *(one.e164 for one in parsed if isinstance(one, Phone) and one.e164 != shown)]
