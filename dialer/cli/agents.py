"""dialer agents: the agents of a provider's account."""

import json
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dialer.adapters.providers.vaani.models import AgentSettings
from dialer.adapters.providers.vaanivoice.agents import SECTIONS
from dialer.adapters.providers.vaanivoice.models import Agent
from dialer.cli.printing import print_json, print_table, put
from dialer.cli.reaching import ask
from dialer.errors import InputFileError, UsageError
from dialer.reaching import Reached

Shown = dict[str, Any]


def list_agents(provider: str | None, search: str, *, as_json: bool) -> None:
    """Every agent, or those whose name holds ``search``."""

    async def use(reached: Reached) -> list[Shown]:
        if reached.vaani is not None:
            every = [_vaani(agent) async for agent in reached.vaani.agents.list()]
            return [shown for shown in every if search.lower() in shown["name"].lower()]
        return [_voice(agent) async for agent in reached.only_voice("agents").agents.list(search)]

    agents = ask(provider, use)
    if as_json:
        print_json(agents)
    else:
        print_table(("agent", "name", "display_name", "language"), [list(one.values())[:4] for one in agents])


def show_agent(provider: str | None, agent: str, *, as_json: bool) -> None:
    """One agent, with everything the provider says of it. Raises NotFound."""

    async def use(reached: Reached) -> Mapping[str, Any]:
        if reached.vaani is not None:
            return (await reached.vaani.agents.get(agent)).raw
        return (await reached.only_voice("agents").agents.get(agent)).raw

    agent_settings = ask(provider, use)
    if as_json:
        print_json(agent_settings)
        return
    for name, value in agent_settings.items():
        put(f"{name}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}")


def create_agent(provider: str | None, name: str, file: Path | None, *, as_json: bool) -> None:
    """A new agent. Raises InputFileError for a configuration that cannot be read."""
    config = read_config(file) if file else {}

    async def use(reached: Reached) -> Shown:
        if reached.vaani is not None:
            return _vaani(await reached.vaani.agents.create({"agent_name": name, **config}))
        made = await reached.only_voice("agents").agents.create(name, config)
        return {"agent": made.agent_id, "name": made.agent_name, "display_name": name}

    _tell("created", ask(provider, use), as_json=as_json)


def update_agent(provider: str | None, agent: str, file: Path, section: str | None, *, as_json: bool) -> None:
    """Change what the file names; the rest stays. vaanivoice changes one section at a time."""
    changes = read_config(file)

    async def use(reached: Reached) -> Shown:
        if reached.vaani is not None:
            if section:
                raise UsageError("vaani's agents have no sections: leave --section away")
            await reached.vaani.agents.update(agent, changes)
        else:
            if not section:
                raise UsageError(f"--section says which part to change: {', '.join(SECTIONS)}")
            await reached.only_voice("agents").agents.update(agent, section, changes)
        return {"agent": agent, "section": section}

    _tell("updated", ask(provider, use), as_json=as_json)


def delete_agent(provider: str | None, agent: str, *, as_json: bool) -> None:
    """Delete an agent for good. Raises NotFound."""

    async def use(reached: Reached) -> Shown:
        if reached.vaani is not None:
            await reached.vaani.agents.delete(agent)
        else:
            await reached.only_voice("agents").agents.delete(agent)
        return {"agent": agent}

    _tell("deleted", ask(provider, use), as_json=as_json)


def read_config(file: Path) -> dict[str, Any]:
    """A JSON or TOML file, or JSON on stdin for ``-``. Raises InputFileError."""
    remedy = "Give a JSON object, or TOML in a file that ends in .toml."
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text()
        config = tomllib.loads(text) if file.suffix == ".toml" else json.loads(text)
    except OSError as error:
        raise InputFileError(str(file), f"cannot be read ({error.strerror})", "Name a file that can.") from None
    except (ValueError, RecursionError) as error:
        raise InputFileError(str(file), f"not readable ({error})", remedy) from None
    if not isinstance(config, dict):
        raise InputFileError(str(file), "no object", remedy)
    return config


def _voice(agent: Agent) -> Shown:
    created = agent.created_at.isoformat() if agent.created_at else None
    return {
        "agent": agent.agent_id,
        "name": agent.agent_name,
        "display_name": agent.display_name,
        "language": agent.language,
        "created_at": created,
    }


def _vaani(agent: AgentSettings) -> Shown:
    return {
        "agent": agent.phone_number or agent.agent_id,
        "name": agent.agent_name,
        "display_name": agent.agent_name,
        "language": "",
        "id": agent.agent_id,
    }


def _tell(what: str, shown: Shown, *, as_json: bool) -> None:
    if as_json:
        print_json(shown | {what: True})
    else:
        put(f"{what}: {shown['agent']}")
