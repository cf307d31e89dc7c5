"""suppress add, remove, import, list."""

from pathlib import Path
from typing import Annotated

import typer

from dialer.cli.headings import Headed
from dialer.cli.options import Json, OptEncoding, OptPhoneColumn, OptRaw, OptReason, OptRegion

suppressions = typer.Typer(
    cls=Headed, help="The suppression list: numbers that must not be called.", no_args_is_help=True
)

OfCampaign = Annotated[str | None, typer.Option("--campaign", help="Name of a campaign; default: all campaigns.")]


@suppressions.command("add")
def suppress_add(
    phones: Annotated[list[str], typer.Argument(help="Phone numbers or hashes.")],
    reason: Annotated[str, typer.Option("--reason", help="Why they must not be called.")] = "do not call",
    region: OptRegion = None,
    campaign: OfCampaign = None,
    json: Json = False,
) -> None:
    """Add numbers, or hashes ("sha256:" and 64 hexadecimal digits, of the number as +919000000001).

    When this returns, no request leaves for them any more.

    Example: dialer suppress add +919000000001 --reason "asked us to stop"
    """
    from dialer.cli.suppressing import add

    add(phones, reason, region or "", campaign, as_json=json)


@suppressions.command("remove")
def suppress_remove(
    phones: Annotated[list[str], typer.Argument(help="Phone numbers or hashes.")],
    reason: OptReason = "",
    region: OptRegion = None,
    campaign: OfCampaign = None,
    json: Json = False,
) -> None:
    """Take numbers off the list.

    Example: dialer suppress remove +919000000001
    """
    from dialer.cli.suppressing import remove

    remove(phones, region or "", campaign, reason, as_json=json)


@suppressions.command("import")
def suppress_import(
    contacts: Annotated[Path, typer.Argument(help="CSV file: a phone column; reason, source, campaign if any.")],
    region: OptRegion = None,
    phone_column: OptPhoneColumn = None,
    encoding: OptEncoding = None,
    campaign: OfCampaign = None,
    json: Json = False,
) -> None:
    """Add every number, or hash, of a CSV file. When this returns, no request leaves for them any more.

    A cell that may mean several numbers bars them all. Exit 1 when anything could not be read: a file holds it.

    Example: dialer suppress import do_not_call.csv
    """
    from dialer.cli.suppressing import import_file

    raise typer.Exit(import_file(contacts, region or "", phone_column or "", encoding, campaign, as_json=json))


@suppressions.command("list")
def suppress_list(
    output_format: Annotated[str, typer.Option("--format", help="csv or jsonl.")] = "csv",
    raw: OptRaw = False,
    json: Json = False,
) -> None:
    """Print the list (phone,reason,source,campaign,added_at); ``import`` reads it again.

    Example: dialer suppress list > do_not_call.csv
    """
    from dialer.cli.suppressing import print_list

    print_list(output_format, as_json=json, raw=raw)
