"""The simulator's own books: every request received and every call placed, to be compared with a caller's."""

import heapq
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from dialer.simulator.life import Life
from dialer.simulator.rolling import RollingSecond


@dataclass(slots=True)
class Received:
    """One request: unix seconds, what was asked, the status answered (None: no answer), the fault met.

    A page of the logs may meet several faults: then ``fault`` has them all, with "+" in between.
    """

    at: float
    method: str
    path: str
    status: int | None = None
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """What a caller asked for, as received; ``variables`` is ``metadata`` or ``dynamic_variables``."""

    dialect: str
    to: str
    agent: str
    name: str | None = None
    caller_id: str | None = None
    variables: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One call placed; ``visible_at`` is when its row appears in the logs, None for never; ``cost`` in credits.

    ``asked_at`` is when its request was received, ``row_fault`` what its row in the logs meets.
    """

    number_of: int
    call_id: str
    order: Order
    life: Life
    cost: float
    visible_at: float | None
    asked_at: float
    row_fault: str | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook: unix seconds, the event, the try (0: it was lost), the status (None: no answer), the fault."""

    at: float
    event: str
    number_of: int
    status: int | None
    fault: str | None


class Books:
    """Everything that happened, in order of arrival."""

    def __init__(self) -> None:
        self.requests: list[Received] = []
        self.calls: list[Call] = []
        self.webhooks: list[Delivery] = []
        self.by_id: dict[str, Call] = {}
        self.calls_to: Counter[str] = Counter()
        self.place_requests = RollingSecond()
        self.placed = RollingSecond()
        self.most_live = 0
        self.spent = 0.0
        self._ends: list[float] = []

    def live(self, now: float) -> int:
        """Calls accepted and not ended at ``now``; ``now`` must not run backwards."""
        while self._ends and self._ends[0] <= now:
            heapq.heappop(self._ends)
        return len(self._ends)

    def enter(self, call: Call) -> None:
        """Write a call that was placed just now."""
        now = call.life.accepted_at
        self.calls.append(call)
        self.by_id[call.call_id] = call
        self.calls_to[call.order.to] += 1
        self.spent += call.cost
        self.placed.add(now)
        heapq.heappush(self._ends, call.life.ended_at)
        self.most_live = max(self.most_live, self.live(now))

    def called_more_than_once(self) -> dict[str, int]:
        """Numbers called twice or more, with how often."""
        return {number: count for number, count in self.calls_to.items() if count > 1}

    def export(self, now: float) -> dict[str, Any]:
        """The full books as JSON types: ``now``, ``requests``, ``calls``, ``webhooks``.

        Numbers are whole, times in unix seconds.
        """
        return {
            "now": now,
            "requests": [_exported_request(request) for request in self.requests],
            "calls": [_exported(call, now) for call in self.calls],
            "webhooks": [asdict(delivery) for delivery in self.webhooks],
        }


def _exported_request(seen: Received) -> dict[str, Any]:
    # dataclasses.asdict copies deeply, which takes seconds for a long run.
    return {"at": seen.at, "method": seen.method, "path": seen.path, "status": seen.status, "fault": seen.fault}


def _exported(call: Call, now: float) -> dict[str, Any]:
    order, life = call.order, call.life
    return {
        "call_id": call.call_id,
        "dialect": order.dialect,
        "to": order.to,
        "agent": order.agent,
        "name": order.name,
        "caller_id": order.caller_id,
        "variables": order.variables,
        "state": life.state(now),
        "outcome": life.outcome,
        "asked_at": call.asked_at,
        "accepted_at": life.accepted_at,
        "dialing_at": life.dialing_at,
        "ringing_at": life.ringing_at,
        "answered_at": life.answered_at,
        "ended_at": life.ended_at,
        "visible_at": call.visible_at,
        "row_fault": call.row_fault,
        "cost": call.cost,
    }
