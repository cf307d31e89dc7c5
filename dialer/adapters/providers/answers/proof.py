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

from dialer.domain.refusal import REMEDIES, About
from dialer.errors import (
    AnswerCut,
    AnswerLate,
    AnswerUnreadable,
    CallRefused,
    ConnectionLost,
    Forbidden,
    KeyRefused,
    NoCredit,
    NotFound,
    OutcomeUnknown,
    ProviderError,
    RequestInvalid,
    ServerFailed,
    SessionExpired,
    Throttled,
)

MAX_RETRY_AFTER_S = 3600.0
CALLING_HOURS_RETRY_S = 1800.0
OUTSIDE_HOURS = About.HOURS.value
NUMBER_LIMIT_RETRY_S = 3600.0
"""When to try a number again that was called often enough for now, where the provider does not say."""
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
            # httpx raises the same for a peer that closed without a word as for half an answer.
            return ConnectionLost if "without sending a response" in str(error) else AnswerCut
        case httpx.TransportError():
            return ConnectionLost
        case _:
            return OutcomeUnknown


def retry_after_s(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds to wait by a Retry-After header (RFC 9110 §10.2.3), at most 3600.

    Both forms are read, seconds and HTTP date: against the answer's own Date, else against ``now`` (unix seconds). A
    date in the past, a negative number or nonsense counts as no header.
    """
    text = str(headers.get("retry-after") or "").strip()
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
        return min(float(text), MAX_RETRY_AFTER_S)
    until = _http_date(text)
    if until is None:
        return None
    sent = _http_date(str(headers.get("date") or ""))
    wait = until - (now if sent is None else sent)
    return min(wait, MAX_RETRY_AFTER_S) if wait >= 0 else None


def _http_date(text: str) -> float | None:
    try:
        date = parsedate_to_datetime(text)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def storable(text: str) -> str:
    """Text from outside as every database and terminal takes it: no NUL, no half of a character."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def _unique(pairs: list[tuple[str, Any]]) -> Json:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a key stands twice")
    return fields


def json_value(answer: Answer) -> Any:
    """The body as JSON, any type. Raises AnswerUnreadable when it is none, or when an object repeats a key."""
    try:
        return json.loads(answer.body, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise AnswerUnreadable(f"HTTP {answer.status} without readable JSON", status=answer.status) from error


class Several(tuple[Any, ...]):
    """The values of a key that stands more than once in an object: nothing that wants one value reads it."""


def _together(pairs: list[tuple[str, Any]]) -> Json:
    fields: Json = {}
    for name, value in pairs:
        if name in fields and fields[name] != value:
            before = fields[name]
            fields[name] = Several((*(before if isinstance(before, Several) else (before,)), value))
        else:
            fields[name] = value
    return fields


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
    body = json_value(answer)
    if not isinstance(body, dict):
        raise AnswerUnreadable(f"HTTP {answer.status} with JSON that is no object", status=answer.status)
    return body


def error_text(body: bytes) -> str:
    """The human part of an error body: FastAPI's ``detail``, the gateway's ``message``, or the raw text."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return body.decode("utf-8", "replace").strip()
    if not isinstance(answer, dict):
        return str(answer)
    parts = (_detail(answer.get(key)) for key in ("detail", "error", "message"))
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


def fields_of(body: bytes) -> list[str]:
    """The fields of the request that a validation error names (``loc``)."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return []
    errors = answer.get("detail") if isinstance(answer, dict) else None
    places = [error.get("loc") for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
    return [str(name) for place in places if isinstance(place, list) for name in place[-1:]]


def _field(body: bytes, *names: str) -> str | None:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None
    for name in names:
        value = answer.get(name) if isinstance(answer, dict) else None
        if isinstance(value, str | int) and not isinstance(value, bool):
            return storable(str(value))
    return None


def code_of(body: bytes) -> str | None:
    """The vendor's own error code."""
    code = _field(body, "code", "error_code")
    return code if code and not code.isdigit() else None


def says_429(body: bytes) -> bool:
    """Whether a body names the status 429, whatever status it came with."""
    return _field(body, "statusCode", "status_code", "code", "status") == "429"


def error_of(
    kind: type[ProviderError], what: str, answer: Answer, hide: Hide, said: About | None = None
) -> ProviderError:
    text = hide(error_text(answer.body))[:KEPT_BODY_CHARS]
    wait = answer.retry_after_s
    if what == OUTSIDE_HOURS:
        wait = CALLING_HOURS_RETRY_S
    elif what == About.NUMBER_LIMIT.value and wait is None:
        wait = NUMBER_LIMIT_RETRY_S
    head = f"HTTP {answer.status}, {what}"
    return kind(
        f"{head}: {text}" if text else head,
        status=answer.status,
        code=code_of(answer.body),
        body=hide(answer.body.decode("utf-8", "replace"))[:KEPT_BODY_CHARS],
        retry_after_s=wait,
        remedy=REMEDIES.get(said, "") if said else "",
        about=said.name if said else "",
    )


def read_error(answer: Answer, hide: Hide) -> ProviderError | None:
    """What a status says about a GET; None for a 2xx."""
    kind = _KINDS.get(answer.status, (OutcomeUnknown, "no usable answer"))
    return _request_error(answer, kind, hide)


def write_error(answer: Answer, hide: Hide) -> ProviderError | None:
    """What a status says about a request that changes something; None for a 2xx.

    A 4xx turned it away; after a 3xx, 408 or 5xx nobody knows.
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


def _request_error(answer: Answer, fault: tuple[type[ProviderError], str], hide: Hide) -> ProviderError | None:
    if 200 <= answer.status < 300:
        return None
    kind, what = fault
    if answer.status == 503 and answer.retry_after_s is not None:
        kind, what = Throttled, "asked to slow down"
    elif answer.status >= 500:
        kind = ServerFailed
    return error_of(kind, what, answer, hide)


def is_5xx(error: BaseException | None) -> bool:
    """Whether an error is a 5xx answer."""
    return isinstance(error, ProviderError) and error.status is not None and 500 <= error.status < 600
