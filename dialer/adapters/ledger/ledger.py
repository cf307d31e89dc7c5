"""The Ledger and LedgerView ports over a store: each method names one verb, nothing else happens here."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, TypeVar

from dialer.adapters.ledger import (
    acts,
    adopting,
    campaigns,
    claiming,
    dial,
    expiry,
    feed,
    importing,
    leases,
    lines,
    listing,
    logins,
    readings,
    reconcile,
    redialing,
    reviewing,
    suppressing,
    unfinished,
    view,
    waiting,
    weighing,
)
from dialer.adapters.ledger.engines import open_engine
from dialer.adapters.ledger.keys import SqlKeys
from dialer.adapters.ledger.ledger_clock import LedgerClock
from dialer.adapters.ledger.migrate import prepare, refuse_newer
from dialer.adapters.ledger.people import SqlPeople
from dialer.adapters.ledger.pieces import Pieces
from dialer.adapters.ledger.store import Store
from dialer.adapters.ledger.turns import in_turns
from dialer.adapters.ledger.uploads import SqlUploads
from dialer.adapters.ledger.webhooks_heard import SqlWebhooks
from dialer.domain.act import PROGRAM, Act, By
from dialer.domain.campaign import CampaignSpec, CampaignStatus
from dialer.domain.contact import NewContact
from dialer.domain.waiting import Waiting
from dialer.ports import (
    Absent,
    Adopted,
    AttemptRow,
    Campaign,
    Clock,
    ContactRow,
    Denied,
    Event,
    GateAnswer,
    GateRequest,
    ImportCounts,
    KeptLogin,
    KnownCall,
    LiveCall,
    LogScan,
    Matched,
    OpenAttempt,
    OpenContact,
    Owed,
    QueuedAttempt,
    Report,
    Send,
    SendOutcome,
    SourceState,
    Supply,
    Suppression,
    Swept,
    Verdict,
)

PAGE = 2000
AT_ONCE = 50
"""Of what is moved one by one while the gate waits; see ``turns``."""
Item = TypeVar("Item")
Found = TypeVar("Found")


class SqlLedger:
    """The only truth, on ``sqlite:///FILE`` or ``postgresql://...``."""

    def __init__(self, store: Store, clock: Clock, identity: str, made_at: str = "") -> None:
        self._store, self.clock = store, clock
        self.keys, self.people, self.uploads = SqlKeys(store, clock), SqlPeople(store, clock), SqlUploads(store, clock)
        self.webhooks = SqlWebhooks(store, clock)
        self.identity = identity
        """A random name, one per ledger; keys in Redis carry it."""
        self.made_at = made_at
        """Where it was made just now; "" for one that was there."""
        self._pieces = Pieces(clock.monotonic)
        self._record_logs = self._pieces.timed(reconcile.record_logs)
        self._correct_logs = self._pieces.timed(reconcile.correct_logs)
        self._settle_absent = self._pieces.timed(reconcile.settle_absent)

    @classmethod
    async def open(cls, url: str, clock: Clock, *, shared_time: bool = False) -> "SqlLedger":
        """Open it, migrated to the newest schema. Raises LedgerUnavailable.

        ``shared_time``: its clock is the database's, whatever ``clock`` shows.
        """
        identity, made_at = await asyncio.to_thread(prepare, url)
        own = LedgerClock(clock) if shared_time else clock
        store = Store(open_engine(url), own)
        await asyncio.to_thread(store.keep_time)
        return cls(store, own, identity, made_at)

    async def aclose(self) -> None:
        """Commit what was asked for and close."""
        await self._store.aclose()

    async def _in_turns(self, verb: Callable[..., Sequence[Found]], items: Sequence[Item], *of: Any) -> list[Found]:
        return await in_turns(self._store, self.clock, verb, items, *of, at_once=AT_ONCE)

    async def beat(self) -> None:
        """Write something, to learn whether it can be written now. Raises LedgerUnavailable, LedgerNewer."""
        refuse_newer((await self._store.submit(feed.beat, [None], serial=False))[0])

    # import

    async def open_campaign(self, spec: CampaignSpec, by: By = PROGRAM) -> Campaign:
        opened, left = (await self._store.submit(campaigns.open_campaigns, [spec], by))[0]
        if left:
            await unfinished.finish(self._store, self.clock, opened.campaign_id)
        return opened

    async def add_contacts(self, campaign_id: int, contacts: Sequence[NewContact], fingerprint: str = "") -> list[str]:
        return await importing.add_list(self._store, self.clock, campaign_id, contacts, fingerprint)

    async def foresee(self, spec: CampaignSpec, contacts: Sequence[NewContact], fingerprint: str) -> list[str]:
        return await self._store.read(lambda t: listing.foresee(t, contacts, spec, fingerprint, self.clock.now()))

    async def record_import(
        self, campaign_id: int, fingerprint: str, source: str, counts: ImportCounts, by: By = PROGRAM
    ) -> None:
        await self._store.submit(campaigns.record_imports, [(fingerprint, source, counts)], campaign_id, by)

    # reading a source

    async def begin_reading(self, campaign_id: int, holder: str, lease_s: float) -> int | None:
        return (await self._store.submit(readings.begin_reading, [(campaign_id, holder, lease_s)]))[0]

    async def take_rows(
        self, campaign_id: int, reading: int, contacts: Sequence[NewContact], lease_s: float
    ) -> list[str]:
        return await importing.take_rows(self._store, self.clock, campaign_id, reading, contacts, lease_s)

    async def drop_gone(self, campaign_id: int, reading: int, lease_s: float) -> int:
        return await importing.drop_gone(self._store, self.clock, campaign_id, reading, lease_s)

    async def end_reading(
        self, campaign_id: int, reading: int, next_at: float | None, error: str = "", counts: ImportCounts | None = None
    ) -> bool:
        return (await self._store.submit(readings.end_readings, [(campaign_id, reading, next_at, error, counts)]))[0]

    async def expire(self, campaign_id: int, reason: str, limit: int, *, passed: bool) -> int:
        now = self.clock.now()
        ids = await self._store.read(lambda t: expiry.idle(t, campaign_id, limit, now, passed=passed))
        return len(await self._in_turns(expiry.expire, ids, reason))

    # control

    async def move_campaign(self, campaign_id: int, verb: str, reason: str, by: By = PROGRAM) -> Campaign | None:
        moved = (await self._store.submit(campaigns.move_campaigns, [(campaign_id, verb, reason)], by))[0]
        if moved is not None and moved.status is CampaignStatus.CANCELLED:
            await unfinished.finish(self._store, self.clock, campaign_id)
        return moved

    async def halt_account(self, account: str, reason: str) -> list[str]:
        return (await self._store.submit(campaigns.halt_accounts, [(account, reason)]))[0]

    async def dialing(self, *, campaign_id: int | None = None, phones: Sequence[str] = (), since: float) -> int:
        if campaign_id is None:
            return await self._store.read(lambda transaction: view.dialing_to(transaction, phones, since))
        params = {"campaign_id": campaign_id, "since": since}
        return int(await self._store.read(lambda t: t.all(view.DIALING_OF_CAMPAIGN, params)[0][0]))

    async def suppress(self, entries: Sequence[Suppression], by: By = PROGRAM) -> list[bool]:
        return await self._in_turns(suppressing.suppress, entries, by)

    async def unsuppress(self, phones: Sequence[str], campaign_id: int | None = None, by: By = PROGRAM) -> list[bool]:
        return await self._store.submit(suppressing.unsuppress, phones, campaign_id or 0, by)

    async def record_act(self, act: str, by: By, campaign: str = "", subject: str = "") -> None:
        await self._store.submit(acts.record_acts, [(act, campaign, subject)], by)

    def acts(self, campaign: str = "") -> AsyncIterator[Act]:
        return self._paged(acts.acts_after, campaign)

    def suppressions(self) -> AsyncIterator[Suppression]:
        return self._paged(view.suppressions_after)

    async def redial(
        self, campaign_id: int, outcomes: Sequence[str], by: By = PROGRAM, *, only_look: bool = False
    ) -> Mapping[str, int]:
        return await redialing.redial(self._store, self.clock, campaign_id, outcomes, by, only_look=only_look)

    # feeding

    async def claim_due(self, wanted: Mapping[int, int], lease_s: float) -> list[list[QueuedAttempt]]:
        return await claiming.claim_due(self._store, self.clock, wanted, lease_s)

    async def waiting_in_queue(self) -> Mapping[int, int]:
        return dict(await self._store.read(lambda transaction: transaction.all(view.QUEUED_PER_CAMPAIGN)))

    async def hand_back(self, attempts: Sequence[QueuedAttempt], reason: str, due_at: float) -> None:
        await self._store.submit(feed.hand_back, [(attempt, reason, due_at) for attempt in attempts])

    async def renew_leases(self, attempts: Sequence[QueuedAttempt], lease_s: float) -> None:
        await self._store.submit(feed.renew_leases, [(attempt, lease_s) for attempt in attempts], first=True)

    async def sweep(self) -> Swept:
        swept = (await self._store.submit(feed.sweep, [None]))[0]
        for mark in await self._store.read(unfinished.marks):
            await unfinished.go_on(self._store, self.clock, mark)
        return swept

    async def finish_campaigns(self) -> list[str]:
        now = self.clock.now()
        done = [id_ for id_, _ in await self._store.read(lambda transaction: feed.done_campaigns(transaction, now))]
        return [name for name in await self._in_turns(feed.finish_campaigns, done) if name]

    # loops of the fleet

    async def hold_leases(self, names: Sequence[str], holder: str, lease_s: float) -> set[str]:
        # Looked at first: who holds nothing writes nothing, however many wait.
        now = self.clock.now()
        free = await self._store.read(lambda transaction: leases.free_names(transaction, names, holder, now))
        if not free:
            return set()
        won = await self._store.submit(leases.hold, free, holder, lease_s, serial=False, first=True)
        return {name for name, held in zip(free, won, strict=True) if held}

    async def free_leases(self, names: Sequence[str], holder: str) -> None:
        await self._store.submit(leases.free, names, holder, serial=False)

    # dialing

    async def pass_gate(self, requests: Sequence[GateRequest]) -> list[GateAnswer]:
        return await self._store.submit(dial.pass_gate, requests)

    async def record_sends(self, outcomes: Sequence[SendOutcome]) -> list[bool]:
        return await self._store.submit(dial.record_sends, outcomes)

    async def weigh_refusals(self, campaign_id: int) -> str:
        return (await self._store.submit(weighing.weigh_refusals, [campaign_id]))[0]

    # reconciling

    async def open_attempts(self, account: str, corrected_since: float) -> list[OpenAttempt]:
        return await self._store.read(lambda t: view.open_attempts(t, account, corrected_since))

    async def known_calls(self, account: str, call_ids: Sequence[str]) -> Mapping[str, KnownCall]:
        return await self._store.read(lambda transaction: view.known_calls(transaction, account, call_ids))

    async def rows_of(self, attempt_ids: Sequence[int]) -> Mapping[int, str]:
        return dict(await self._store.read(lambda t: t.all(view.ROWS_OF, {"ids": list(attempt_ids)})))

    async def owed(self, account: str) -> Owed:
        params = {"account": account, "now": self.clock.now()}
        calls, since, until = (await self._store.read(lambda transaction: transaction.all(view.OWED, params)))[0]
        return Owed(calls, since or 0.0, until or 0.0)

    async def last_send(self) -> tuple[int, float]:
        rows = await self._store.read(lambda transaction: transaction.all(view.LAST_SEND))
        return (int(rows[0][0]), float(rows[0][1])) if rows else (0, 0.0)

    async def known_tokens(self, tokens: Sequence[str]) -> set[str]:
        return {row[0] for row in await self._store.read(lambda t: t.all(view.KNOWN_TOKENS, {"tokens": list(tokens)}))}

    async def open_contacts(self, account: str, phones: Sequence[str]) -> list[OpenContact]:
        return await self._store.read(lambda transaction: view.open_contacts(transaction, account, phones))

    async def adopt_calls(self, account: str, calls: Sequence[Adopted]) -> list[bool]:
        return await self._store.submit(adopting.adopt_calls, calls, account)

    async def log_facts(self, account: str) -> Mapping[str, str]:
        return await self._store.read(lambda transaction: view.log_facts(transaction, account))

    async def note_log(self, account: str, facts: Mapping[str, str]) -> None:
        await self._store.submit(reconcile.note_facts, [dict(facts)], account)

    async def record_logs(self, account: str, rows: Sequence[Matched]) -> list[bool]:
        return await self._store.submit(self._record_logs, self._pieces.of(rows), account)

    async def correct_logs(self, account: str, rows: Sequence[Matched]) -> list[bool]:
        return await self._in_pieces(self._correct_logs, rows, account)

    async def denied_sends(self, account: str, since: float) -> list[Denied]:
        params = {"account": account, "since": since}
        rows = await self._store.read(lambda transaction: transaction.all(view.DENIED_SENDS, params))
        return [Denied(*row) for row in rows]

    async def record_phantoms(self, account: str, rows: Sequence[Matched]) -> list[bool]:
        return await self._store.submit(reconcile.record_phantoms, rows, account)

    async def decide_review(self, campaign_id: int, verdict: Verdict, by: By) -> bool:
        return (await self._store.submit(reviewing.decide, [verdict], campaign_id, by))[0]

    async def record_scan(self, account: str, scan: LogScan) -> None:
        await self._store.submit(reconcile.record_scans, [scan], account)

    async def settle_absent(self, attempts: Sequence[Absent]) -> list[bool]:
        return await self._in_pieces(self._settle_absent, attempts)

    async def _in_pieces(self, verb: Callable[..., list[bool]], items: Sequence[Any], *context: str) -> list[bool]:
        answers: list[bool] = []
        while len(answers) < len(items):
            answers += await self._store.submit(verb, self._pieces.of(items[len(answers) :]), *context)
        return answers

    # logins

    async def login(self, name: str) -> KeptLogin:
        return await self._store.read(lambda transaction: logins.login(transaction, name))

    async def claim_login(self, name: str, holder: str, lease_s: float) -> bool:
        return (await self._store.submit(logins.claim_logins, [(name, holder, lease_s)]))[0]

    async def keep_login(self, name: str, holder: str, tokens: str) -> None:
        await self._store.submit(logins.keep_logins, [(name, holder, tokens)])

    # viewing

    async def campaign(self, name: str) -> Campaign:
        return await self._store.read(lambda transaction: view.campaign(transaction, name))

    async def campaigns(self, *, over: bool = True) -> list[Campaign]:
        return await self._store.read(lambda transaction: view.campaigns(transaction, over=over))

    async def supplies(self) -> list[Supply]:
        return await self._store.read(view.supplies)

    async def live_calls(self, account: str, after: int, limit: int) -> list[LiveCall]:
        return await self._store.read(lambda transaction: lines.live_calls(transaction, account, after, limit))

    async def live_among(self, attempt_ids: Sequence[int]) -> set[int]:
        return await self._store.read(lambda transaction: lines.live_among(transaction, attempt_ids))

    async def live_attempts(self, account: str) -> list[OpenAttempt]:
        return await self._store.read(lambda transaction: view.live_attempts(transaction, account))

    async def in_review(self, campaign_id: int) -> list[AttemptRow]:
        return await self._store.read(lambda transaction: reviewing.in_review(transaction, campaign_id))

    async def left_in_review(self, campaign_id: int, since: float) -> int:
        return await self._store.read(lambda t: reviewing.left_in_review(t, campaign_id, since))

    async def report(self, campaign_id: int) -> Report:
        return await self._store.read(lambda t: view.report(t, campaign_id, self.clock.now()))

    async def waiting(self, campaign_id: int) -> list[Waiting]:
        return await self._store.read(lambda t: waiting.waiting(t, campaign_id, self.clock.now()))

    async def is_held(self, name: str) -> bool:
        return await self._store.read(lambda t: leases.is_held(t, name, self.clock.now()))

    async def source_states(self) -> Mapping[int, SourceState]:
        return await self._store.read(view.source_states)

    def listed(self, campaign_id: int) -> AsyncIterator[NewContact]:
        return self._paged(view.listed_after, campaign_id)

    def contact_rows(self, campaign_id: int) -> AsyncIterator[ContactRow]:
        return self._paged(view.contacts_after, campaign_id)

    def attempt_rows(self, campaign_id: int) -> AsyncIterator[AttemptRow]:
        return self._paged(view.attempts_after, campaign_id)

    async def _paged(self, page_after: Callable[..., list[tuple[int, Found]]], *of: int | str) -> AsyncIterator[Found]:
        """Every row by id, page by page: no transaction stays open between two."""
        after = 0
        while page := await self._store.read(lambda t, after=after: page_after(t, *of, after, PAGE)):  # type: ignore[misc]
            for _, row in page:
                yield row
            after = page[-1][0]

    async def sends(self, attempt_ids: Sequence[int]) -> list[Send]:
        params = {"ids": list(attempt_ids)}
        rows = await self._store.read(lambda transaction: transaction.all(view.SENDS_OF, params))
        return [Send(*row) for row in rows]

    async def spent(self, campaign_id: int) -> tuple[float, int, int]:
        row = (await self._store.read(lambda transaction: transaction.all(view.SPENT, {"id": campaign_id})))[0]
        return float(row[0]), int(row[1]), int(row[2])

    async def recent_sends(self, account: str, limit: int) -> Mapping[str, int]:
        params = {"account": account, "limit": limit}
        rows = await self._store.read(lambda transaction: transaction.all(view.RECENT_SENDS, params))
        return {row[0]: row[1] for row in rows}

    async def scans(self, account: str, since: float, until: float) -> list[LogScan]:
        params = {"account": account, "since": since, "until": until}
        scans = await self._store.read(lambda transaction: transaction.all(view.SCANS, params))
        return [LogScan(at, end, since, pages, rows, bool(whole)) for at, end, since, pages, rows, whole in scans]

    async def story(self, *, phone: str = "", attempt_id: int = 0) -> list[tuple[AttemptRow, list[Event]]]:
        return await self._store.read(lambda transaction: view.story(transaction, phone, attempt_id))
