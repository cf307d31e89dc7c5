"""Every command, in the order of ``dialer --help``. Imports happen inside, so that help is instant."""

import os
import sys
from errno import EPIPE
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from unicodedata import normalize

import typer

from dialer import __version__
from dialer.cli import provider_commands, service_commands, suppress_commands, token_commands
from dialer.cli.headings import BAR, CALL, LOOK, MACHINE, Headed
from dialer.cli.options import Json, OptEncoding, OptRaw, OptReason, OptRegion, with_overrides
from dialer.errors import Interrupted, UsageError

if TYPE_CHECKING:
    from dialer.adapters.campaign_file import Overrides

EXIT_FAILED, EXIT_USAGE, EXIT_HALTED, EXIT_INTERRUPTED = 1, 2, 3, 130


BEFORE = {"suppress": "worker", "token": "simulator", "agents": "calls"}


class InOrder(Headed):
    """Lists a group of commands where it belongs, not behind all others."""

    def list_commands(self, ctx: Any) -> list[str]:
        names = [name for name in super().list_commands(ctx) if name not in BEFORE]
        for group, command in BEFORE.items():
            names.insert(names.index(command), group)
        return names


app = typer.Typer(
    cls=InOrder,
    help="Calls everyone on a list through a voice-AI provider, never twice by accident, and says what happened.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _composed(name: str) -> str:
    """A name as campaigns bear it, in Unicode's composed form."""
    return normalize("NFC", name).strip()


Contacts = Annotated[
    Path | None,
    typer.Argument(help="CSV file or workbook with the contacts; none with a [source].", show_default=False),
]
Name = Annotated[str, typer.Argument(help="Name of the campaign.", show_default=False, callback=_composed)]
CampaignFile = Annotated[Path | None, typer.Option("--campaign", help="Campaign file (TOML).")]
CampaignFileOrName = Annotated[
    str | None, typer.Option("--campaign", help="Campaign file (TOML), or the name of a campaign that exists.")
]


@app.command(rich_help_panel=CALL)
@with_overrides
def run(
    contacts: Contacts = None,
    campaign: CampaignFile = None,
    *,
    overrides: "Overrides",
    encoding: OptEncoding = None,
    json: Json = False,
) -> None:
    """Call everyone on a list, in the foreground, until every contact is final.

    Example: dialer run contacts.csv --campaign october.toml
    """
    from dialer.cli.running import run_campaign

    raise typer.Exit(run_campaign(contacts, campaign, overrides, encoding, as_json=json))


@app.command(rich_help_panel=CALL)
@with_overrides
def check(
    contacts: Contacts = None,
    campaign: CampaignFile = None,
    *,
    overrides: "Overrides",
    encoding: OptEncoding = None,
    json: Json = False,
) -> None:
    """Validate a list and print the import report; nothing is stored.

    Example: dialer check contacts.csv --region IN
    """
    from dialer.cli.lists import check_list

    raise typer.Exit(check_list(contacts, campaign, overrides, encoding, as_json=json))


@app.command(rich_help_panel=CALL)
@with_overrides
def enqueue(
    contacts: Contacts = None,
    campaign: CampaignFileOrName = None,
    *,
    overrides: "Overrides",
    encoding: OptEncoding = None,
    json: Json = False,
) -> None:
    """Import a list into the ledger, for workers to dial.

    Example: dialer enqueue contacts.csv --campaign october.toml
    """
    from dialer.cli.lists import enqueue_list

    raise typer.Exit(enqueue_list(contacts, campaign, overrides, encoding, as_json=json))


@app.command(rich_help_panel=CALL)
def start(
    name: Name,
    reason: OptReason = "",
    json: Json = False,
    after_restore: Annotated[
        bool,
        typer.Option(
            "--after-restore",
            help="Dial with a ledger restored from a copy, whatever the call log hides.",
        ),
    ] = False,
) -> None:
    """Start a campaign, or go on after a halt.

    Example: dialer start october-renewals
    """
    if after_restore:
        from dialer.cli.moving import start_after_restore

        start_after_restore(name, reason, as_json=json)
    else:
        _move(name, "start", reason, json)


@app.command(rich_help_panel=CALL)
def pause(name: Name, reason: OptReason = "", json: Json = False) -> None:
    """Pause a campaign. When this returns, no request leaves for it any more.

    Example: dialer pause october-renewals
    """
    _move(name, "pause", reason, json)


@app.command(rich_help_panel=CALL)
def resume(name: Name, reason: OptReason = "", json: Json = False) -> None:
    """Go on with a paused campaign.

    Example: dialer resume october-renewals
    """
    _move(name, "resume", reason, json)


@app.command(rich_help_panel=CALL)
def cancel(name: Name, reason: OptReason = "", json: Json = False) -> None:
    """End a campaign for good. When this returns, no request leaves for it any more.

    Example: dialer cancel october-renewals
    """
    _move(name, "cancel", reason, json)


def _move(name: str, verb: str, reason: str, as_json: bool) -> None:
    from dialer.cli.moving import move

    move(name, verb, reason, as_json=as_json)


@app.command(rich_help_panel=CALL)
def redial(
    name: Name,
    outcome: Annotated[str, typer.Option(help="What their last call came to; several with commas.")],
    check: Annotated[bool, typer.Option("--check", help="Only say how many; nothing is planned.")] = False,
    reason: OptReason = "",
    json: Json = False,
) -> None:
    """Call the people of an outcome again: at their hours, within their limits, and not who is on the do-not-call list.

    Example: dialer redial october-renewals --outcome no_answer,voicemail --reason "the second week"
    """
    from dialer.cli.redialing import redial as call_again

    call_again(name, outcome, reason, only_look=check, as_json=json)


@app.command(rich_help_panel=LOOK)
def campaigns(json: Json = False) -> None:
    """List the campaigns.

    Example: dialer campaigns
    """
    from dialer.cli.campaigns import list_campaigns

    list_campaigns(as_json=json)


@app.command(rich_help_panel=LOOK)
def report(name: Name, json: Json = False) -> None:
    """Count one campaign: contacts, attempts, dispositions, rates, cost.

    Example: dialer report october-renewals --json
    """
    from dialer.cli.campaigns import show_report

    show_report(name, as_json=json)


@app.command(rich_help_panel=LOOK)
def export(
    name: Name,
    attempts: Annotated[bool, typer.Option("--attempts", help="One row for each attempt.")] = False,
    output_format: Annotated[str, typer.Option("--format", help="csv or jsonl.")] = "csv",
    transcripts: Annotated[bool, typer.Option("--transcripts", help="Fetch what was said, as files.")] = False,
    recordings: Annotated[Path | None, typer.Option("--recordings", help="Fetch recordings to this directory.")] = None,
    raw: OptRaw = False,
    reason: OptReason = "",
) -> None:
    """Write one row for each contact (or attempt) to stdout, streamed; fetch files on request, resumable.

    Example: dialer export october-renewals --transcripts --recordings said/ > outcomes.csv
    """
    from dialer.cli.exporting import export_campaign

    files = [what for what, asked in (("transcripts", transcripts), ("recordings", recordings is not None)) if asked]
    export_campaign(name, attempts=attempts, output_format=output_format, raw=raw, files=files, reason=reason)
    if transcripts or recordings is not None:
        from dialer.cli.archiving import fetch_files

        raise typer.Exit(fetch_files(name, transcripts=transcripts, folder=recordings))


@app.command(rich_help_panel=LOOK)
def attempts(
    who: Annotated[str, typer.Argument(metavar="PHONE|ID", help="A phone number, or the id of an attempt.")],
    region: OptRegion = None,
    json: Json = False,
) -> None:
    """Tell the story of a person or of an attempt, event by event.

    Example: dialer attempts +919000000001
    """
    from dialer.cli.campaigns import show_attempts

    show_attempts(who, region or "", as_json=json)


@app.command(rich_help_panel=LOOK)
def review(
    name: Name,
    attempt: Annotated[int | None, typer.Option("--attempt", help="Decide on this one.", show_default=False)] = None,
    called: Annotated[str | None, typer.Option(help="It was a call of ours; what it came to, e.g. no_answer.")] = None,
    not_called: Annotated[
        bool, typer.Option("--not-called", help="Nobody was called: call this person again.")
    ] = False,
    reason: OptReason = "",
    json: Json = False,
) -> None:
    """List calls that the provider denied though its log shows them, or say what one of them was.

    Example: dialer review october-renewals --attempt 17 --called no_answer --reason "asked their support"
    """
    from dialer.cli import reviewing

    if attempt is not None:
        reviewing.decide(name, attempt, called, reason, not_called=not_called, as_json=json)
    elif called is not None or not_called:
        raise UsageError("which attempt? give --attempt ID")
    else:
        reviewing.list_review(name, as_json=json)


@app.command(rich_help_panel=LOOK)
def audit(
    name: Annotated[str | None, typer.Argument(help="Name of a campaign; none: all acts.", show_default=False)] = None,
    verify: Annotated[bool, typer.Option("--verify", help="Check that no row was changed or taken out.")] = False,
    json: Json = False,
) -> None:
    """Tell who did what and why: started, paused, changed, suppressed, exported; and what the program halted by itself.

    Example: dialer audit october-renewals
    """
    from dialer.cli.auditing import show_audit

    raise typer.Exit(show_audit(name, verify=verify, as_json=json))


app.add_typer(suppress_commands.suppressions, name="suppress", rich_help_panel=BAR)


service_commands.register(app)
app.add_typer(token_commands.tokens, name="token", rich_help_panel=MACHINE)
provider_commands.register(app)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _top(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show where an error arose; may also follow the command.")
    ] = False,
) -> None:
    del version, debug


