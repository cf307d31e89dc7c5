"""What an answer, or the lack of one, proves: the tables that both dialects share.

The classes are those of dialer.errors. The vendor pages name only some statuses (docs.vaanivoice.ai/sdk,
"Errors"; mvdocs.omind.ai/api-reference/calls); the rest follows from what HTTP says was done with the request.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from dialer.domain.call import NotPlaced as NotPlacedResult
from dialer.domain.call import PlaceResult, Refused, Unknown
from dialer.domain.disposition import Disposition
from dialer.errors import (
    AccountBlocked,
    AgentMissing,
    AnswerCut,
    AnswerLate,
    AnswerUnreadable,
    CallRefused,
    ConnectionLost,
    Forbidden,
    KeyRefused,
    NoCredit,
    NotFound,
    NotPlaced,
    OutcomeUnknown,
    ProviderError,
    RequestInvalid,
    ServerFailed,
    SessionExpired,
    Throttled,
    Unsuccessful,
)

MAX_RETRY_AFTER_S = 3600.0
CALLING_HOURS_RETRY_S = 1800.0
OUTSIDE_HOURS = "outside the provider's calling hours"
KEPT_BODY_CHARS = 500

Json = dict[str, Any]
Hide = Callable[[str], str]

TRANSPORT_ERRORS: Mapping[type[Exception], str] = {
    httpx.ConnectError: "no connection",
    httpx.ConnectTimeout: "connecting took too long",
    httpx.PoolTimeout: "no free connection",
    httpx.UnsupportedProtocol: "the address is not http or https",
    httpx.ReadTimeout: "no answer in time",
    httpx.WriteTimeout: "the request could not be written in time",
    httpx.ReadError: "the connection broke while reading",
    httpx.WriteError: "the connection broke while writing",
    httpx.CloseError: "the connection broke while closing",
    httpx.RemoteProtocolError: "the answer was cut off or is not HTTP",
    httpx.LocalProtocolError: "the request is not valid HTTP",
    httpx.ProxyError: "a proxy failed",
    httpx.DecodingError: "the answer's compression is broken",
    httpx.TooManyRedirects: "redirects are not followed",
    httpx.HTTPStatusError: "an error status",
    httpx.InvalidURL: "the address is not valid",
    httpx.CookieConflict: "two cookies of one name",
    httpx.StreamConsumed: "the body was read twice",
    httpx.StreamClosed: "the answer was closed while reading",
    httpx.ResponseNotRead: "the answer was not read",
    httpx.RequestNotRead: "the request was not read",
    httpx.TimeoutException: "time-out",
    httpx.NetworkError: "the network failed",
    httpx.ProtocolError: "not HTTP",
    httpx.TransportError: "the transport failed",
    httpx.RequestError: "the request failed",
    httpx.StreamError: "the stream failed",
    httpx.HTTPError: "HTTP failed",
}
"""Words for every exception httpx can raise. Which of them means "not sent" is *not* read from the class:
only the absence of a first byte proves that (``ProviderHttp.exchange``)."""

_DO_NOT_DISTURB = re.compile(r"\bdnd\b|\bndnc\b|do[ -]not[ -](disturb|call)")
_HOURS = re.compile(r"\btrai\b|calling[ -](hours|window|time)|(?<![t\d:])(0?8:00|20:00)(?!:\d)|0800.{0,20}2000")
_BALANCE = re.compile(
    r"\b(insufficient|low|not enough|no)\b.{0,20}\b(balance|credit|fund)|\bbalance\b.{0,20}\b(low|insufficient)\b"
)
_AGENT = re.compile(r"agent.{0,60}(not found|does not exist|unknown|invalid)|(unknown|invalid|no such) agent\b")
_OUR_NUMBER = re.compile(r"agent_phone_number|outbound_number|caller[ _]id|agent.?s? (phone )?number")
_NUMBER = re.compile(
    r"phone|contact_number|\be\.?164|(invalid|destination|dialed|this) number|number (is )?(invalid|not)"
)

_NOTHING_PLACED = {405, 410, 411, 415}
"""By RFC 9110 the request was turned away before it was acted on: the address is wrong for every call."""
_TOO_LARGE = {413, 414, 431}
_TRY_ELSEWHERE = {421, 425}


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete HTTP answer. ``retry_after_s`` is None when absent or nonsense."""

    status: int
    body: bytes
    retry_after_s: float | None = None
    headers: httpx.Headers = field(default_factory=httpx.Headers)

    @property
    def content_type(self) -> str:
        """``audio/ogg`` and so on, without parameters; empty when the answer does not say."""
        return str(self.headers.get("content-type", "")).partition(";")[0].strip().lower()


def lost_kind(error: Exception) -> type[OutcomeUnknown]:
    """The class of a failure after the first byte left."""
    match error:
        case TimeoutError() | httpx.TimeoutException():
            return AnswerLate
        case httpx.RemoteProtocolError() | httpx.DecodingError():
            # What httpx tells of a peer that closed without a word is the same as of half an answer.
            return ConnectionLost if "without sending a response" in str(error) else AnswerCut
        case httpx.TransportError():
            return ConnectionLost
        case _:
            return OutcomeUnknown


