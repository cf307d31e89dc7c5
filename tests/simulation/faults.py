"""What goes wrong, how often, and how often it must have gone wrong before a green run means anything."""

from collections import Counter
from dataclasses import dataclass, field, fields
from random import Random


@dataclass(frozen=True, slots=True)
class Rates:
    """Chances, per occasion, and mean seconds between the blows."""

    # the answer to one request
    refused_connection: float = 0.012
    throttled: float = 0.05
    error_500: float = 0.03
    dropped_after: float = 0.02
    dropped_before: float = 0.01
    timed_out: float = 0.015
    garbage: float = 0.006
    known_failure: float = 0.01
    no_credit: float = 0.0005
    # the call log
    page_fails: float = 0.04
    page_unreadable: float = 0.01
    page_repeats: float = 0.05
    row_late: float = 0.05
    row_very_late: float = 0.01
    row_never: float = 0.0015
    row_edited: float = 0.02
    row_out_of_order: float = 0.1
    foreign_row: float = 0.05
    opt_out_late: float = 0.0
    # the queue and Redis
    job_lost: float = 0.03
    job_repeated: float = 0.05
    job_delayed: float = 0.08
    redis_down: float = 0.005
    flush_every_s: float = 70.0
    # the ledger
    ledger_down: float = 0.002
    commit_unsure: float = 0.001
    # processes
    dies_at_point: float = 0.003
    kill_every_s: float = 20.0
    stop_every_s: float = 90.0
    stall_every_s: float = 35.0
    stall_after_gate: float = 0.015
    tick_skipped: float = 0.05
    tick_doubled: float = 0.1
    # the operator
    pause_every_s: float = 90.0
    suppress_every_s: float = 25.0
    cancel: float = 0.15


FLOORS = {
    "placed": 12510,
    "refused connection": 100,
    "429 with Retry-After": 220,
    "429 without": 200,
    "500 after placing": 110,
    "500 before placing": 120,
    "dropped after placing": 150,
    "dropped before placing": 50,
    "late arrival": 120,
    "garbage": 40,
    "known failure": 80,
    "halted": 2,
    "killed": 2000,
    "killed with a request out": 40,
    "killed at a point": 810,
    "stalled": 1000,
    "stalled after the gate": 150,
    "stopped": 400,
    "job lost": 400,
    "job repeated": 600,
    "job delayed": 1000,
    "flush": 500,
    "ledger down": 180,
    "commit unsure": 80,
    "tick skipped": 750,
    "tick doubled": 1000,
    "log page failed": 500,
    "log page unreadable": 100,
    "log page repeated": 500,
    "log page shifted": 100,
    "row late": 350,
    "row very late": 50,
    "row never": 2,
    "row edited": 130,
    "row out of order": 820,
    "foreign row": 500,
    "pause": 430,
    "pause with calls in the gate": 20,
    "suppress": 1000,
    "suppress of a number in the queue": 200,
    "cancel": 10,
}
"""Over 200 seeds."""


CALM = Rates(**dict.fromkeys((field.name for field in fields(Rates)), 0.0) | dict.fromkeys(
    (field.name for field in fields(Rates) if field.name.endswith("_every_s")), 1e12))  # fmt: skip
"""Nothing goes wrong."""


@dataclass(frozen=True, slots=True)
class Outage:
    """The provider is away between two moments, in unix seconds: it ``refuses`` connections, ``fails`` with 502, or
    ``hangs``."""

    kind: str
    since: float
    until: float


@dataclass(slots=True)
class Faults:
    """The dice of one run, and the count of what really happened. After ``stop`` nothing goes wrong any more."""

    seed: int
    rates: Rates
    on: bool = True
    happened: Counter[str] = field(default_factory=Counter)
    outage: Outage | None = None

    def down(self, now: float) -> str:
        """How the provider is away now, or "" when it is not."""
        outage = self.outage
        return outage.kind if outage is not None and outage.since <= now < outage.until else ""

    def dice(self, name: str) -> Random:
        """A stream of its own for each part, so that a change in one leaves the others alone."""
        return Random(f"{self.seed}:{name}")

    def strikes(self, dice: Random, chance: float, name: str) -> bool:
        """Whether it goes wrong now."""
        hit = self.on and dice.random() < chance
        if hit:
            self.happened[name] += 1
        return hit
