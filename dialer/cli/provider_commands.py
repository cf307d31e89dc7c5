"""agents, calls, call, session, doctor: the provider looked at directly."""

from pathlib import Path
from typing import Annotated

import typer

from dialer.cli.headings import MACHINE, PROVIDER, Headed
from dialer.cli.options import Json

Provider = Annotated[
    str | None, typer.Option("--provider", help="vaanivoice, vaani or simulator; default: the one with a key.")
]
AgentId = Annotated[str, typer.Argument(metavar="AGENT", help="Id or name of the agent.", show_default=False)]
Config = Annotated[Path, typer.Argument(metavar="FILE", help="JSON or TOML file; - for JSON on stdin.")]

agents = typer.Typer(cls=Headed, help="The agents of the provider's account; without a command: list them.")


def register(app: typer.Typer) -> None:
    """Add these commands behind those that are there."""
    app.add_typer(agents, name="agents", rich_help_panel=PROVIDER)
    for command in (calls, call, session):
        app.command(rich_help_panel=PROVIDER)(command)
    app.command(rich_help_panel=MACHINE)(doctor)


@agents.callback(invoke_without_command=True)
def _agents(context: typer.Context, provider: Provider = None, json: Json = False) -> None:
    if context.invoked_subcommand is None:
        agents_list(provider=provider, json=json)


@agents.command("list")
def agents_list(
    search: Annotated[str, typer.Option("--search", help="Only those whose name holds this.")] = "",
    provider: Provider = None,
    json: Json = False,
) -> None:
    """List agents.

    Example: dialer agents list --search renewals
    """
    from dialer.cli.agents import list_agents

    list_agents(provider, search, as_json=json)


@agents.command("show")
def agents_show(agent: AgentId, provider: Provider = None, json: Json = False) -> None:
    """Show everything the provider says of an agent.

    Example: dialer agents show 8cf3373e-0000-4000-8000-000000000000 --json
    """
    from dialer.cli.agents import show_agent

    show_agent(provider, agent, as_json=json)


@agents.command("create")
def agents_create(
    name: Annotated[str, typer.Argument(help="Name to show.", show_default=False)],
    config: Annotated[Path | None, typer.Option("--config", help="JSON or TOML file; - for JSON on stdin.")] = None,
    provider: Provider = None,
    json: Json = False,
) -> None:
    """Create an agent.

    Example: dialer agents create Renewals --config agent.json
    """
    from dialer.cli.agents import create_agent

    create_agent(provider, name, config, as_json=json)


@agents.command("update")
def agents_update(
    agent: AgentId,
    file: Config,
    section: Annotated[
        str | None,
        typer.Option("--section", help="vaanivoice: persona, training, experience, analysis or deployment."),
    ] = None,
    provider: Provider = None,
    json: Json = False,
) -> None:
    """Change what a file names; the rest of the agent stays as it is.

    Example: dialer agents update 8cf3373e persona.json --section persona
    """
    from dialer.cli.agents import update_agent

    update_agent(provider, agent, file, section, as_json=json)


@agents.command("delete")
def agents_delete(
    agent: AgentId,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    provider: Provider = None,
    json: Json = False,
) -> None:
    """Delete an agent for good.

    Example: dialer agents delete 8cf3373e --yes
    """
    from dialer.cli.agents import delete_agent

    if not yes:
        typer.confirm(f"Delete the agent {agent} at the provider, for good?", abort=True, err=True)
    delete_agent(provider, agent, as_json=json)


def calls(
    since: Annotated[str, typer.Option("--since", help="Begun at this day or time (ISO 8601, UTC) or later.")] = "",
    until: Annotated[str, typer.Option("--until", help="Begun before this day or time.")] = "",
    agent: Annotated[str, typer.Option("--agent", help="Of this agent: its id, its name or (vaani) its number.")] = "",
    disposition: Annotated[str, typer.Option("--disposition", help="answered, no_answer, busy and so on.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=0, help="At most so many; 0: all.")] = 50,
    provider: Provider = None,
    json: Json = False,
) -> None:
    """List calls as the provider's log has them.

    Example: dialer calls --since 2026-11-01 --disposition answered --limit 0 --json
    """
    from dialer.cli.provider_calls import list_calls

    list_calls(provider, since, until, agent, disposition, limit, as_json=json)


def call(
    call_id: Annotated[str, typer.Argument(metavar="ID", help="Id of the call.", show_default=False)],
    transcript: Annotated[bool, typer.Option("--transcript", help="With what was said.")] = False,
    recording: Annotated[Path | None, typer.Option("--recording", help="Save the recording to this file.")] = None,
    provider: Provider = None,
    json: Json = False,
) -> None:
    """Show one call, with its transcript and its recording if asked for.

    Example: dialer call outbound-1790000000-0a1b2c3d --transcript --recording call.ogg
    """
    from dialer.cli.provider_calls import show_call

    show_call(provider, call_id, transcript=transcript, recording=recording, as_json=json)


def session(
    agent: Annotated[str, typer.Argument(metavar="AGENT", help="Agent id (vaanivoice) or number (vaani).")],
    message: Annotated[str | None, typer.Option("--message", help="What the agent learns at the start.")] = None,
    grace: Annotated[int, typer.Option("--grace", min=0, max=3600, help="Seconds in which one may come back.")] = 60,
    ttl: Annotated[int | None, typer.Option("--ttl", min=60, max=86400, help="Seconds it lives; vendor: 1800.")] = None,
    connect: Annotated[bool, typer.Option("--connect", help="Call the agent in without a browser.")] = False,
    follow: Annotated[bool, typer.Option("--follow/--no-follow", help="Print its events until it ends.")] = True,
    provider: Provider = None,
    json: Json = False,
) -> None:
    """Open a test conversation with an agent in a browser: print its URL and follow its events.

    Example: dialer session 8cf3373e-0000-4000-8000-000000000000
    """
    from dialer.cli.session import open_session

    open_session(provider, agent, message, grace, ttl, connect=connect, follow=follow, as_json=json)


def doctor(
    probe: Annotated[
        bool, typer.Option("--probe", help="Ask the provider what its documents leave open; calls nobody.")
    ] = False,
    json: Json = False,
) -> None:
    """Check settings, Redis, ledger, provider key, clock, agents and caller ids; say how to mend each.

    Example: dialer doctor
    """
    from dialer.cli.doctor import examine

    raise typer.Exit(examine(probing=probe, as_json=json))
