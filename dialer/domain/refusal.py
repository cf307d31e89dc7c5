"""What the words of a refusal are about: one person, or everybody.

No vendor documents its error texts, so the words are those that voice providers use in public. The order of the
questions matters: "no trunk for this phone number" is about the trunk, "calls to this country are not enabled for
your account" about the country.
"""

import re
from collections.abc import Sequence
from enum import Enum


class About(Enum):
    """What a refusal is about, and who is concerned."""

    DO_NOT_DISTURB = "on the do-not-disturb list"
    HOURS = "outside the provider's calling hours"
    NUMBER_LIMIT = "a limit of this number"
    LIMIT = "asked to slow down"
    NUMBER = "this number is refused"
    PERSON = "this number, country or contact is refused"
    AGENT = "the agent cannot place calls"
    CALLER_ID = "the number that calls is refused"
    TRUNK = "the telephone line of the agent is not set up"
    CREDIT = "the provider's wallet is empty"
    ACCOUNT = "the account may not place calls"
    NOTHING = "refused"


REMEDIES = {
    About.AGENT: "Check the agent of the campaign (`dialer agents`)",
    About.CALLER_ID: "Check caller_ids of the campaign and the numbers of the agent",
    About.TRUNK: "Check the agent's telephone line with the provider",
    About.CREDIT: "Fill the wallet",
    About.ACCOUNT: "Check the account with the provider",
}
"""What a person can do, where one can do anything; "then `dialer start`" follows."""

OF_THE_CAMPAIGN = frozenset({About.AGENT, About.CALLER_ID, About.TRUNK})
"""Another campaign of the account may have another agent."""

OF_THE_PERSON = frozenset({About.DO_NOT_DISTURB, About.NUMBER, About.PERSON})

_DO_NOT_DISTURB = re.compile(r"\bdndc?\b|\bndnc\b|do[ -]not[ -](disturb|call)")
_HOURS = re.compile(r"\btrai\b|calling[ -](hours|window|time)|(?<![t\d:])(0?8:00|20:00)(?!:\d)|0800.{0,20}2000")
_FULL = re.compile(
    r"concurren|simultaneous|\b(channel|line)s?[ _-]*(limit|capacity)|\bcps\b|rate[ _-]?limit|too[ _]many[ _]"
    r"(requests|calls|active)|throttl|\b(at|over|no|out of)[ _]capacity|capacity (is )?(reached|exceeded|full)"
    r"|slow down|all (lines|channels) (are )?(busy|in use)|max(imum)?[ _](number of )?(active )?calls"
)
_LIMIT = re.compile(
    r"\b(call|request|usage|daily|hourly|minute)s?[ _-]*limit|limit[ _](is |was |has been )?(reach|exceed|hit)"
    r"|exceeded.{0,30}\blimit|try again (later|in)|too many|\bquota\b"
)
_NO_LIMIT_OF_CALLS = re.compile(r"character|length|\bsize\b|\bbytes?\b|\bcredit limit|spending limit|\btokens?\b")
_CREDIT = re.compile(
    r"\b(insufficient|low|not enough|no|out of|negative|zero|exhausted)\b.{0,20}"
    r"\b(balance|credits?|funds?|money|minutes)\b"
    r"|\b(balance|credits?|funds|minutes|wallet)\b.{0,30}"
    r"\b(low|insufficient|exhausted|empty|negative|depleted|used up|over)\b"
    r"|\bwallet\b|(credit|spending) limit|\brecharge\b|top[ -]?up"
)
_STRONG_PERSON = re.compile(
    r"\b(destination|countr(y|ies)|region|recipient|callee|called[ _]party|contact_number|phone_number_to_dial"
    r"|to_number|subscriber|geo(graphic)?[ _-]?permission)\b|\bto number\b|\bthis contact\b"
    r"|\bcontact (is|was|has|already)\b|(blocked|blacklisted|opted out|unsubscribed|barred) by\b"
    r"|\b(opted[ -]out|unsubscribed|blacklist(ed)?|blocklist(ed)?)\b|\bthe (customer|person) (has|is)\b"
)
_BAD = (
    r"(not (a )?(found|exist|known|published|active|valid|configured|available|allowed|enabled|assigned|set|verified"
    r"|owned|registered|linked|attached|belong|ready|deployed|approved|permitted|supported|provisioned)"
    r"|does(n'?t| not)|unknown|invalid|no such|missing|unpublished|inactive|disabled|deleted|archived|expired"
    r"|unverified|unregistered|required|cannot|can't|has no|have no|without|no longer|suspended|malformed"
    r"|badly formed|denied|refused|rejected|wrong|uuid)"
)


def _near(what: str) -> re.Pattern[str]:
    """``what`` and a word of failure, either before the other, in one sentence."""
    return re.compile(rf"{what}[^.;]{{0,80}}?\b{_BAD}|\b{_BAD}[^.;]{{0,40}}?{what}")


