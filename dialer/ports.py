"""What the rooms need from the world, as protocols. Times are unix seconds unless a name says otherwise."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from dialer.domain.attempt import AttemptState
from dialer.domain.call import CallLog, CallRequest, LogPage, PlaceResult
from dialer.domain.campaign import CampaignSpec, CampaignStatus
from dialer.domain.contact import ContactStatus, NewContact
from dialer.domain.disposition import Disposition
from dialer.domain.redial import Redial, Settle


class Clock(Protocol):
    """Time, handed in."""

    def now(self) -> float:
        """Unix seconds."""
        ...

    def monotonic(self) -> float:
        """Seconds that never run backwards, for measuring."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


# --- contacts --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that cannot be called: where it stands, its cells as read, why, and what to do about it."""

    row: int
    cells: tuple[str, ...]
    reason: str
    remedy: str
    column: str = ""


class ContactSource(Protocol):
    """A list of people, read as a stream."""

    @property
    def fingerprint(self) -> str:
        """What tells the same list apart from a changed one, e.g. the file's SHA-256."""
        ...

    @property
    def header(self) -> tuple[str, ...]:
        """The column names, as in the source."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """Choices made for the user, such as which column is the phone number."""
        ...

    def batches(self, size: int) -> AsyncIterator[Sequence[NewContact | Reject]]:
        """Every data row, in order, as a contact or a reject.

        Raises InputFileError before the first batch if the list must be refused whole.
        """
        ...


# --- provider --------------------------------------------------------------------------------------------


class SendPermit(Protocol):
    """The right to send, asked for twice: to wait for a slot, and at the last instant before the first byte."""

    async def slot(self, repeat: bool) -> None:
        """Wait until a request may leave; ``repeat`` for every request after the first.

        Raises SendWithdrawn when none may leave any more.
        """
        ...

    def last_instant(self) -> None:
        """Called when the connection stands and the first byte is about to leave.

        Raises SendWithdrawn when it must not.
        """
        ...


class CallProvider(Protocol):
    """A voice-AI provider: places calls and tells afterwards what they came to."""

    @property
    def account(self) -> str:
        """The account whose limits, log and halts this provider's calls share."""
        ...

    @property
    def silent_when_unanswered(self) -> bool:
        """True if an accepted call that nobody picked up may leave no row in the log at all."""
        ...

    @property
    def ids_are_final(self) -> bool:
        """True if the call id of an answer is the one that the log will show."""
        ...

    async def place(self, request: CallRequest, permit: SendPermit) -> PlaceResult:
        """Place one call. Never raises ProviderError: whatever happened is one of the four results."""
        ...

    def read_logs(self, since: float) -> AsyncIterator[LogPage]:
        """The call log from the newest row back, page by page; the caller stops when it has enough.

        ``since`` may narrow what is asked for; older rows may still come. Raises ProviderError when a page
        cannot be read: such a scan is incomplete and proves no absence.
        """
        ...

    async def aclose(self) -> None:
        """Close every connection."""
        ...


# --- queue and pacing ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class QueuedAttempt:
    """An attempt handed to the workers; ``dispatch`` counts the hand-overs and voids older ones."""

    attempt_id: int
    dispatch: int
    campaign_id: int
    account: str


class JobQueue(Protocol):
    """The doorbell: tells workers which attempts were handed to them. May lose or repeat anything."""

    async def enqueue(self, attempts: Sequence[QueuedAttempt]) -> None:
        """Hand attempts over. Raises QueueUnavailable."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """``calls_per_second`` and ``concurrent_calls``; 0 means no limit. ``paused`` grants nothing."""

    calls_per_second: float
    concurrent_calls: int
    weight: int = 1
    paused: bool = False


class Grant(Protocol):
    """A slot and a line, held for one attempt."""

    async def slot(self) -> bool:
        """Wait for the exact moment to send; False when the grant no longer holds (braked, paused, too late).

        A grant that is False keeps its line; ask the pacer again or release it.
        """
        ...

    @property
    def valid(self) -> bool:
        """Whether the grant still holds at this instant (no brake, no pause since it was given)."""
        ...


@dataclass(frozen=True, slots=True)
class PaceState:
    """What the pacer knows of one account: lines in use, the configured and the learned rate (0: no limit)."""

    lines: int
    configured_per_s: float
    learned_per_s: float
    braked_until: float | None = None


class Pacer(Protocol):
    """Calls per second and concurrent calls of an account, shared by every worker process."""

    async def configure(self, account: str, limits: Limits, campaigns: Mapping[int, Limits]) -> None:
        """Set the limits in force. Campaigns not named are paused. Raises QueueUnavailable."""
        ...

    async def acquire(self, account: str, campaign_id: int, attempt_id: int, patience_s: float) -> Grant | None:
        """A grant, shortly before its slot; None when none came within ``patience_s``."""
        ...

    async def again(self, account: str, campaign_id: int, attempt_id: int, patience_s: float) -> Grant | None:
        """Another slot for an attempt that keeps its line."""
        ...

    async def release(self, account: str, attempt_ids: Sequence[int]) -> None:
        """Free the lines of attempts that are over. Safe to repeat; never raises for want of Redis."""
        ...

    async def brake(self, account: str, seconds: float) -> None:
        """Stop every worker of the account for ``seconds``, then recover the rate step by step."""
        ...

    async def restore(self, account: str, live: Mapping[int, tuple[int, float]]) -> None:
        """Make the lines equal to ``live``: attempt id -> (campaign id, when the line runs out)."""
        ...

    async def state(self, account: str) -> PaceState:
        """What is in force now. Raises QueueUnavailable."""
        ...


# --- ledger ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign as the ledger holds it."""

    campaign_id: int
    spec: CampaignSpec
    status: CampaignStatus
    halt_reason: str = ""
    created_at: float = 0.0
    started_at: float | None = None
    finished_at: float | None = None
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class ImportCounts:
    """How many rows of a list became what. They add up to ``rows``."""

    rows: int = 0
    queued: int = 0
    duplicate: int = 0
    suppressed: int = 0
    invalid: int = 0
    deferred: int = 0
    rejects: str = ""
    """Path of the CSV with every rejected row; empty when there is none."""


