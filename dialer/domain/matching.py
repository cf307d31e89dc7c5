"""Which attempt does a row of the call log belong to?

Evidence, strongest first: the provider's call id; our token, echoed; number, agent and time. The last is
sound because one number never has two live attempts (invariant I2).
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from dialer.domain.call import CallLog

NEAR_BEFORE_S, NEAR_AFTER_S = 5.0, 120.0
"""How far from its request a call may begin and still give the lie to an answer, where no token tells."""


NATIONAL_DIGITS = 7
"""A number shown with fewer digits could be anybody's."""


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
    def dialed_at(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Match:
    """The attempt a row belongs to, and by what evidence."""

    attempt_id: int
    evidence: str


def same_number(shown: str, phone: str) -> bool:
    """Whether a log shows this E.164 number, perhaps without its country code as it is dialed at home."""
    if shown == phone:
        return True
    national = shown.lstrip("+").lstrip("0")
    return len(national) >= NATIONAL_DIGITS and phone.endswith(national)


def contradicts(row: CallLog, token: str, phone: str, sent_at: float) -> str:
    """By what evidence a row is the call of a request that the provider said placed nothing; "" if it is not."""
    if not row.outbound:
        return ""
    if row.token:
        return "token" if row.token == token else ""
    near = row.started_at is not None and -NEAR_BEFORE_S <= row.started_at - sent_at <= NEAR_AFTER_S
    return "number and time" if near and same_number(row.to_number, phone) else ""


@dataclass(slots=True)
class Matcher:
    """Finds the attempt of each row; an attempt is given to one row only.

    A row may begin up to ``before_s`` seconds ahead of our intent (clocks differ) and ``after_s`` behind it
    (the provider may queue). ``ids_are_final``: the id a provider answers with is the one its log shows, so an
    attempt that has one belongs to no other row, unless it is one of ``stranded``: theirs never came up.
    """

    before_s: float
    after_s: float
    ids_are_final: bool
    stranded: Collection[int] = ()
    _by_call_id: dict[str, Candidate] = field(default_factory=dict)
    _by_token: dict[str, Candidate] = field(default_factory=dict)
    _by_ending: dict[str, list[Candidate]] = field(default_factory=dict)
    _taken: set[int] = field(default_factory=set)

    def add(self, candidates: Iterable[Candidate]) -> None:
        """Attempts that wait for the log."""
        for candidate in candidates:
            if candidate.call_id:
                self._by_call_id[candidate.call_id] = candidate
            if candidate.token:
                self._by_token[candidate.token] = candidate
            self._by_ending.setdefault(candidate.phone[-NATIONAL_DIGITS:], []).append(candidate)

    def by_id(self, row: CallLog) -> Match | None:
        """By call id; ask this of every row first."""
        found = self._by_call_id.get(row.call_id)
        return self._take(found, "call id") if found is not None else None

    def by_token(self, row: CallLog) -> Match | None:
        """By our token, of rows that no id matched. A second call for one request is not ours to explain."""
        found = self._by_token.get(row.token) if row.token else None
        return self._take(found, "token") if found is not None and self._is_free(found) else None

    def likely(self, row: CallLog) -> Match | None:
        """By number and time, of rows that neither id nor token matched.

        Where several attempts fit, a late row of an older one among them, the nearest in time has it.
        """
        started = row.started_at
        if not row.outbound or row.token or started is None:
            return None
        fitting = [
            candidate
            for candidate in self._by_ending.get(row.to_number[-NATIONAL_DIGITS:], ())
            if self._is_free(candidate)
            and same_number(row.to_number, candidate.phone)
            and -self.before_s <= started - candidate.dialed_at <= self.after_s
        ]
        if not fitting:
            return None
        return self._take(min(fitting, key=lambda fit: abs(started - fit.dialed_at)), "number and time")

    def _is_free(self, candidate: Candidate) -> bool:
        if candidate.attempt_id in self._taken:
            return False
        return not (self.ids_are_final and candidate.call_id) or candidate.attempt_id in self.stranded

    def _take(self, candidate: Candidate, evidence: str) -> Match:
        self._taken.add(candidate.attempt_id)
        return Match(candidate.attempt_id, evidence)
