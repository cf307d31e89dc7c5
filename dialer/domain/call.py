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
    """The provider accepted the call. Not every dialect gives an id."""

    call_id: str | None
    http_status: int | None = None


@dataclass(frozen=True, slots=True)
class NotPlaced:
    """Proven not placed: the attempt is not spent.

    ``retry_after_s`` is when the provider wants to be asked again (None: it did not say); ``throttled`` brakes every
    worker. ``halt`` says why the account (or, unless ``halts_account``, the campaign) must stop, or is empty.
    ``doubtful``: perhaps a gateway's mishap, perhaps everybody's trouble; the next answers show which.
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
    """Bytes may have left; only the call log shows whether a call exists. Never repeated blindly."""

    reason: str
    http_status: int | None = None


PlaceResult = Placed | NotPlaced | Refused | Unknown


@dataclass(frozen=True, slots=True)
class CallLog:
    """What the provider says about one call. Times are unix seconds, ``duration_s`` the talk time.

    ``to_number`` is ``+`` and digits, ``?`` for those that are hidden, "" where no number can be read; so is
    ``from_number``, which matters for calls that came in. ``agent`` is an id or a number, ``agent_name`` a name.

    ``disposition`` is None while the call is not over, or when nothing says what it came to; ``unmapped``: its word is
    in no table. Such a word is shown, also where the rest of the row settles the call. ``presumed`` is what a row
    without an end says, in case that never comes. ``still_to_come``: the provider holds the call back.

    ``entities`` are the fields that were extracted from what was said; more may come while the call is not
    ``analysed``. ``callback_at`` is when the person asked to be called back, where the log gives it with a zone. A row
    that is not ``readable`` may be anybody's call.
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
    agent_name: str = ""
    from_number: str = ""
    presumed: Disposition | None = None
    still_to_come: bool = False
    readable: bool = True


@dataclass(frozen=True, slots=True)
class LogPage:
    """One page of the call log, in the provider's order; ``unreadable`` counts rows that did not parse.

    ``odd`` are those, each by a name under which it is known again.
    """

    rows: tuple[CallLog, ...]
    unreadable: int = 0
    total: int | None = None
    odd: tuple[CallLog, ...] = ()