@dataclass(frozen=True, slots=True)
class Suppression:
    """A reason not to call a number. ``campaign_id`` None: over all campaigns."""

    phone: str
    reason: str
    source: str = ""
    campaign_id: int | None = None
    added_at: float = 0.0


@dataclass(frozen=True, slots=True)
class GateRequest:
    """An attempt that a worker wants to dial now under ``token``.

    Its worker must have recorded an answer ``answer_within_s`` seconds later, else the sweeper steps in.
    """

    attempt_id: int
    dispatch: int
    token: str
    worker: str
    answer_within_s: float


@dataclass(frozen=True, slots=True)
class Admitted:
    """The intent is durable: this is the call to place."""

    attempt_id: int
    campaign_id: int
    contact_id: int
    number_of: int
    token: str
    phone: str
    name: str
    variables: Mapping[str, str]
    dialed_at: float
    spec: CampaignSpec


@dataclass(frozen=True, slots=True)
class Turned:
    """The gate did not admit the attempt; what became of it stands in the ledger."""

    attempt_id: int
    state: AttemptState
    why: str


GateAnswer = Admitted | Turned


@dataclass(frozen=True, slots=True)
class SendOutcome:
    """What became of a request, with what follows for the contact where the attempt is spent by it."""

    attempt_id: int
    token: str
    result: PlaceResult
    requests: int
    due_at: float
    """When to try again, for NotPlaced."""
    follow: Redial | Settle | None = None
    """For Refused."""


@dataclass(frozen=True, slots=True)
class OpenAttempt:
    """An attempt that waits for the call log, or that late evidence may still correct."""

    attempt_id: int
    campaign_id: int
    contact_id: int
    number_of: int
    state: AttemptState
    phone: str
    agent: str
    token: str
    dialed_at: float
    call_id: str | None = None


@dataclass(frozen=True, slots=True)
class Matched:
    """A log row, and the attempt it belongs to (None: nothing explains it)."""

    log: CallLog
    attempt_id: int | None
    evidence: str = ""
    follow: Redial | Settle | None = None


@dataclass(frozen=True, slots=True)
class Denied:
    """A request of which the provider said that it placed nothing."""

    attempt_id: int
    campaign_id: int
    number_of: int
    phone: str
    token: str
    sent_at: float
    answer: str


@dataclass(frozen=True, slots=True)
class Absent:
    """An attempt of which complete scans past the horizon showed nothing."""

    attempt_id: int
    disposition: Disposition
    reason: str
    follow: Redial | Settle


@dataclass(frozen=True, slots=True)
class Swept:
    """What the sweeper took back, or gave to the reconciler."""

    leases_expired: int = 0
    made_unknown: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """One campaign, counted."""

    campaign: Campaign
    imported: ImportCounts
    contacts: Mapping[ContactStatus, int]
    attempts: Mapping[AttemptState, int]
    dispositions: Mapping[Disposition, int]
    unexplained_calls: int
    unmapped_words: Mapping[str, int]
    cost: float
    first_dialed_at: float | None
    last_dialed_at: float | None
    waiting: Mapping[str, int] = field(default_factory=dict)
    """Why contacts that are not final wait, and how many."""


