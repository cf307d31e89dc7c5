"""An explorer of small models: every state that can be reached, and the shortest way to each thing that breaks."""

from collections import deque
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

State = TypeVar("State", bound=Hashable)

NO_WAY_OUT = "I10"
"""States from which nothing leads to an end: an attempt that is being processed for ever."""


class Event(NamedTuple, Generic[State]):
    """One action in plain words, where it leads, what it breaks (or ""), and whether a way to an end may use it."""

    words: str
    after: State
    broken: str = ""
    helps: bool = True


@dataclass(frozen=True, slots=True)
class Explored:
    """What was found: how many states, the shortest trace to each broken invariant, states without a way out."""

    states: int
    traces: dict[str, tuple[str, ...]]
    stuck: int

    def broken(self) -> str:
        """What breaks, and in how many actions."""
        lengths = ", ".join(f"{broken} in {len(trace)}" for broken, trace in sorted(self.traces.items()))
        return lengths or "nothing"

    def told(self) -> str:
        """Each broken invariant with its shortest trace, for a failing test."""
        lines = []
        for broken, trace in self.traces.items():
            lines.append(f"{broken} is broken in {len(trace)} actions:")
            lines += [f"  {n}. {words}" for n, words in enumerate(trace, 1)]
        return "\n".join(lines)


def explore(
    start: State,
    events: Callable[[State], Iterable[Event[State]]],
    is_final: Callable[[State], bool],
    is_over: Callable[[State], bool],
    until: frozenset[str] = frozenset(),
) -> Explored:
    """Breadth first from ``start``; what ``is_over`` is counted and followed no further.

    With ``until``, it stops when all these invariants were broken; ways out are then not looked for.
    """
    # States are numbered as they are found: comparing one is dear, a number is not.
    numbers: dict[State, int] = {start: 0}
    parents: list[tuple[int, str]] = [(-1, "")]
    before: list[list[int]] = [[]]
    ends: list[int] = []
    traces: dict[str, tuple[str, ...]] = {}
    waiting = deque([(0, start)])
    while waiting:
        number, state = waiting.popleft()
        if is_over(state) or is_final(state):
            ends.append(number)
        if is_over(state):
            continue
        for words, after, broken, helps in events(state):
            if broken and broken not in traces:
                traces[broken] = (*_trace(parents, number), words)
                if until and until <= traces.keys():
                    return Explored(len(parents), traces, 0)
            next_number = numbers.setdefault(after, len(parents))
            if next_number == len(parents):
                parents.append((number, words))
                before.append([])
                waiting.append((next_number, after))
            if helps:
                before[next_number].append(number)
    saved = _all_before(ends, before)
    stuck = [number for number in range(len(parents)) if number not in saved]
    if stuck:
        traces[NO_WAY_OUT] = tuple(_trace(parents, stuck[0]))
    return Explored(len(parents), traces, len(stuck))


def _trace(parents: list[tuple[int, str]], number: int) -> list[str]:
    words = []
    while number:
        number, said = parents[number]
        words.append(said)
    return words[::-1]


def _all_before(ends: list[int], before: list[list[int]]) -> set[int]:
    saved, waiting = set(ends), list(ends)
    while waiting:
        for earlier in before[waiting.pop()]:
            if earlier not in saved:
                saved.add(earlier)
                waiting.append(earlier)
    return saved
