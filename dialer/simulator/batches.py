"""Dialect A's batch jobs, which really dial, on the simulator's clock (wire contract, section 2.7)."""

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Literal
from uuid import uuid5

from dialer.simulator.books import Call, Order
from dialer.simulator.checking import BAD_NUMBER, E164, Body, Filled, Phone
from dialer.simulator.switchboard import SPACE, Refused, Switchboard

DIALECT = "vaani"
LINES = 10
"""Calls of one batch at once. The vendor has a limit for all batches; its number is not documented."""
State = Literal["pending", "scheduled", "running", "completed"]
ERRORS = {
    "no_answer": "SIP 480: no answer",
    "busy": "SIP 486: busy here",
    "rejected": "SIP 603: decline",
    "failed": "SIP 404: not found",
}
"""What an item says by outcome; that such a text is there is documented, its words are not."""


@dataclass(slots=True)
class Item:
    """One row of the CSV. ``status`` is ``pending``, ``calling``, ``completed`` or ``failed``."""

    item_id: str
    phone_number: str
    variables: dict[str, str]
    status: str = "pending"
    error: str | None = None
    call: Call | None = None


class BatchPlan(Body):
    """What was asked for; a ``scheduled_time`` without a zone is in ``timezone``."""

    name: Filled
    agent_id: Filled
    agent_phone_number: Phone
    scheduled_time: str | None = None
    timezone: str | None = None


@dataclass(slots=True)
class Batch:
    """One batch; ``scheduled_at`` in unix seconds, None for at once."""

    batch_id: str
    plan: BatchPlan
    scheduled_at: float | None
    items: list[Item]
    created_at: float
    state: State = "pending"
    live: int = 0
    due: deque[Item] = field(default_factory=deque)

    def counts(self) -> Counter[str]:
        """How many items there are of each status."""
        return Counter(item.status for item in self.items)


class Batches:
    """Every batch of the workspace, and the dialing of each."""

    def __init__(self, board: Switchboard) -> None:
        self.board = board
        self._by_id: dict[str, Batch] = {}
        self._made = 0

    def find(self, batch_id: str) -> Batch | None:
        """The batch of that id."""
        return self._by_id.get(batch_id)

    def newest_first(self) -> list[Batch]:
        """All of them."""
        return list(self._by_id.values())[::-1]

    def create(self, plan: BatchPlan, at: float | None, rows: list[tuple[str, dict[str, str]]]) -> Batch:
        """Keep a batch of numbers with their variables; it calls nobody yet. What is no number has failed already."""
        self._made += 1
        batch_id = str(uuid5(SPACE, f"batch {self._made}"))
        items = [Item(str(uuid5(SPACE, f"{batch_id} {nth}")), *row) for nth, row in enumerate(rows)]
        for item in items:
            item.error = None if E164.fullmatch(item.phone_number) else BAD_NUMBER
            item.status = "pending" if item.error is None else "failed"
        batch = Batch(batch_id, plan, at, items, self.board.clock.now())
        batch.due.extend(item for item in items if item.status == "pending")
        self._by_id[batch_id] = batch
        return batch

    def send(self, batch: Batch) -> None:
        """Dial now, or when it is scheduled for. Nothing is dialed twice: 409 for a batch that was sent before."""
        if batch.state != "pending":
            raise Refused(409, "Batch was sent already")
        now, at = self.board.clock.now(), batch.scheduled_at
        batch.state = "scheduled"
        if at is None or at <= now:
            self._begin(batch, now)
        else:
            self.board.agenda.at(at, lambda when: self._begin(batch, when))

    def delete(self, batch: Batch) -> None:
        """Forget it, also one that waits for its time; 409 while it runs."""
        if batch.state == "running":
            raise Refused(409, "Batch is running")
        del self._by_id[batch.batch_id]

    def _begin(self, batch: Batch, at: float) -> None:
        if batch.batch_id in self._by_id:
            batch.state = "running"
            self._dial(batch, at)

    def _dial(self, batch: Batch, at: float) -> None:
        while batch.due and batch.live < LINES:
            self._place(batch, batch.due.popleft(), at)
        if not batch.live:
            batch.state = "completed"

    def _place(self, batch: Batch, item: Item, at: float) -> None:
        order = Order(DIALECT, item.phone_number, batch.plan.agent_phone_number, variables=item.variables)
        item.call = self.board.place(order, at=at)
        item.status = "calling"
        batch.live += 1
        self.board.agenda.at(item.call.life.ended_at, lambda when: self._ended(batch, item, when))

    def _ended(self, batch: Batch, item: Item, at: float) -> None:
        assert item.call is not None
        item.error = ERRORS.get(item.call.life.outcome)
        item.status = "completed" if item.error is None else "failed"
        batch.live -= 1
        self._dial(batch, at)