@dataclass(frozen=True, slots=True)
class ContactRow:
    """One person, for the export."""

    phone: str
    name: str
    key: str
    status: ContactStatus
    disposition: Disposition | None
    attempts: int
    last_attempt_at: float | None
    duration_s: float | None
    call_id: str | None
    variables: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One attempt, for the export and the story."""

    attempt_id: int
    campaign: str
    phone: str
    name: str
    number_of: int
    state: AttemptState
    disposition: Disposition | None
    due_at: float
    dialed_at: float | None
    ended_at: float | None
    duration_s: float | None
    call_id: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Send:
    """One passage through the gate: its request (or requests, each after proof that the one before placed nothing)."""

    attempt_id: int
    started_at: float
    answered_at: float | None
    kind: str
    """``inflight``, ``placed``, ``not_placed``, ``refused`` or ``unknown``."""
    requests: int
    http_status: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class Event:
    """One move of an attempt: who, when, from what to what, and why."""

    attempt_id: int
    at: float
    actor: str
    before: str
    after: str
    reason: str


class Ledger(Protocol):
    """The only truth: verbs, each one transaction, each guarded by the state it expects.

    Every verb that moves an attempt appends one event for it in the same transaction. A verb that takes a
    list answers per item, in order. All raise LedgerUnavailable when nothing could be written. The ledger
    reads its clock inside the transaction: a verdict is about the moment it holds.
    """

    # import
    async def open_campaign(self, spec: CampaignSpec) -> Campaign:
        """The campaign of that name, made as a draft (``is_new``) if there is none, else with the new spec."""
        ...

    async def add_contacts(self, campaign_id: int, contacts: Sequence[NewContact]) -> list[str]:
        """Add people, due at once. Answers "queued", "duplicate" or "suppressed" for each."""
        ...

    async def record_import(self, campaign_id: int, fingerprint: str, source: str, counts: ImportCounts) -> None:
        """Remember what a list brought; the same list again only adds what it added."""
        ...

    # control
    async def move_campaign(self, campaign_id: int, verb: str, reason: str) -> Campaign | None:
        """Apply a verb of CAMPAIGN_TRANSITIONS; None when it is not allowed from the present status.

        Once this returns, no gate admits an attempt of a campaign that is not running. Waiting attempts of a
        paused campaign go back to planned; ``cancel`` ends them and settles their contacts.
        """
        ...

    async def halt_account(self, account: str, reason: str) -> list[str]:
        """Halt every running campaign of an account; answers their names."""
        ...

    async def dialing(self, *, campaign_id: int | None = None, phones: Sequence[str] = (), since: float) -> int:
        """How many attempts are in ``dialing`` with an intent younger than ``since``."""
        ...

    async def suppress(self, entries: Sequence[Suppression]) -> list[bool]:
        """Add numbers; True where it was not there. Waiting attempts to them end, their contacts settle."""
        ...

    async def unsuppress(self, phones: Sequence[str]) -> list[bool]:
        """Remove numbers from the list of all campaigns; True where one was there."""
        ...

    def suppressions(self) -> AsyncIterator[Suppression]:
        """The whole list, oldest first."""
        ...

    # feeding
    async def claim_due(self, campaign_id: int, limit: int, lease_s: float) -> list[QueuedAttempt]:
        """Move up to ``limit`` due attempts to queued (making the first attempt of fresh contacts)."""
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
        """Finish every running campaign whose contacts are all final; answers their names."""
        ...

    # dialing
    async def pass_gate(self, requests: Sequence[GateRequest]) -> list[GateAnswer]:
        """The gate: one critical section for all of them. An admitted intent is durable on return."""
        ...

    async def record_sends(self, outcomes: Sequence[SendOutcome]) -> list[bool]:
        """Record what became of requests; False where the attempt was no longer the worker's to move."""
        ...

    # reconciling
    async def open_attempts(self, account: str, corrected_since: float) -> list[OpenAttempt]:
        """Attempts placed or unknown, and those unconfirmed since ``corrected_since``, oldest first."""
        ...

    async def known_calls(self, account: str, call_ids: Sequence[str]) -> Mapping[str, int]:
        """Which of these calls are settled in the ledger: call id -> its attempt."""
        ...

    async def record_logs(self, account: str, rows: Sequence[Matched]) -> list[bool]:
        """Store log rows and move what they settle; True where an attempt ended by it."""
        ...

    async def denied_sends(self, account: str, since: float) -> list[Denied]:
        """Requests since then that the provider said placed nothing."""
        ...

    async def record_phantoms(self, account: str, rows: Sequence[Matched]) -> list[bool]:
        """Store rows of calls that should not exist: their attempts are not dialed again, but wait in review.

        True where the attempt ended by it.
        """
        ...

    async def settle_absent(self, attempts: Sequence[Absent]) -> list[bool]:
        """Close attempts that left no trace; True where one was closed."""
        ...

    async def aclose(self) -> None:
        """Finish what was asked for and close."""
        ...


class LedgerView(Protocol):
    """The ledger, read only."""

    async def campaign(self, name: str) -> Campaign:
        """Raises UnknownName, naming the nearest."""
        ...

    async def campaigns(self) -> list[Campaign]:
        """All of them, oldest first."""
        ...

    async def live_attempts(self, account: str) -> Sequence[OpenAttempt]:
        """Every attempt that is dialing, placed or unknown."""
        ...

    async def report(self, campaign_id: int) -> Report:
        """One campaign, counted."""
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

    async def recent_sends(self, account: str, limit: int) -> Mapping[str, int]:
        """Kind -> how many of the account's last ``limit`` sends since it was last halted."""
        ...

    async def story(self, *, phone: str = "", attempt_id: int = 0) -> list[tuple[AttemptRow, list[Event]]]:
        """The attempts of a person, or one attempt, with every event."""
        ...
