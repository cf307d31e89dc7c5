"""What the answer to a place-call request proves: refused for one person, for everybody, or perhaps placed."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from dialer.adapters.providers.answers.proof import (
    KEPT_BODY_CHARS,
    Answer,
    Hide,
    code_of,
    error_of,
    error_text,
    fields_of,
    is_5xx,
    json_object,
    says_429,
)
from dialer.domain.call import NotPlaced as NotPlacedResult
from dialer.domain.call import PlaceResult, Refused, Unknown
from dialer.domain.disposition import Disposition
from dialer.domain.refusal import OF_THE_PERSON, REMEDIES, About, about
from dialer.errors import (
    AccountBlocked,
    AddressMoved,
    AgentMissing,
    CallRefused,
    CampaignBlocked,
    Forbidden,
    KeyRefused,
    LoginExpired,
    NoCredit,
    NotFound,
    NotPlaced,
    OutcomeUnknown,
    ProviderError,
    RequestInvalid,
    ServerFailed,
    Throttled,
    Unsuccessful,
)

ASK_AGAIN_S = 1.0
"""When to ask again after an answer that may be a gateway's mishap."""

_NOTHING_PLACED = {405, 410, 411, 415}
"""By RFC 9110 the request was turned away before it was acted on: the address is wrong for every call."""
_TOO_LARGE = {413, 414, 431}
_TRY_ELSEWHERE = {407, 421, 425}
"""Answered before the provider: 407 is a proxy's."""
_NEVER_REACHED = {521, 523, 525, 526, 530}
"""Cloudflare's words for an origin that refused the connection, has no route, no name or no TLS: it was not asked.
520, 522 and 524 may come after the request arrived, and prove nothing."""


_KIND_OF: Mapping[About, type[ProviderError]] = {
    About.DO_NOT_DISTURB: CallRefused,
    About.HOURS: NotPlaced,
    About.NUMBER_LIMIT: NotPlaced,
    About.LIMIT: Throttled,
    About.NUMBER: RequestInvalid,
    About.PERSON: CallRefused,
    About.AGENT: AgentMissing,
    About.CALLER_ID: CampaignBlocked,
    About.TRUNK: CampaignBlocked,
    About.CREDIT: NoCredit,
    About.ACCOUNT: AccountBlocked,
}
"""What a refusal's own words mean, whatever its status."""


_DISPOSITION_OF = {About.DO_NOT_DISTURB: Disposition.BLOCKED, About.NUMBER: Disposition.INVALID_NUMBER}


def _about(answer: Answer) -> About:
    """What an answer says of itself; a page is a gateway's and says nothing."""
    if _is_page(answer):
        return About.NOTHING
    if says_429(answer.body):
        return About.LIMIT
    code = code_of(answer.body) or ""
    return about(f"{error_text(answer.body)} {code.replace('_', ' ')}", fields_of(answer.body))


def _is_page(answer: Answer) -> bool:
    return answer.body.lstrip()[:1] == b"<" or answer.content_type == "text/html"


def place_error(answer: Answer, hide: Hide, setting: str = "the base URL") -> ProviderError | None:
    """What a status says about a place-call request; None for a 2xx, whose body decides.

    ``setting`` names the option that holds the provider's address.
    """
    if 200 <= answer.status < 300:
        return None
    if 300 <= answer.status < 400:
        return _moved(answer, hide, setting)
    kind, what, said = _place_kind(answer)
    return error_of(kind, what, answer, hide, said)


def _moved(answer: Answer, hide: Hide, setting: str) -> ProviderError:
    """A redirect did nothing (RFC 9110, 15.4): the address is wrong, for everybody."""
    place = urlsplit(str(answer.headers.get("location", "")))
    where = hide(f"{place.scheme}://{place.hostname or ''}{place.path}" if place.netloc else place.path)[:200]
    reason = f"HTTP {answer.status}, the provider's address has moved" + (f" to {where}" if where else "")
    body = hide(answer.body.decode("utf-8", "replace"))[:KEPT_BODY_CHARS]
    code = code_of(answer.body)
    return AddressMoved(reason, status=answer.status, code=code, body=body, remedy=f"Set {setting}")


