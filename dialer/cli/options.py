"""Options that several commands share."""

from collections.abc import Callable
from functools import wraps
from inspect import Parameter, signature
from typing import Annotated, Any

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout and nothing else there.")]
OptReason = Annotated[str, typer.Option("--reason", help="Why, for the audit.", show_default=False)]
OptRaw = Annotated[
    bool, typer.Option("--raw", help="CSV cells as they are, without the apostrophe that keeps spreadsheets off.")
]
OptRegion = Annotated[str | None, typer.Option("--region", help='Country of numbers without "+", e.g. IN.')]
OptPhoneColumn = Annotated[str | None, typer.Option("--phone-column", help="Column with the phone number.")]
OptEncoding = Annotated[str | None, typer.Option("--encoding", help="The file's encoding, if it is not UTF-8.")]

OVERRIDES = {
    "name": Annotated[str | None, typer.Option("--name", help="Name of the campaign; default: the file's.")],
    "provider": Annotated[str | None, typer.Option("--provider", help="vaanivoice, vaani or simulator.")],
    "agent": Annotated[
        str | None, typer.Option("--agent", help="Agent id (vaanivoice) or the agent's phone number (vaani).")
    ],
    "caller_ids": Annotated[list[str] | None, typer.Option("--caller-id", help="Number to show; repeat it to rotate.")],
    "rate": Annotated[float | None, typer.Option("--rate", help="Calls per second; 0: no limit.")],
    "concurrency": Annotated[int | None, typer.Option("--concurrency", help="Calls at the same time; 0: no limit.")],
    "max_attempts": Annotated[int | None, typer.Option("--max-attempts", help="Attempts for each contact.")],
    "region": OptRegion,
    "timezone": Annotated[str | None, typer.Option("--timezone", help="Zone of contacts whose number shows none.")],
    "window": Annotated[str | None, typer.Option("--window", help='"mon-sat 09:00-20:00" or "always".')],
    "phone_column": OptPhoneColumn,
    "name_column": Annotated[str | None, typer.Option("--name-column", help="Column with the name.")],
    "sheet": Annotated[str | None, typer.Option("--sheet", help="Sheet of a workbook, if several hold something.")],
}
"""What the command line may say instead of the campaign file, by the fields of ``Overrides``."""


def with_overrides(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command, in place of its parameter ``overrides``, the options that they are made of."""

    @wraps(command)
    def with_options(**given: Any) -> None:
        from dialer.adapters.campaign_file import read_options

        chosen = {name: given.pop(name) for name in OVERRIDES}
        caller_ids = chosen.pop("caller_ids")
        command(**given, overrides=read_options(**chosen, caller_ids=tuple(caller_ids) if caller_ids else None))

    options = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=option) for name, option in OVERRIDES.items()
    ]
    taken: list[Parameter] = []
    for parameter in signature(command).parameters.values():
        taken += options if parameter.name == "overrides" else [parameter.replace(kind=Parameter.KEYWORD_ONLY)]
    with_options.__signature__ = signature(command).replace(parameters=taken)  # type: ignore[attr-defined]
    with_options.__annotations__ = {parameter.name: parameter.annotation for parameter in taken}
    return with_options
