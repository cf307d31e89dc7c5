"""What goes into the ledger and comes out of it. Times are unix seconds."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dialer.domain.act import Act
from dialer.domain.attempt import AttemptState
from dialer.domain.call import CallLog, PlaceResult
from dialer.domain.campaign import CampaignSpec, CampaignStatus
from dialer.domain.contact import ContactStatus
from dialer.domain.disposition import Disposition
from dialer.domain.redial import Redial, Settle


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
    flaw: str = ""
    """Why the program cannot obey its spec; "" when it can. It is left alone then, and stops no other."""


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
    waits: Mapping[str, int] = field(default_factory=dict, compare=False)
    """Why rows that were queued or deferred cannot be called at once, and how many."""
    undecided: int = field(default=0, compare=False)
    """Of those that are invalid, how many hold several numbers; the owner of the list must choose."""

    @property
    def usable(self) -> bool:
        """Whether any row was used, or would be if somebody decided: False means that it is the wrong list."""
        return self.invalid < self.rows or self.rows == 0 or self.undecided > 0


@dataclass(frozen=True, slots=True)
class SourceState:
    """What is known of the readings of a campaign's source. ``error`` is that of the last one, "" if it was complete.

    For a recurring campaign, ``read_at`` is when its last round was made and ``next_at`` when the next one is due.
    """

    read_at: float | None = None
    next_at: float | None = None
    error: str = ""
    failed_at: float | None = None
    failures: int = 0
    """Readings that failed in a row, up to the last one."""


@dataclass(frozen=True, slots=True)
class Suppression:
    """A reason not to call ``phone`` (E.164, or its hash). ``campaign_id`` None: no campaign; REHEARSALS: no rehearsal.

    ``once`` names what gave the reason, if that may bar a number only once: a number taken off the list since is
    not put back by it.
    """

    phone: str
    reason: str
    source: str = ""
    campaign_id: int | None = None
    added_at: float = 0.0
    once: str = ""


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
    granted_until: float = math.inf
    """Past this the line that the pacer granted may be somebody else's, and the gate does not admit."""
    on_trial: bool = False
    """The worker does not know that calls of this campaign are accepted: only few people are asked at once."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """The intent is durable: this is the call to place. ``attempts_made`` of the person counts it too."""

    attempt_id: int
    campaign_id: int
    contact_id: int
    attempts_made: int
    token: str
    phone: str
    name: str
    variables: Mapping[str, str]
    dialed_at: float
    spec: CampaignSpec


@dataclass(frozen=True, slots=True)
class Turned:
    """The gate did not admit the attempt; the ledger has its new state."""

    attempt_id: int
    state: AttemptState
    why: str


GateAnswer = Admitted | Turned


@dataclass(frozen=True, slots=True)
class SendOutcome:
    """The result of a request, and what follows for the contact if it spends the attempt."""

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
    """An attempt that waits for the call log, or that late evidence may still correct.

    ``attempts_made`` of its person counts it too.
    """

    attempt_id: int
    campaign_id: int
    contact_id: int
    attempts_made: int
    state: AttemptState
    phone: str
    agent: str
    token: str
    dialed_at: float
    call_id: str | None = None
    began_at: float | None = None
    """When the log says that the call began; the provider may have held it back."""


@dataclass(frozen=True, slots=True)
class LiveCall:
    """An attempt that holds a line; ``began_at`` as of OpenAttempt."""

    attempt_id: int
    campaign_id: int
    state: AttemptState
    dialed_at: float
    began_at: float | None


@dataclass(frozen=True, slots=True)
class Matched:
    """A log row, and the attempt it belongs to (None: nothing explains it).

    ``leg``: another row of the same call settles the attempt. ``owed_until``: how long more is waited for of a call
    that is over, such as its analysis or its cost; None when all is there.
    """

    log: CallLog
    attempt_id: int | None
    evidence: str = ""
    follow: Redial | Settle | None = None
    leg: bool = False
    owed_until: float | None = None


@dataclass(frozen=True, slots=True)
class KnownCall:
    """What the ledger holds of a row of the log. ``settled``: its attempt is over, and by this row or beside it.

    ``owed``: more is waited for. ``called_back``: that the person asked to be called back was followed.
    """

    first_seen_at: float
    attempt_id: int | None = None
    settled: bool = False
    disposition: Disposition | None = None
    cost: float | None = None
    owed: bool = False
    called_back: bool = False


LOG_NOTES = "notes"
"""Under this name the ledger keeps what the report says of the log: a JSON list of sentences."""


RESTORED = "restored"
"""Under this name, while an account waits because its ledger is older than what was done since: why, as JSON."""


@dataclass(frozen=True, slots=True)
class OpenContact:
    """Somebody who waits to be called; ``attempts_made`` counts the next attempt too."""

    contact_id: int
    phone: str
    attempts_made: int
    spec: CampaignSpec


@dataclass(frozen=True, slots=True)
class Adopted:
    """A call that the ledger did not know, and whose it was; ``spec`` is the contact's campaign."""

    log: CallLog
    contact_id: int
    spec: CampaignSpec
    evidence: str
    follow: Redial | Settle | None = None


