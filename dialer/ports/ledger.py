"""The ledger: the only truth."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

from dialer.domain.act import PROGRAM, Act, By
from dialer.domain.campaign import CampaignSpec
from dialer.domain.contact import NewContact
from dialer.domain.waiting import Waiting
from dialer.ports.pacing import QueuedAttempt
from dialer.ports.records import (
    Absent,
    Adopted,
    AttemptRow,
    Campaign,
    ContactRow,
    Denied,
    Event,
    GateAnswer,
    GateRequest,
    ImportCounts,
    KnownCall,
    LiveCall,
    LogScan,
    Matched,
    OpenAttempt,
    OpenContact,
    Owed,
    Report,
    Send,
    SendOutcome,
    SourceState,
    Supply,
    Suppression,
    Swept,
    Verdict,
)


class Ledger(Protocol):
    """The only truth: verbs, each one transaction, each guarded by the state it expects.

    Every verb that moves an attempt appends one event for it in the same transaction, and one that moves a campaign,
    changes its spec or the suppression list an act, ``by`` whom. A verb that takes a
    list answers per item, in order. All raise LedgerUnavailable when nothing could be written. The ledger
    reads its clock inside the transaction: a verdict is about the moment it holds.
    """

    # import
    async def open_campaign(self, spec: CampaignSpec, by: By = PROGRAM) -> Campaign:
        """The campaign of that name, made as a draft (``is_new``) if there is none, else with the new spec.

        A rehearsal and a real campaign of the same name are two. Raises UsageError when a campaign that has begun
        would change its provider.
        """
        ...

    async def add_contacts(self, campaign_id: int, contacts: Sequence[NewContact], fingerprint: str = "") -> list[str]:
        """Add people, due at once or as their appointment says, from the list with this ``fingerprint``.

        An appointment for which a later list has another time is moved, and planned again. Answers for each "queued",
        "suppressed", "deferred" (kept, but no moment is left to call), "duplicate" (the campaign has the number, and
        the list says nothing new), "doubled" (another row of the list has the number), "second" (and another
        appointment), "other" (another person's appointment stands under the number) or "busy" (a call is on its way:
        import the list again).
        """
        ...

    async def record_import(
        self, campaign_id: int, fingerprint: str, source: str, counts: ImportCounts, by: By = PROGRAM
    ) -> None:
        """Remember what a list brought; the same list again only adds what it added."""
        ...

    # reading a source
    async def begin_reading(self, campaign_id: int, holder: str, lease_s: float) -> int | None:
        """The number of a new reading of the campaign's source; None while another reading holds its lease."""
        ...

    async def take_rows(
        self, campaign_id: int, reading: int, contacts: Sequence[NewContact], lease_s: float
    ) -> list[str]:
        """Add who is new, and plan again who changed. Each call renews the lease.

        Answers as ``add_contacts`` for who is new; "known", "changed", "doubled" or "second" (the reading had the
        number before); "stale" for all, once another reading has begun.
        """
        ...

    async def drop_gone(self, campaign_id: int, reading: int, lease_s: float) -> int:
        """Cancel open contacts of older readings that this one lacks; how many. Call it after the last row only."""
        ...

    async def end_reading(
        self, campaign_id: int, reading: int, next_at: float | None, error: str = "", counts: ImportCounts | None = None
    ) -> bool:
        """Let others read, from ``next_at`` on; ``error`` says why it is not complete. False if it was overtaken.

        ``counts`` stand in the report for the source's rows, in place of those of the last reading.
        """
        ...

    async def expire(self, campaign_id: int, reason: str, limit: int, *, passed: bool) -> int:
        """End waiting contacts, all or only those whose appointment has ``passed``; how many, at most ``limit``.

        Who is being called is left until the call is over.
        """
        ...

    # control
    async def move_campaign(self, campaign_id: int, verb: str, reason: str, by: By = PROGRAM) -> Campaign | None:
        """Apply a verb of CAMPAIGN_TRANSITIONS; None when it is not allowed from the present status.

        Once this returns, no gate admits an attempt of a campaign that is not running. Waiting attempts of a
        paused campaign go back to planned; ``cancel`` ends them and settles their contacts.
        """
        ...

    async def halt_account(self, account: str, reason: str) -> list[str]:
        """Halt every running campaign of an account; answers their names."""
        ...

    async def dialing(self, *, campaign_id: int | None = None, phones: Sequence[str] = (), since: float) -> int:
        """How many attempts are in ``dialing`` with an intent younger than ``since``; ``phones`` may be hashes."""
        ...

    async def suppress(self, entries: Sequence[Suppression], by: By = PROGRAM) -> list[bool]:
        """Add numbers; True where it was not there. Waiting attempts to them end, their contacts settle.

        Of what was listed under the same ``once`` before nothing happens: False.
        A contact whose number is listed by hash ends when its turn comes: none passes the gate any more.
        """
        ...

    async def unsuppress(self, phones: Sequence[str], campaign_id: int | None = None, by: By = PROGRAM) -> list[bool]:
        """Remove numbers from the list of all campaigns, or of one; True where one was there."""
        ...

    async def record_act(self, act: str, by: By, campaign: str = "", subject: str = "") -> None:
        """Remember an act that changes nothing here, such as an export of the campaign with this handle."""
        ...

    def suppressions(self) -> AsyncIterator[Suppression]:
        """The whole list, oldest first."""
        ...

    async def redial(
        self, campaign_id: int, outcomes: Sequence[str], by: By = PROGRAM, *, only_look: bool = False
    ) -> Mapping[str, int]:
        """Plan another call now for settled people whose last one came to one of these; a finished campaign goes on.

        Answers why others are not called again, and how many; "" counts those who are. ``only_look`` plans nothing.
        """
        ...

    # feeding
    async def claim_due(self, wanted: Mapping[int, int], lease_s: float) -> list[list[QueuedAttempt]]:
        """For each campaign of ``wanted`` (id -> how many at most), in its order, move due attempts to queued.

        Makes the first attempt of fresh contacts.
        """
        ...

    async def waiting_in_queue(self) -> Mapping[int, int]:
        """Campaign id -> attempts in ``queued``."""
        ...

    async def hand_back(self, attempts: Sequence[QueuedAttempt], reason: str, due_at: float) -> None:
        """Move queued attempts back to planned, unspent, due at ``due_at``."""
        ...

    async def renew_leases(self, attempts: Sequence[QueuedAttempt], lease_s: float) -> None:
        """Keep queued attempts that a worker holds."""
        ...

    async def sweep(self) -> Swept:
        """Take back expired leases; move dialing attempts past their deadline to unknown."""
        ...

    async def finish_campaigns(self) -> list[str]:
        """Finish every campaign whose contacts are all final and that is over by ``is_over``; answers their names."""
        ...

    # dialing
    async def pass_gate(self, requests: Sequence[GateRequest]) -> list[GateAnswer]:
        """The gate: one critical section for all of them. An admitted intent is durable on return."""
        ...

    async def record_sends(self, outcomes: Sequence[SendOutcome]) -> list[bool]:
        """Record the results of requests; False where the worker could no longer move the attempt."""
        ...

    async def weigh_refusals(self, campaign_id: int) -> str:
        """Halt a campaign that refuses everybody: the reason, or "" while it may be the people's own.

        Attempts that were refused since the last accepted call are given back, unspent. See ``dialer.domain.refusal``.
        """
        ...

    # reconciling
    async def open_attempts(self, account: str, corrected_since: float) -> list[OpenAttempt]:
        """Attempts placed or unknown; since ``corrected_since`` also unconfirmed or in review. Oldest first."""
        ...

    async def known_calls(self, account: str, call_ids: Sequence[str]) -> Mapping[str, KnownCall]:
        """What the ledger holds of these rows of the log, for those it holds: call id -> that."""
        ...

    async def rows_of(self, attempt_ids: Sequence[int]) -> Mapping[int, str]:
        """Attempt -> the status in its last row of the log, for those that have one."""
        ...

    async def owed(self, account: str) -> Owed:
        """The calls that are over and may still get news."""
        ...

    async def last_send(self) -> tuple[int, float]:
        """The number of the last send, and when it began (unix seconds); zeros if there is none."""
        ...

    async def known_tokens(self, tokens: Sequence[str]) -> set[str]:
        """Those of them under which a send was made."""
        ...

    async def open_contacts(self, account: str, phones: Sequence[str]) -> list[OpenContact]:
        """Who of these waits to be called in a campaign of the account."""
        ...

    async def adopt_calls(self, account: str, calls: Sequence[Adopted]) -> list[bool]:
        """Take over calls made before this ledger was restored, oldest first, as spent attempts.

        Each is in review until its row says what it came to; True where it ended by that at once.
        """
        ...

    async def log_facts(self, account: str) -> Mapping[str, str]:
        """What was noted of the account's log: name -> text."""
        ...

    async def note_log(self, account: str, facts: Mapping[str, str]) -> None:
        """Note these; an empty text forgets one."""
        ...

    async def record_logs(self, account: str, rows: Sequence[Matched]) -> list[bool]:
        """Store log rows and move what they settle; True where an attempt ended by it.

        Answers for the first of them only, where all at once would keep the gate waiting: hand over the rest again.
        """
        ...

    async def correct_logs(self, account: str, rows: Sequence[Matched]) -> list[bool]:
        """Take in later news of settled calls; True where it changed what an attempt came to.

        With a ``follow`` the contact is called again, or is settled, though it was settled before. Many are written in
        pieces, each one transaction.
        """
        ...

    async def denied_sends(self, account: str, since: float) -> list[Denied]:
        """Requests since then that the provider said placed nothing, in no particular order."""
        ...

    async def record_phantoms(self, account: str, rows: Sequence[Matched]) -> list[bool]:
        """Store rows of calls that should not exist: their attempts are not dialed again, but wait in review.

        True where the attempt ended by it.
        """
        ...

    async def decide_review(self, campaign_id: int, verdict: Verdict, by: By) -> bool:
        """End an attempt in review as an operator says, with an act; False when it is not, or not the campaign's.

        An attempt whose person was not called is cancelled, and another is planned for them.
        """
        ...

    async def record_scan(self, account: str, scan: LogScan) -> None:
        """Remember that the log was read; readings of a month ago are forgotten."""
        ...

    async def settle_absent(self, attempts: Sequence[Absent]) -> list[bool]:
        """Close attempts that left no trace; True where one was closed. Many are written in pieces."""
        ...

    async def aclose(self) -> None:
        """Finish what was asked for and close."""
        ...