def _place_kind(answer: Answer) -> tuple[type[ProviderError], str, About | None]:
    """The class of an answer, its words, and what it is about where it leaves no doubt."""
    status, said = answer.status, _about(answer)
    full = status == 429 or (status == 503 and (answer.retry_after_s is not None or said is About.LIMIT))
    if said is About.NUMBER_LIMIT and (full or 400 <= status < 500):
        return NotPlaced, said.value, said
    if full:
        return Throttled, "asked to slow down", About.LIMIT
    if status in _NEVER_REACHED:
        return NotPlaced, "the provider's own server was not reached", None
    if not 400 <= status < 500 or status == 408 or said is About.NOTHING:
        return _place_kind_by_status(answer)
    if status == 402 and said not in OF_THE_PERSON:
        said = About.CREDIT
    kind = KeyRefused if status == 401 and said in REMEDIES else _KIND_OF[said]
    return kind, said.value, said


def _place_kind_by_status(answer: Answer) -> tuple[type[ProviderError], str, About | None]:
    status, page = answer.status, _is_page(answer)
    if status in {400, 422} and not page:
        return RequestInvalid, "refused", About.NOTHING
    if status in _TOO_LARGE and not page:
        return CallRefused, "the request is too large", About.NOTHING
    if status in _TRY_ELSEWHERE:
        return NotPlaced, "turned away before it was read", None
    if status in _DOUBTFUL:
        kind, what = _DOUBTFUL[status]
        return kind, what, About.CREDIT if status == 402 and not page else None
    if status in {400, 422} | _TOO_LARGE:
        return AccountBlocked, "no answer of the API, but of a gateway before it", None
    return (ServerFailed if status >= 500 else OutcomeUnknown), "the call may or may not exist", None


_NO_CALLS = "this address does not take calls"
_DOUBTFUL: Mapping[int, tuple[type[ProviderError], str]] = {
    401: (KeyRefused, "the key is missing or wrong"),
    402: (NoCredit, "the provider's wallet is empty"),
    403: (Forbidden, "this key may not place calls"),
    404: (AgentMissing, "the agent is not known"),
    **dict.fromkeys(_NOTHING_PLACED, (AccountBlocked, _NO_CALLS)),
}
"""Turned away, by the status. That may be a gateway's mishap, so it is asked again (except after a 402)."""


_UNSURE = re.compile(
    r"fail|error|time[ds]?[ -]?out|internal|unexpected|exception|unavailable|try again|unknown|lost|could not|dispatch"
)


def unsuccessful(answer: Answer, call_id: str | None, hide: Hide) -> ProviderError:
    """The error of a 2xx whose body says that it failed (seen by integrators of api.vaanivoice.ai).

    Without an id it is a refusal by the provider's own word (which the log is held against), unless its words are those
    of something that broke: then nobody knows.
    """
    if call_id:
        return error_of(Unsuccessful, "success is false, yet there is a call id", answer, hide)
    said, words = _about(answer), error_text(answer.body)
    if said is About.NOTHING and (not words or _UNSURE.search(words.lower()) or not _says_false(answer)):
        return error_of(Unsuccessful, "success is false for a reason nobody documented", answer, hide)
    kind = CallRefused if said is About.NOTHING else _KIND_OF[said]
    return error_of(kind, said.value, answer, hide, said)


def _says_false(answer: Answer) -> bool:
    return json_object(answer).get("success") is False


def result_of(error: ProviderError, retry_5xx_at_once: bool = False) -> PlaceResult:
    """The place result that an error of the tree stands for.

    ``retry_5xx_at_once`` is the user's word that a 5xx of this provider placed nothing.
    """
    reason, status = str(error), error.status
    match error:
        case AccountBlocked() | CampaignBlocked():
            everywhere = isinstance(error, AccountBlocked)
            if not error.remedy and not isinstance(error, LoginExpired):
                wait = max(ASK_AGAIN_S, error.retry_after_s or 0.0)
                return NotPlacedResult(reason, wait, http_status=status, halts_account=everywhere, doubtful=True)
            halt = f"{reason}. {error.remedy or 'Log in again'}, then `dialer start`"
            return NotPlacedResult(reason, halt=halt, http_status=status, halts_account=everywhere)
        case Throttled():
            return NotPlacedResult(reason, error.retry_after_s, throttled=True, http_status=status)
        case CallRefused():
            said = About[error.about] if error.about else about(reason)
            return Refused(_DISPOSITION_OF.get(said, Disposition.REJECTED), reason, status, said)
        case OutcomeUnknown() if retry_5xx_at_once and is_5xx(error):
            return NotPlacedResult(reason, error.retry_after_s, http_status=status)
        case OutcomeUnknown() | NotFound():
            return Unknown(reason, status)
        case _:
            return NotPlacedResult(reason, error.retry_after_s, http_status=status)