_FROM = (
    r"(\b(from|caller|outbound|source|originating|origination|sender|calling|your)[ _-]*(phone[ _-]*)?(number|id)s?\b"
    r"|\bcaller[ _-]?id|agent_phone_number|\bagent'?s? (phone )?number|\bcli\b|\bphone_number_id\b|\bdid\b number)"
)
_CALLER_ID = re.compile(
    rf"{_FROM}|no (outbound |phone |active |verified )*numbers? (is |are )?"
    r"(configured|assigned|available|attached|linked)"
    r"|\b(has|have) no (outbound |phone )+number|number[^.;]{0,40}(does not|doesn't|not) (belong|owned)"
)
_AGENT = _near(r"\b(agent|assistant|bot)s?(_id|[ _]id)?\b")
_TRUNK = re.compile(
    r"\btrunks?\b|\bsip (provider|gateway|credential|account)|sip_trunk|telephony (is |provider )?(not|un)"
)
_ACCOUNT = _near(
    r"\b(account|subscription|plan|trial|workspace|organi[sz]ation|tenant|licen[cs]e|kyc|verification|billing|payment"
    r"|invoice|api access|outbound calling)\b"
)
_ACCOUNT_PLAIN = re.compile(
    r"\bkyc\b|upgrade (your|to)|\btrial (has |is |period )*(expired|ended|over)|\btrial accounts?\b"
    r"|(account|subscription|plan|payment)[^.;]{0,40}"
    r"\b(closed|blocked|locked|pending|overdue|on hold|ended|lapsed|over)\b"
)
_NUMBER = re.compile(
    r"phone|contact_number|\be\.?164|(invalid|destination|dialed|this) number|number (is )?(invalid|not|un)"
)
_NO_NUMBER = re.compile(
    r"invalid|not (a )?(found|exist|valid|known|assigned|in service|dialable)|malformed|does(n'?t| not) exist"
    r"|unallocated|format|unassigned|disconnected"
)

_FIELDS_OF_ALL = {
    "agent_id": About.AGENT,
    "agent_name": About.AGENT,
    "agent_phone_number": About.CALLER_ID,
    "outbound_number": About.CALLER_ID,
    "from_number": About.CALLER_ID,
    "sip_trunk_id": About.TRUNK,
}
_FIELDS_OF_ONE = frozenset({"contact_number", "phone_number_to_dial", "to_number", "phone", "phone_number"})


def about(text: str, fields: Sequence[str] = ()) -> About:
    """What a refusal is about; ``fields`` are those of the request that a validation error names."""
    for field in fields:
        if field in _FIELDS_OF_ALL:
            return _FIELDS_OF_ALL[field]
    words = re.sub(r"\s+", " ", text.lower())
    if _DO_NOT_DISTURB.search(words):
        return About.DO_NOT_DISTURB
    if _HOURS.search(words):
        return About.HOURS
    if any(field in _FIELDS_OF_ONE for field in fields):
        return About.NUMBER
    return _about_limits(words) or _about_whom(words)


def _about_limits(words: str) -> About | None:
    if _NO_LIMIT_OF_CALLS.search(words):
        return None
    full = _FULL.search(words)
    if not full and (not _LIMIT.search(words) or _CREDIT.search(words) or _ACCOUNT_PLAIN.search(words)):
        return None
    one = re.search(r"\b(this|the|per) (phone )?(number|contact|recipient|destination|customer)\b", words)
    return About.NUMBER_LIMIT if one else About.LIMIT


def _about_whom(words: str) -> About:
    if _STRONG_PERSON.search(words):
        return About.NUMBER if _NUMBER.search(words) and _NO_NUMBER.search(words) else About.PERSON
    for pattern, what in (
        (_TRUNK, About.TRUNK),
        (_CALLER_ID, About.CALLER_ID),
        (_AGENT, About.AGENT),
        (_CREDIT, About.CREDIT),
        (_ACCOUNT_PLAIN, About.ACCOUNT),
        (_ACCOUNT, About.ACCOUNT),
        (_NUMBER, About.NUMBER),
    ):
        if pattern.search(words):
            return what
    return About.NOTHING


FEW = 10
"""So many people in a row, all refused, and nobody else accepted: it is not them."""
STRANGE_AT_THE_END = 3
"""At the end of a list so many are enough, where the words name no person; one, if nobody was ever accepted."""
TWO = 2
ASKED_AGAIN = 3
"""An answer that may be a gateway's mishap is everybody's when two people meet it, or one so often."""
DOUBT, DOUBT_OF_CAMPAIGN = "doubt", "doubt_of_campaign"
"""What the ledger calls such an answer."""


def counted(refused: Sequence[About], *, accepted_before: bool) -> list[About]:
    """Those that may be everybody's. Do-not-disturb is plain speech: it counts only where nobody was ever accepted."""
    return [what for what in refused if not (accepted_before and what is About.DO_NOT_DISTURB)]


def is_everybodys(refused: Sequence[About], *, accepted_before: bool, over: bool) -> bool:
    """Whether a run of refusals, with nobody accepted since the first of them, is about everybody.

    ``over``: nobody is left to ask.
    """
    counting = counted(refused, accepted_before=accepted_before)
    if len(counting) >= FEW:
        return True
    strange = [what for what in counting if what not in OF_THE_PERSON]
    return over and len(strange) >= (STRANGE_AT_THE_END if accepted_before else 1)