@dataclass(frozen=True, slots=True)
class Owed:
    """How many calls may still get news, when the oldest of them began, and until when the last may."""

    calls: int = 0
    since: float = 0.0
    until: float = 0.0


@dataclass(frozen=True, slots=True)
class Denied:
    """A request that placed nothing, as the provider said. ``attempts_made`` of the person counts it too."""

    attempt_id: int
    campaign_id: int
    attempts_made: int
    phone: str
    token: str
    sent_at: float
    answer: str


@dataclass(frozen=True, slots=True)
class Absent:
    """An attempt that complete scans past the horizon did not show."""

    attempt_id: int
    disposition: Disposition
    reason: str
    follow: Redial | Settle


@dataclass(frozen=True, slots=True)
class Verdict:
    """An operator's word on an attempt in review: what its call came to, or None where its person was not called."""

    attempt_id: int
    disposition: Disposition | None
    follow: Redial | Settle


@dataclass(frozen=True, slots=True)
class Supply:
    """What a running campaign has under way: attempts queued and calls live; and when the next is due, if any is."""

    campaign_id: int
    queued: int
    live: int
    due_at: float | None


@dataclass(frozen=True, slots=True)
class Swept:
    """What the sweeper took back, or gave to the reconciler."""

    leases_expired: int = 0
    made_unknown: int = 0
    accounts: frozenset[str] = frozenset()
    """Those of the expired leases."""


@dataclass(frozen=True, slots=True)
class Report:
    """One campaign, counted."""

    campaign: Campaign
    imported: ImportCounts
    contacts: Mapping[ContactStatus, int]
    attempts: Mapping[AttemptState, int]
    dispositions: Mapping[Disposition, int]
    unexplained_calls: int
    """Outbound calls of the account, while the campaign ran, that nothing explains: nobody knows whose they are."""
    unmapped_words: Mapping[str, int]
    cost: float
    first_dialed_at: float | None
    last_dialed_at: float | None
    waiting: Mapping[str, int] = field(default_factory=dict)
    """Why contacts that are not final wait, and how many."""
    expired: Mapping[str, int] = field(default_factory=dict)
    """Why contacts are expired, and how many."""
    source: SourceState | None = None
    log_notes: Sequence[str] = ()
    """What is odd about the account's call log, in words."""
    moved_by: Act | None = None
    """What last moved the campaign."""


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
    account: str = ""
    """Whose log has its call."""
    attempts_made: int = 0
    """To its person until then, this one included; ``number_of`` counts those to the contact's number."""


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
class LogScan:
    """One reading of an account's log, back to ``since``. ``whole``: it reached so far, and without a gap."""

    started_at: float
    ended_at: float
    since: float
    pages: int
    rows: int
    whole: bool


@dataclass(frozen=True, slots=True)
class Event:
    """One move of an attempt: who, when, from what to what, and why."""

    attempt_id: int
    at: float
    actor: str
    before: str
    after: str
    reason: str
