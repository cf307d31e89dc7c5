"""worker, serve, simulator: what stays in the foreground of a machine."""

from typing import Annotated

import typer

from dialer.cli.headings import MACHINE

AS_GIVEN = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
"""The simulator reads its words itself."""


def register(app: typer.Typer) -> None:
    """Add these commands behind those that are there."""
    app.command(rich_help_panel=MACHINE)(worker)
    app.command(rich_help_panel=MACHINE)(serve)
    app.command(rich_help_panel=MACHINE, context_settings=AS_GIVEN)(simulator)


def worker(
    check_health: Annotated[
        bool, typer.Option("--check", help="Exit 0 if the worker on this host is well, 1 if not.")
    ] = False,
) -> None:
    """Dial what is queued, in the background, until SIGTERM.

    Example: dialer worker
    """
    if check_health:
        from dialer.cli.worker_health import check_worker

        raise typer.Exit(check_worker())
    from dialer.cli.running import run_worker

    raise typer.Exit(run_worker())


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0: a free one.")] = 8080,
    worker: Annotated[bool, typer.Option("--worker", help="Dial as well, as `dialer worker` does.")] = False,
) -> None:
    """Serve the page and the HTTP API: see and steer every campaign in a browser.

    Example: dialer serve --worker
    """
    from dialer.cli.serving import serve_console

    raise typer.Exit(serve_console(host, port, worker=worker))


def simulator(context: typer.Context) -> None:
    """Serve both provider APIs on this machine, with faults on request; --help lists every option.

    Example: dialer simulator --port 8089 --fault 429=0.05 --fault dropped=0.02
    """
    from dialer.simulator.__main__ import main as serve_simulator

    raise typer.Exit(serve_simulator(context.args))
