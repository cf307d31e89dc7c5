"""Errors as answers: ``application/problem+json`` (RFC 9457) for programs, a page for people.

Every error of ``dialer/errors.py`` that can reach an answer has a status and a code; ``docs/api.md`` lists them.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse

from config.logs import mask_phones
from dialer import errors

KIND = "application/problem+json"
TYPE = "urn:dialer:problem:"

CODES: Mapping[type[errors.DialerError], tuple[int, str]] = {
    errors.UnknownName: (404, "unknown-name"),
    errors.InputFileError: (422, "list-refused"),
    errors.CampaignFileError: (422, "campaign-refused"),
    errors.WrongMoment: (409, "wrong-moment"),
    errors.ChangedMeanwhile: (412, "changed-meanwhile"),
    errors.UsageError: (422, "cannot-be-done"),
    errors.ReadingStopped: (503, "reading-stopped"),
    errors.LedgerNewer: (503, "ledger-newer"),
    errors.LedgerUnavailable: (503, "ledger-unavailable"),
    errors.QueueUnavailable: (503, "queue-unavailable"),
    errors.SourceUnavailable: (503, "source-unavailable"),
    errors.NotFound: (404, "not-at-provider"),
    errors.WebhookForged: (401, "webhook-forged"),
    errors.ProviderError: (502, "provider"),
    errors.Interrupted: (503, "ending"),
    errors.CannotServe: (503, "cannot-serve"),
    errors.DialerError: (500, "internal"),
}
"""Error -> HTTP status and code; the nearest base class counts."""
HTTP_CODES = {
    400: "bad-request",
    401: "not-signed-in",
    403: "not-allowed",
    404: "not-found",
    405: "method-not-allowed",
    406: "not-acceptable",
    408: "too-slow",
    409: "conflict",
    410: "gone",
    411: "length-missing",
    412: "changed-meanwhile",
    413: "too-large",
    414: "address-too-long",
    415: "wrong-kind",
    416: "no-such-range",
    421: "unknown-host",
    422: "invalid",
    429: "too-many",
    500: "internal",
    501: "not-offered",
    502: "provider",
    503: "unavailable",
}


class Refusal(HTTPException):
    """An answer other than success that the page or the API gives by itself."""

    def __init__(self, status: int, detail: str, *, remedy: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, detail, headers)
        self.remedy = remedy


def status_of(error: errors.DialerError) -> tuple[int, str]:
    """HTTP status and code."""
    return next(CODES[kind] for kind in type(error).__mro__ if kind in CODES)


def document(
    status: int, code: str, detail: str, *, remedy: str = "", more: Sequence[Mapping[str, str]] = ()
) -> dict[str, Any]:
    """The problem as JSON keys. No number of a person stands in it."""
    return {
        "type": TYPE + code,
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": _sayable(detail),
        "code": code,
        "remedy": _sayable(remedy),
        "errors": [{name: _sayable(said) for name, said in one.items()} for one in more],
    }


def _sayable(text: str) -> str:
    """Without numbers; half a character, which no answer can hold, is a question mark."""
    return mask_phones(text).encode(errors="replace").decode()


def of_error(error: Exception) -> tuple[dict[str, Any], Mapping[str, str]]:
    """The problem that an error is, and the headers to answer with."""
    if isinstance(error, Refusal):
        code = HTTP_CODES.get(error.status_code, "internal")
        return document(error.status_code, code, error.detail, remedy=error.remedy), error.headers or {}
    if isinstance(error, HTTPException):
        code = HTTP_CODES.get(error.status_code, "internal")
        return document(error.status_code, code, str(error.detail)), error.headers or {}
    if isinstance(error, RequestValidationError):
        wrong = [{"pointer": _pointer(one["loc"]), "detail": str(one["msg"])} for one in error.errors()]
        said = "; ".join(f"{one['pointer']}: {one['detail']}" for one in wrong)
        return document(422, "invalid", f"the request is not as it must be: {said}", more=wrong), {}
    if isinstance(error, ClientDisconnect):
        return document(400, "bad-request", "the request broke off"), {}
    if isinstance(error, OverflowError):
        return document(422, "invalid", "a number is larger than any of ours"), {}
    if isinstance(error, errors.InputFileError):
        return document(422, "list-refused", f"{error.place}: {error.problem}", remedy=error.remedy), {}
    if isinstance(error, errors.DialerError):
        status, code = status_of(error)
        headers = {"Retry-After": "5"} if status == 503 else {}
        return document(status, code, str(error), remedy=getattr(error, "remedy", "")), headers
    return document(500, "internal", "a fault of the program: its log says more"), {}


def answer(error: Exception) -> JSONResponse:
    """The problem as an answer."""
    problem, headers = of_error(error)
    return JSONResponse(problem, problem["status"], dict(headers), media_type=KIND)


def _pointer(place: Sequence[Any]) -> str:
    return "/" + "/".join(str(part).replace("~", "~0").replace("/", "~1") for part in place)
