"""The words in which providers say how a call ended.

Their pages list few; the others come from their webhooks, from carriers (SIP, RFC 3261 section 21) and from what
comparable providers write. Exact words first, then what a word speaks of; a word of neither kind is unknown, and shown.
"""

import re
from collections.abc import Mapping

from dialer.adapters.providers.answers.values import word
from dialer.domain.disposition import Disposition

D = Disposition

WORDS: Mapping[str, Disposition] = {
    **dict.fromkeys(
        (
            *("completed", "call completed", "ended", "call ended", "answered", "connected", "done", "finished"),
            *("disconnected", "user disconnected", "agent disconnected", "customer disconnected"),
            *("participant disconnected", "agent requested disconnect", "client initiated", "hangup", "user hangup"),
            *("agent hangup", "agent hung up", "customer hung up", "user hung up", "normal clearing", "success"),
        ),
        D.ANSWERED,
    ),
    **dict.fromkeys(
        (
            *("no answer", "noanswer", "call no answer", "not answered", "unanswered", "missed", "dial no answer"),
            *("ring timeout", "no user response", "not reachable", "user unavailable"),
        ),
        D.NO_ANSWER,
    ),
    **dict.fromkeys(("busy", "user busy", "line busy", "dial busy", "busy here", "busy everywhere"), D.BUSY),
    **dict.fromkeys(
        ("rejected", "call rejected", "user rejected", "declined", "user declined", "call declined"), D.REJECTED
    ),
    **dict.fromkeys(
        ("failed", "call failed", "dial failed", "error", "cancelled", "canceled", "originator cancel"), D.FAILED
    ),
    **dict.fromkeys(("invalid number", "unallocated number", "invalid destination", "wrong number"), D.INVALID_NUMBER),
    **dict.fromkeys(("blocked", "dnd", "do not disturb"), D.BLOCKED),
}

LIVE = frozenset(
    {
        *("initiated", "started", "calling", "dialing", "ringing", "active", "in progress", "inprogress", "ongoing"),
        *("live", "talking", "on call", "on hold", "early media"),
    }
)
"""The call is on."""
STILL_TO_COME = frozenset({"pending", "queued", "scheduled", "created", "registered", "waiting"})
"""The call is yet to be made."""

SIP: Mapping[str, Disposition] = {
    **dict.fromkeys(("404", "410", "484", "604"), D.INVALID_NUMBER),
    **dict.fromkeys(("408", "480", "487"), D.NO_ANSWER),
    **dict.fromkeys(("486", "600"), D.BUSY),
    "603": D.REJECTED,
    "607": D.BLOCKED,
}
"""Response codes; every other one of 400 and above is a failure."""

_CODE = re.compile(r"\bsip (?:code |status |response )?([1-6]\d\d)\b|^([3-6]\d\d)(?= [a-z]|$)")
_VOICEMAIL = re.compile(
    r"voice ?mail|\bmachine\b|\bamd\b(?! human)|\bleft (a )?message\b|answering (service|machine)|\bbeep\b"
)
_NOT_VOICEMAIL = re.compile(r"\b(no|not|non|without|human)\b")
_BY_SUBJECT = (
    (re.compile(r"invalid|unallocated|out of service|number changed"), D.INVALID_NUMBER),
    (
        re.compile(
            r"trunk|congest|balance|credit|spam|network|gateway|carrier|route|outage|service unavailable"
            r"|(dial|call|connect\w*|setup|sip) (failed|failure|error)|failure"
        ),
        D.FAILED,
    ),
)


def known_word(said: str) -> Disposition | None:
    """The disposition of a status word in the spelling of ``word``; None when it is unknown."""
    known = WORDS.get(said)
    if known is not None:
        return known
    if speaks_of_voicemail(said):
        return D.VOICEMAIL
    code = _CODE.search(said)
    if code is not None:
        return _of_code(code[1] or code[2], said)
    return next((means for subject, means in _BY_SUBJECT if subject.search(said)), None)


def _of_code(code: str, said: str) -> Disposition:
    if code.startswith("2"):
        return D.ANSWERED
    if code == "603" and "block" in said:
        return D.FAILED  # the network's word ("603+"), not the person's
    return SIP.get(code, D.FAILED)


def speaks_of_voicemail(said: str) -> bool:
    """Whether a status in the spelling of ``word`` says that a machine answered."""
    return _VOICEMAIL.search(said) is not None and not _NOT_VOICEMAIL.search(said)


def tells_of_voicemail(fields: Mapping[str, str]) -> bool:
    """Whether extracted fields say so: by their name with a yes, by their whole value, or as an outcome."""
    for name, value in fields.items():
        of, said = word(name), word(value)
        if _A_MACHINE.fullmatch(said) or (_OUTCOME.search(of) and speaks_of_voicemail(said)):
            return True
        if speaks_of_voicemail(of) and said.partition(" ")[0] in {"true", "yes", "1", "detected", "reached", "left"}:
            return True
    return False


_A_MACHINE = re.compile(r"(voice ?mail|(answering )?machine|amd)( (was )?(detected|reached|left|answered))?")
_OUTCOME = re.compile(r"\b(disposition|status|outcome|result|tag)")
