"""What the hostile provider knows of its calls: the truth to compare with."""

from dataclasses import dataclass, field
from random import Random
from typing import Any

ANSWERED, NO_ANSWER, BUSY, FAILED = "answered", "no_answer", "busy", "failed"
OUTCOMES = (ANSWERED, NO_ANSWER, BUSY, FAILED)
SHARES = (6, 2, 1, 1)
START_S, RING_S, TALK_S = (0.0, 0.1), (0.1, 0.4), (0.1, 0.9)
LAG_S = (0.05, 0.4)


@dataclass(frozen=True)
class Call:
    """One call that was really placed. Times are unix seconds."""

    to: str
    agent: str
    given: dict[str, Any]
    """What came with the request for the agent's prompt."""
    answer_id: str
    log_id: str
    placed_at: float
    picked_at: float | None
    ended_at: float
    shown_at: float
    """When its row is final; infinite when there is never one."""
    outcome: str
    told: str
    """The outcome, as far as its row lets anybody tell."""
    fault: str
    """What befell the answer, or empty."""
    ours: bool = True


@dataclass
class Books:
    """Every call and every request."""

    calls: list[Call] = field(default_factory=list)
    requests: list[tuple[float, str, str]] = field(default_factory=list)
    """(when, number, fault or empty) of each request for a call that was read."""
    unread: int = 0
    pages: int = 0
    page_faults: int = 0
    refusals: list[str] = field(default_factory=list)
    """Requests that broke the contract."""

    def by_number(self) -> dict[str, list[Call]]:
        """Our calls to each number."""
        found: dict[str, list[Call]] = {}
        for call in self.calls:
            if call.ours:
                found.setdefault(call.to, []).append(call)
        return found

    def lost_answers(self) -> list[Call]:
        """Calls whose answer never arrived as it should, and that the log shows."""
        return [call for call in self.calls if call.ours and call.fault and call.shown_at < float("inf")]


def live(random: Random, now: float, late_s: float) -> tuple[float | None, float, float, str]:
    """When a call that is placed now is picked up, ends and is shown as over, and what it comes to."""
    outcome = random.choices(OUTCOMES, SHARES)[0]
    rung = now + random.uniform(*START_S) + random.uniform(*RING_S)
    ended = rung + (random.uniform(*TALK_S) if outcome == ANSWERED else 0.0)
    return (rung if outcome == ANSWERED else None), ended, ended + random.uniform(*LAG_S) + late_s, outcome