def main() -> None:
    """Run the command line; errors become one line on stderr and an exit code."""
    from dialer.cli import streams

    streams.make_usable()
    os.umask(0o077)  # numbers of people are in nearly every file this program writes
    os.environ["PYTHONSAFEPATH"] = "1"  # no process of ours takes a module from the working directory
    debug = _takes_debug()
    try:
        answer = app(standalone_mode=False)
        code = answer if isinstance(answer, int) else 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else EXIT_FAILED
    except (KeyboardInterrupt, Interrupted):
        code = EXIT_INTERRUPTED
    except BaseException as error:  # noqa: BLE001 - the last resort
        code = _tell(error, debug=debug)
    unwritten = streams.finish_output()
    if unwritten is not None:
        failed = _tell(unwritten, debug=debug)
        code = code or failed
    sys.exit(code)


def _takes_debug() -> bool:
    """Whether ``--debug`` is among the words, wherever people write it."""
    words = sys.argv[1 : sys.argv.index("--") if "--" in sys.argv else len(sys.argv)]
    if "--debug" not in words:
        return os.environ.get("DIALER_LOG_LEVEL", "").lower() == "debug"
    sys.argv.remove("--debug")
    return True


def _tell(error: BaseException, *, debug: bool) -> int:
    from dialer.cli.faults import in_a_line, tell, tell_words, whole_story

    if hasattr(error, "format_message"):  # the words of the command line do not fit
        return tell_words(error)
    if isinstance(error, OSError) and error.errno == EPIPE:
        return EXIT_FAILED
    if debug:
        tell(whole_story(error))
    tell(f"dialer: {in_a_line(error)}")
    return EXIT_USAGE if isinstance(error, UsageError) else EXIT_FAILED