def retry_after_s(value: str | None, now: float) -> float | None:
    """Seconds to wait by a Retry-After header (RFC 9110 §10.2.3), at most 3600.

    Both forms are read, seconds and HTTP date (against ``now``, unix seconds). A date in the past, a negative
    number or nonsense counts as no header.
    """
    text = (value or "").strip()
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
        return min(float(text), MAX_RETRY_AFTER_S)
    try:
        date = parsedate_to_datetime(text)
        wait = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return min(wait, MAX_RETRY_AFTER_S) if wait >= 0 else None


def _unique(pairs: list[tuple[str, Any]]) -> Json:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def json_value(answer: Answer) -> Any:
    """The body as JSON, any type. Raises AnswerUnreadable when it is none, or when an object repeats a key."""
    try:
        return json.loads(answer.body, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise AnswerUnreadable(f"HTTP {answer.status} without readable JSON", status=answer.status) from error


class Several(tuple[Any, ...]):
    """The values of a key that stands more than once in an object: nothing that wants one value reads it."""


def _together(pairs: list[tuple[str, Any]]) -> Json:
    found: Json = {}
    for name, value in pairs:
        if name in found and found[name] != value:
            before = found[name]
            found[name] = Several((*(before if isinstance(before, Several) else (before,)), value))
        else:
            found[name] = value
    return found


def lists_value(answer: Answer) -> Any:
    """The body of a list as JSON: what is odd in one row spoils that value, not the rows beside it.

    A key with two values has neither alone; bytes that are no UTF-8 become U+FFFD. Raises AnswerUnreadable.
    """
    try:
        body = answer.body.decode(json.detect_encoding(answer.body), "replace")
        return json.loads(body, object_pairs_hook=_together, parse_int=_integer, strict=False)
    except (ValueError, RecursionError) as error:
        raise AnswerUnreadable(f"HTTP {answer.status} without readable JSON", status=answer.status) from error


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) < LONGEST_INTEGER else float("nan")


LONGEST_INTEGER = 400
"""Python reads no integer of more than 4300 digits, and nothing counts so far."""


def json_object(answer: Answer) -> Json:
    """The body as a JSON object. Raises AnswerUnreadable for anything else."""
    found = json_value(answer)
    if not isinstance(found, dict):
        raise AnswerUnreadable(f"HTTP {answer.status} with JSON that is no object", status=answer.status)
    return found


def error_text(body: bytes) -> str:
    """The human part of an error body: FastAPI's ``detail``, the gateway's ``message``, or the raw text."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return body.decode("utf-8", "replace").strip()
    if not isinstance(found, dict):
        return str(found)
    parts = (_detail(found.get(key)) for key in ("detail", "error", "message"))
    return "; ".join(dict.fromkeys(part for part in parts if part))


def _detail(value: object) -> str:
    if isinstance(value, list):
        return "; ".join(filter(None, map(_detail, value)))
    if isinstance(value, dict):
        # A validation error also echoes the offending input, which may be a number or a name: left out.
        where = value.get("loc")
        place = ".".join(map(str, where)) + ": " if isinstance(where, list) else ""
        return f"{place}{value.get('msg') or value.get('message') or ''}".strip()
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _code(body: bytes) -> str | None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    code = found.get("code") if isinstance(found, dict) else None
    return code if isinstance(code, str) else None


def _error(kind: type[ProviderError], what: str, answer: Answer, hide: Hide) -> ProviderError:
    text = hide(error_text(answer.body))[:KEPT_BODY_CHARS]
    wait = CALLING_HOURS_RETRY_S if what == OUTSIDE_HOURS else answer.retry_after_s
    head = f"HTTP {answer.status}, {what}"
    return kind(
        f"{head}: {text}" if text else head,
        status=answer.status,
        code=_code(answer.body),
        body=hide(answer.body.decode("utf-8", "replace"))[:KEPT_BODY_CHARS],
        retry_after_s=wait,
    )


def refusal_kind(text: str) -> tuple[type[ProviderError], str] | None:
    """What a refusal's own words say, for texts that mean the same whatever the status; None if nothing."""
    words = text.lower()
    if _DO_NOT_DISTURB.search(words):
        return CallRefused, "on the do-not-disturb list"
    if _HOURS.search(words):
        return NotPlaced, OUTSIDE_HOURS
    if _BALANCE.search(words):
        return NoCredit, "the provider's wallet is empty"
    return None


def refusal_disposition(text: str) -> Disposition:
    """How an attempt ends that the provider refused: by do-not-disturb, by the number, or for another reason."""
    words = text.lower()
    if _DO_NOT_DISTURB.search(words):
        return Disposition.BLOCKED
    if _NUMBER.search(_OUR_NUMBER.sub("", words)):
        return Disposition.INVALID_NUMBER
    return Disposition.REJECTED


