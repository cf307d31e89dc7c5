"""token add, list, revoke."""

from typing import Annotated

import typer

from dialer.cli.headings import Headed
from dialer.cli.options import Json, OptReason

tokens = typer.Typer(cls=Headed, help="Who may use the page and the API.", no_args_is_help=True)


@tokens.command("add")
def token_add(
    name: Annotated[str, typer.Argument(help="Whose it is: a person or a program.")],
    role: Annotated[str, typer.Option(help="viewer, operator or admin.")] = "viewer",
    expires: Annotated[str, typer.Option(help="When it ends, e.g. 90d or 12h; never without.")] = "",
    json: Json = False,
) -> None:
    """Make a token. It is shown this once; the ledger keeps only its hash.

    Example: dialer token add anita --role operator --expires 90d
    """
    from dialer.cli.serving import add_token

    add_token(name, role, expires, as_json=json)


@tokens.command("list")
def token_list(json: Json = False) -> None:
    """List the tokens: whose, which role, until when, when last used.

    Example: dialer token list
    """
    from dialer.cli.serving import list_tokens

    list_tokens(as_json=json)


@tokens.command("revoke")
def token_revoke(
    which: Annotated[str, typer.Argument(metavar="ID|NAME", help="The id or the name of a token.")],
    reason: OptReason = "",
    json: Json = False,
) -> None:
    """End a token, and every session that it opened.

    Example: dialer token revoke anita
    """
    from dialer.cli.serving import revoke_token

    revoke_token(which, reason, as_json=json)