class LedgerView(Protocol):
    """The ledger, read only."""

    async def campaign(self, name: str) -> Campaign:
        """Raises UnknownName, naming the nearest."""
        ...

    async def campaigns(self, *, over: bool = True) -> list[Campaign]:
        """All of them, oldest first; without those that are finished or cancelled unless ``over``."""
        ...

    async def supplies(self) -> list[Supply]:
        """Every running campaign."""
        ...

    async def foresee(self, spec: CampaignSpec, contacts: Sequence[NewContact], fingerprint: str) -> list[str]:
        """What ``add_contacts`` would answer for these people, whose numbers differ, in the campaign of that name."""
        ...

    async def live_calls(self, account: str, after: int, limit: int) -> list[LiveCall]:
        """Of the attempts that hold a line, the next by id."""
        ...

    async def live_among(self, attempt_ids: Sequence[int]) -> set[int]:
        """Which of these attempts hold a line."""
        ...

    async def live_attempts(self, account: str) -> Sequence[OpenAttempt]:
        """Every attempt that is dialing, placed or unknown."""
        ...

    async def report(self, campaign_id: int) -> Report:
        """One campaign, counted."""
        ...

    async def waiting(self, campaign_id: int) -> list[Waiting]:
        """Who is not called yet, by reason; "" for those who may be called now."""
        ...

    async def is_held(self, name: str) -> bool:
        """Whether a process holds a loop of the fleet."""
        ...

    async def source_states(self) -> Mapping[int, SourceState]:
        """Campaign id -> the state of its source, for all that were ever read."""
        ...

    def listed(self, campaign_id: int) -> AsyncIterator[NewContact]:
        """Everybody on the campaign's list, as they were read, streamed.

        But for numbers that a call, of whatever campaign, showed to be wrong, or barred at the campaign's provider.
        """
        ...

    def contact_rows(self, campaign_id: int) -> AsyncIterator[ContactRow]:
        """Every contact, in list order, streamed."""
        ...

    def attempt_rows(self, campaign_id: int) -> AsyncIterator[AttemptRow]:
        """Every attempt, oldest first, streamed."""
        ...

    async def sends(self, attempt_ids: Sequence[int]) -> list[Send]:
        """Every send of these attempts, oldest first."""
        ...

    async def spent(self, campaign_id: int) -> tuple[float, int, int]:
        """Cost so far in provider units, how many calls it is known of, and how many are still open."""
        ...

    async def recent_sends(self, account: str, limit: int) -> Mapping[str, int]:
        """Kind -> how many of the account's last ``limit`` sends since it was last halted.

        "worker gone": of unknown fate because their worker ended before it could record the answer.
        """
        ...

    async def scans(self, account: str, since: float, until: float) -> list[LogScan]:
        """Every reading of the account's log that began in this time, oldest first, a thousand at most."""
        ...

    def acts(self, campaign: str = "") -> AsyncIterator[Act]:
        """Who did what, oldest first: to the campaign with this handle, or all. Streamed."""
        ...

    async def in_review(self, campaign_id: int) -> list[AttemptRow]:
        """The attempts of a campaign that wait for a person's word, oldest first."""
        ...

    async def left_in_review(self, campaign_id: int, since: float) -> int:
        """How many attempts are in review, where nothing else is left to do in the campaign; else 0.

        As long as one was dialed after ``since`` (unix seconds), the call log may have the word.
        """
        ...

    async def story(self, *, phone: str = "", attempt_id: int = 0) -> list[tuple[AttemptRow, list[Event]]]:
        """The attempts of a person, or one attempt, with every event."""
        ...


class Leases(Protocol):
    """Who of the fleet does what one process does for all."""

    async def hold_leases(self, names: Sequence[str], holder: str, lease_s: float) -> set[str]:
        """Take those of these leases that nobody else holds, or keep one's own, for ``lease_s`` more; which one has."""
        ...

    async def free_leases(self, names: Sequence[str], holder: str) -> None:
        """Let others take at once what ``holder`` held."""
        ...
