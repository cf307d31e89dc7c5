"""The agents of an account: those named at the start, and those created since."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import UUID


@dataclass(slots=True)
class Agent:
    """One agent. ``handle`` is its other name: the slug on vaanivoice, the phone number on vaani."""

    agent_id: str
    handle: str
    display_name: str
    created_at: float
    updated_at: float
    config: dict[str, Any] = field(default_factory=dict)


class Agents:
    """One dialect's agents, found by id or handle; one that was deleted stays unknown."""

    def __init__(self, make_id: Callable[[str], str]) -> None:
        self._make_id = make_id
        self._by_id: dict[str, Agent] = {}
        self._ids: dict[str, str] = {}
        self._gone: set[str] = set()

    def seed(self, names: Iterable[str], at: float) -> None:
        """Let those be there that the options name, unless they were deleted."""
        for name in names:
            if name not in self._ids and name not in self._gone:
                agent_id = name if is_id(name) else self._make_id(name)
                handle = f"agent_{name[:8]}" if name == agent_id else name
                self.add(Agent(agent_id, handle, handle, at, at))

    def add(self, agent: Agent) -> None:
        """Enter ``agent``."""
        self._by_id[agent.agent_id] = agent
        self._ids |= {agent.agent_id: agent.agent_id, agent.handle: agent.agent_id}
        self._gone -= {agent.agent_id, agent.handle}

    def free(self, name_of: Callable[[int], str]) -> str:
        """The first of the names for 1, 2 and so on that nobody has or had."""
        names = map(name_of, count(1))
        return next(name for name in names if self.find(name) is None and not self.is_gone(name))

    def find(self, name: str) -> Agent | None:
        """The agent of that id or handle."""
        return self._by_id.get(self._ids.get(name, ""))

    def rename(self, agent: Agent, handle: str) -> None:
        """Give ``agent`` another handle."""
        self._ids.pop(agent.handle, None)
        agent.handle = handle
        self._ids[handle] = agent.agent_id

    def remove(self, agent: Agent) -> None:
        """Delete ``agent``: its id and handle are unknown from now on."""
        del self._by_id[agent.agent_id]
        for name in (agent.agent_id, agent.handle):
            self._ids.pop(name, None)
            self._gone.add(name)

    def is_gone(self, name: str) -> bool:
        """Whether that agent was deleted."""
        return name in self._gone

    def newest_first(self, search: str = "") -> list[Agent]:
        """Those whose handle or display name holds ``search``, in whatever case."""
        wanted = search.casefold()
        found = [each for each in self._by_id.values() if wanted in f"{each.handle}\n{each.display_name}".casefold()]
        return found[::-1]


def merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """``old`` with ``new`` laid over it, objects inside objects too."""
    both = dict(old)
    for name, value in new.items():
        inner = both.get(name)
        both[name] = merged(inner, value) if isinstance(inner, dict) and isinstance(value, dict) else value
    return both


def is_id(name: str) -> bool:
    """Whether ``name`` is an id in the form of either dialect."""
    try:
        UUID(name)
    except ValueError:
        return name.startswith("ag_")
    return True
