"""Which attempt does a row of the call log belong to?

Evidence, strongest first: the provider's call id; our token, echoed; number, agent and time. The last is
sound because one number never has two live attempts (invariant I2). An id proves nothing where the row shows
another number or another token: some server between gave one person the answer of another.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from dialer.domain.call import CallLog

NEAR_BEFORE_S, NEAR_AFTER_S = 5.0, 120.0
"""How far from its request a call may begin and still contradict an answer, where there is no token."""
HIDDEN = "?"
"""Stands in a shown number for digits that are not shown, however many."""
NATIONAL_DIGITS = 7
"""A number shown with fewer digits could be anybody's."""
SHOWN_DIGITS = 4
"""Of a number with hidden digits fewer that show could be anybody's."""
CLOCKS_APART_S = 5.0
"""How far the clocks of our own hosts may differ."""
SAME_CALL_S = 10.0
"""Rows of one number that begin so close together are one call."""
_UUID = re.compile(r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", re.IGNORECASE)


class Candidate(Protocol):
    """What is known of an attempt that waits for the log."""

    @property
    def attempt_id(self) -> int: ...
    @property
    def call_id(self) -> str | None: ...
    @property
    def token(self) -> str: ...
    @property
    def phone(self) -> str: ...
    @property
    def agent(self) -> str: ...
    @property
    def dialed_at(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Match:
    """The attempt that a row belongs to, and the evidence."""

    attempt_id: int
    evidence: str


def same_number(shown: str, phone: str) -> bool:
    """Whether a log shows this E.164 number, perhaps without its country code as it is dialed at home.

    Of a number that hides digits, what shows must fit, and be enough to mean somebody.
    """
    if shown == phone:
        return True
    if HIDDEN in shown:
        return len(shown) - 1 - shown.count(HIDDEN) >= SHOWN_DIGITS and _fits(shown, phone)
    national = shown.lstrip("+").lstrip("0")
    return len(national) >= NATIONAL_DIGITS and (phone.endswith(national) or national.endswith(phone.lstrip("+")))


def may_be_number(shown: str, phone: str) -> bool:
    """Whether what a log shows does not speak against this number: nothing, too little, or what fits."""
    if HIDDEN in shown:
        return _fits(shown, phone)
    return len(shown) <= NATIONAL_DIGITS or same_number(shown, phone)


def _fits(shown: str, phone: str) -> bool:
    first, *middle, last = shown.lstrip("+").split(HIDDEN)
    digits = phone.lstrip("+")
    begins = any(digits[code:].startswith(first.lstrip("0")) for code in range(4))
    inner = all(part in digits for part in middle)
    return begins and inner and digits.endswith(last) and len(first.lstrip("0")) + len(last) <= len(digits)


def is_agents(row: CallLog, agent: str) -> bool | None:
    """Whether a row is of the agent that an attempt was given to; None where they cannot be compared.

    One of them may be an id and the other a name, or a number with hidden digits.
    """
    if agent in (row.agent, row.agent_name) or _slug(agent) in (_slug(row.agent), _slug(row.agent_name)):
        return True
    is_number = not re.search(r"[A-Za-z]", agent) and len(agent) > NATIONAL_DIGITS
    if not row.agent or is_number != row.agent.startswith("+"):
        return None
    if is_number:
        return _same_line(row.agent, "+" + re.sub(r"\D", "", agent).removeprefix("00"))
    by_name = row.agent == row.agent_name
    return None if by_name or bool(_UUID.fullmatch(agent)) != bool(_UUID.fullmatch(row.agent)) else False


def _same_line(shown: str, ours: str) -> bool | None:
    if same_number(shown, ours):
        return True
    return None if may_be_number(shown, ours) else False


def _slug(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.lower())


def contradicts(row: CallLog, token: str, phone: str, sent_at: float) -> str:
    """By what evidence a row is the call of a request that the provider said placed nothing; "" if it is not."""
    if not row.outbound:
        return ""
    if row.token:
        return "token" if row.token == token else ""
    near = row.started_at is not None and -NEAR_BEFORE_S <= row.started_at - sent_at <= NEAR_AFTER_S
    return "number and time" if near and same_number(row.to_number, phone) else ""


def disproves(row: CallLog, attempt: Candidate) -> bool:
    """Whether a row shows that it is not this attempt's, whatever id it carries."""
    if row.token and attempt.token:
        return row.token != attempt.token
    return not may_be_number(row.to_number, attempt.phone)


@dataclass(slots=True)
class Matcher:
    """Finds the attempt of each row; an attempt is given to one row only.

    A row may begin up to ``before_s`` seconds ahead of our intent (clocks differ) and ``after_s`` behind it
    (the provider may queue). ``ids_are_final``: the id a provider answers with is the one its log shows, so an
    attempt that has one belongs to no other row, unless it is one of ``stranded``: theirs never came up.
    ``first_seen``: since when rows have been in the log (unix seconds): a call is in no log before it is made.
    """

    before_s: float
    after_s: float
    ids_are_final: bool
    stranded: Collection[int] = ()
    first_seen: Mapping[str, float] = field(default_factory=dict)
    _by_call_id: dict[str, list[Candidate]] = field(default_factory=dict)
    _by_token: dict[str, Candidate] = field(default_factory=dict)
    _by_ending: dict[str, list[Candidate]] = field(default_factory=dict)
    _by_time: list[Candidate] = field(default_factory=list)
    _taken: set[int] = field(default_factory=set)
    _misled: set[int] = field(default_factory=set)
    """Attempts whose id is that of somebody else's call."""

    def add(self, candidates: Iterable[Candidate]) -> None:
        """Attempts that wait for the log."""
        for candidate in candidates:
            if candidate.call_id:
                self._by_call_id.setdefault(candidate.call_id, []).append(candidate)
            if candidate.token:
                self._by_token[candidate.token] = candidate
            self._by_ending.setdefault(candidate.phone[-NATIONAL_DIGITS:], []).append(candidate)
            self._by_time.append(candidate)
        self._by_time.sort(key=lambda candidate: candidate.dialed_at)

    def mislead(self, call_id: str, owner: int) -> None:
        """A call that certainly belongs to another attempt: any other that was given its id was misled."""
        for candidate in self._by_call_id.get(call_id, ()):
            if candidate.attempt_id != owner:
                self._misled.add(candidate.attempt_id)

    def by_id(self, row: CallLog) -> Match | None:
        """By call id; ask this of every row first."""
        named = self._by_call_id.get(row.call_id, ())
        fitting = [candidate for candidate in named if not disproves(row, candidate)]
        self._misled.update(candidate.attempt_id for candidate in named if candidate not in fitting)
        free = [candidate for candidate in fitting if candidate.attempt_id not in self._taken]
        return self._take(free[0], "call id") if free else None

    def by_token(self, row: CallLog) -> Match | None:
        """By our token, of rows that no id matched. A second call for one request is not ours to explain."""
        attempt = self._by_token.get(row.token) if row.token else None
        return self._take(attempt, "token") if attempt is not None and self._is_free(attempt) else None

    def likely(self, row: CallLog) -> Match | None:
        """By number, agent and time, of rows that neither id nor token matched.

        Where several attempts fit, a late row of an older one among them, the nearest in time has it; but none has a
        row whose number hides digits.
        """
        started = row.started_at
        if not row.outbound or row.token or started is None or not row.to_number:
            return None
        masked = HIDDEN in row.to_number
        near = self._begun_near(started) if masked else self._by_ending.get(row.to_number[-NATIONAL_DIGITS:], ())
        fitting = [
            candidate
            for candidate in near
            if self._is_free(candidate)
            and same_number(row.to_number, candidate.phone)
            and -self.before_s <= started - candidate.dialed_at <= self.after_s
            and is_agents(row, candidate.agent) is not False
            and self.first_seen.get(row.call_id, candidate.dialed_at) >= candidate.dialed_at - CLOCKS_APART_S
        ]
        if not fitting or (masked and len({fit.phone for fit in fitting}) > 1):
            return None
        return self._take(min(fitting, key=lambda fit: abs(started - fit.dialed_at)), "number and time")

    def _begun_near(self, started: float) -> list[Candidate]:
        low = bisect_left(self._by_time, started - self.after_s, key=lambda fit: fit.dialed_at)
        high = bisect_right(self._by_time, started + self.before_s, key=lambda fit: fit.dialed_at)
        return self._by_time[low:high]

    def _is_free(self, candidate: Candidate) -> bool:
        if candidate.attempt_id in self._taken:
            return False
        final = self.ids_are_final and candidate.call_id and candidate.attempt_id not in self._misled
        return not final or candidate.attempt_id in self.stranded

    def _take(self, candidate: Candidate, evidence: str) -> Match:
        self._taken.add(candidate.attempt_id)
        return Match(candidate.attempt_id, evidence)