def place_error(answer: Answer, hide: Hide) -> ProviderError | None:
    """What a status says about a place-call request; None for a 2xx, whose body decides."""
    if 200 <= answer.status < 300:
        return None
    kind, what = _place_kind(answer)
    return _error(kind, what, answer, hide)


def _place_kind(answer: Answer) -> tuple[type[ProviderError], str]:
    status = answer.status
    if status == 429 or (status == 503 and answer.retry_after_s is not None):
        return Throttled, "asked to slow down"
    if status == 401:
        return KeyRefused, "the key is missing or wrong"
    if status == 402:
        return NoCredit, "the provider's wallet is empty"
    told = refusal_kind(error_text(answer.body)) if 400 <= status < 500 else None
    return told or _place_kind_by_status(status)


def _place_kind_by_status(status: int) -> tuple[type[ProviderError], str]:
    if status in {400, 422}:
        return RequestInvalid, "refused"
    if status == 403:
        return Forbidden, "this key may not place calls"
    if status == 404:
        return AgentMissing, "the agent is not known"
    if status in _NOTHING_PLACED:
        return AccountBlocked, "this address does not take calls"
    if status in _TOO_LARGE:
        return CallRefused, "the request is too large"
    if status in _TRY_ELSEWHERE:
        return NotPlaced, "turned away before it was read"
    return (ServerFailed if status >= 500 else OutcomeUnknown), "the call may or may not exist"


def unsuccessful(answer: Answer, body: Json, call_id: str | None, hide: Hide) -> ProviderError:
    """The error of a 2xx whose body says ``success: false`` (seen by integrators of api.vaanivoice.ai).

    Only a reason known to mean "nothing placed" is believed; an id beside it, or an unknown reason, is unknown.
    """
    if call_id:
        return _error(Unsuccessful, "success is false, yet there is a call id", answer, hide)
    text = error_text(answer.body)
    told = refusal_kind(text)
    if told:
        return _error(*told, answer, hide)
    if _AGENT.search(text.lower()):
        return _error(AgentMissing, "the agent is not known", answer, hide)
    if refusal_disposition(text) is Disposition.INVALID_NUMBER:
        return _error(CallRefused, "refused", answer, hide)
    return _error(Unsuccessful, "success is false for a reason nobody documented", answer, hide)


def read_error(answer: Answer, hide: Hide) -> ProviderError | None:
    """What a status says about a GET; None for a 2xx."""
    kind = _KINDS.get(answer.status, (OutcomeUnknown, "no usable answer"))
    return _request_error(answer, kind, hide)


def write_error(answer: Answer, hide: Hide) -> ProviderError | None:
    """What a status says about a request that changes something; None for a 2xx.

    A 4xx turned it away; after a 3xx, 408 or 5xx nobody can tell.
    """
    turned_away = 400 <= answer.status < 500 and answer.status != 408
    other = (CallRefused, "refused") if turned_away else (OutcomeUnknown, "it may or may not have been done")
    return _request_error(answer, _KINDS.get(answer.status, other), hide)


_KINDS: Mapping[int, tuple[type[ProviderError], str]] = {
    400: (RequestInvalid, "the request was refused"),
    401: (KeyRefused, "the key is missing or wrong"),
    402: (NoCredit, "the provider's wallet is empty"),
    403: (Forbidden, "this key may not do this"),
    404: (NotFound, "not found"),
    410: (SessionExpired, "gone"),
    422: (RequestInvalid, "the request was refused"),
    429: (Throttled, "asked to slow down"),
}


def _request_error(answer: Answer, found: tuple[type[ProviderError], str], hide: Hide) -> ProviderError | None:
    if 200 <= answer.status < 300:
        return None
    kind, what = found
    if answer.status == 503 and answer.retry_after_s is not None:
        kind, what = Throttled, "asked to slow down"
    elif answer.status >= 500:
        kind = ServerFailed
    return _error(kind, what, answer, hide)


def result_of(error: ProviderError, retry_5xx_at_once: bool = False) -> PlaceResult:
    """The place result that an error of the tree stands for.

    ``retry_5xx_at_once`` is the user's word that a 5xx of this provider placed nothing.
    """
    reason, status = str(error), error.status
    match error:
        case AccountBlocked():
            return NotPlacedResult(reason, halt=reason, http_status=status)
        case Throttled():
            return NotPlacedResult(reason, error.retry_after_s, throttled=True, http_status=status)
        case CallRefused():
            return Refused(refusal_disposition(f"{reason} {error.body}"), reason, status)
        case OutcomeUnknown() if retry_5xx_at_once and is_5xx(error):
            return NotPlacedResult(reason, error.retry_after_s, http_status=status)
        case OutcomeUnknown() | NotFound():
            return Unknown(reason, status)
        case _:
            return NotPlacedResult(reason, error.retry_after_s, http_status=status)


def is_5xx(error: BaseException | None) -> bool:
    """Whether an error is a 5xx answer."""
    return isinstance(error, ProviderError) and error.status is not None and 500 <= error.status < 600
