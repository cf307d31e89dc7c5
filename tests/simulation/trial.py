"""One seed, run and judged, with what somebody needs who wants to see it again."""

from collections import Counter
from dataclasses import dataclass, field
from hashlib import sha256

from tests.simulation.faults import FLOORS, Rates
from tests.simulation.oracle import Violation, lost_answers, story, violations
from tests.simulation.world import Plan, World, simulate

SEEDS_OF_FLOORS = 200
FOUND_AGAIN = 0.98


@dataclass
class Tally:
    """What happened over many seeds."""

    seeds: int = 0
    happened: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    found: int = 0

    def add(self, world: World) -> None:
        """Count one more."""
        lost, found = lost_answers(world)
        self.seeds, self.lost, self.found = self.seeds + 1, self.lost + lost, self.found + found
        self.happened += world.faults.happened

    def too_rare(self) -> list[str]:
        """Faults that happened too seldom for the run to mean anything."""
        due = {name: floor * self.seeds // SEEDS_OF_FLOORS for name, floor in FLOORS.items()}
        return [
            f"{name}: {self.happened[name]} of {floor}" for name, floor in due.items() if self.happened[name] < floor
        ]

    def complaints(self) -> list[str]:
        """Why all of it together is not green though every seed is."""
        found = [f"too rare to count: {rare}" for rare in self.too_rare()]
        if self.found < FOUND_AGAIN * self.lost:
            found.append(f"of {self.lost} lost answers that the log showed, {self.found} were found again")
        return found


def trial(plan: Plan, tally: Tally | None = None) -> list[Violation]:
    """Run a plan; what does not agree."""
    world = simulate(plan)
    try:
        if tally is not None:
            tally.add(world)
        return violations(world)
    finally:
        world.tables.close()


def crowd(seed: int) -> Plan:
    """Ten campaigns with rates, windows and limits of their own, and people who say no: the log tells it late."""
    return Plan(seed, people=12, shared=5, campaigns=10, rates=Rates(opt_out_late=0.2))


def verdict(plan: Plan, tally: Tally) -> str:
    """Empty when all agrees, else the story of it and the command that repeats it."""
    world = simulate(plan)
    tally.add(world)
    found = violations(world)
    text = ""
    if found:
        counts = ", ".join(f"{count} x {name}" for name, count in Counter(v.invariant for v in found).items())
        again = f"python -m tests.simulation --first {plan.seed} --seeds 1" + " --crowd" * (plan.campaigns > 2)
        text = f"seed {plan.seed}: {counts}\nagain: {again}\n{story(world, found)}\n"
    world.tables.close()
    return text


def trace(seed: int) -> str:
    """The hash of everything that was sent and of every event."""
    world = simulate(Plan(seed))
    seen = [*map(repr, world.books.sent), *map(repr, world.tables.rows("SELECT * FROM events ORDER BY id"))]
    world.tables.close()
    return sha256("\n".join(seen).encode()).hexdigest()
