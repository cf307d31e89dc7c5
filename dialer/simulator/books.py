"""The simulator's own books: every request received and every call placed, to be compared with a caller's."""

import heapq
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dialer.simulator.life import Life


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


class RollingSecond:
    """How many of something happened in the second ``(now - 1, now]``, and the most there ever were."""

    def __init__(self) -> None:
        self._times: deque[float] = deque()
        self.most = 0

    def count(self, now: float) -> int:
        """How many happened in the second that ends at ``now``."""
        while self._times and self._times[0] <= now - 1.0:
            self._times.popleft()
        return len(self._times)

    def add(self, now: float) -> None:
        """Note one at ``now``."""
        self._times.append(now)
        self.most = max(self.most, self.count(now))


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
            "requests": [_fields(request) for request in self.requests],
            "calls": [_exported(call, now) for call in self.calls],
            "webhooks": [_fields(delivery) for delivery in self.webhooks],
        }


def _fields(entry: Any) -> dict[str, Any]:
    # dataclasses.asdict copies deeply, which takes seconds for a long run.
    return {name: getattr(entry, name) for name in entry.__slots__}


def _exported(call: Call, now: float) -> dict[str, Any]:
    state = {"state": call.life.state(now)}
    shown = {**_fields(call), **_fields(call.order), **_fields(call.life), **state}
    return {name: value for name, value in shown.items() if name not in {"number_of", "order", "life"}}
