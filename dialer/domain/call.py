"""What is asked of a provider, what it answers, and what its log says afterwards."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from dialer.domain.disposition import Disposition
from dialer.domain.refusal import About


@dataclass(frozen=True, slots=True)
class CallRequest:
    """One call to place. ``to`` and ``caller_id`` are E.164; ``token`` is ours and unique to the attempt."""

    token: str
    agent: str
    to: str
    name: str
    caller_id: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Placed:
    """The provider accepted the call. Not every dialect tells an id."""

    call_id: str | None
    http_status: int | None = None


@dataclass(frozen=True, slots=True)
class NotPlaced:
    """Proven not placed: the attempt is not spent.

    ``retry_after_s`` is when the provider wants to be asked again (None: it did not say); ``throttled`` brakes every
    worker. ``halt`` says why the account (or, unless ``halts_account``, the campaign) must stop, or is empty.
    ``doubtful``: perhaps a gateway's mishap, perhaps everybody's trouble; the next answers tell.
    """

    reason: str
    retry_after_s: float | None = None
    throttled: bool = False
    halt: str = ""
    http_status: int | None = None
    halts_account: bool = True
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """The provider refused this number or payload and placed nothing; the attempt is spent."""

    disposition: Disposition
    reason: str
    http_status: int | None = None
    about: About = About.NOTHING


@dataclass(frozen=True, slots=True)
class Unknown:
    """Bytes may have left; whether a call exists is for the call log to tell. Never repeated blindly."""

    reason: str
    http_status: int | None = None


PlaceResult = Placed | NotPlaced | Refused | Unknown


@dataclass(frozen=True, slots=True)
class CallLog:
    """What the provider says about one call. Times are unix seconds, ``duration_s`` the talk time.

    ``disposition`` is None while the call is not over, or when ``unmapped`` holds a word that the
    dialect's table does not know: such a row is shown and never final by guess. ``entities`` are the fields that were
    extracted from what was said; more may come while the call is not ``analysed``. ``callback_at`` is when the person
    asked to be called back, where the log tells it with a zone.
    """

    call_id: str
    to_number: str
    agent: str
    started_at: float | None
    ended_at: float | None
    duration_s: float | None
    disposition: Disposition | None
    raw_status: str
    token: str = ""
    outbound: bool = True
    unmapped: bool = False
    cost: float | None = None
    summary: str = ""
    recording_url: str = ""
    entities: Mapping[str, str] = field(default_factory=dict)
    analysed: bool = True
    callback_requested: bool = False
    callback_at: float | None = None


@dataclass(frozen=True, slots=True)
class LogPage:
    """One page of the call log, in the provider's order; ``unreadable`` counts rows that did not parse."""

    rows: tuple[CallLog, ...]
    unreadable: int = 0
    total: int | None = None
