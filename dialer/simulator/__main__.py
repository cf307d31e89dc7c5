"""``python -m dialer.simulator``: the simulator as a process, every option a switch."""

import argparse
import sys
from collections.abc import Mapping
from dataclasses import Field, fields
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from dialer.simulator import faults
from dialer.simulator.options import SECTIONS, Options, Range, what_is_wrong
from dialer.simulator.server import serve

GROUPS = {
    "vaani_": "dialect A, api.vaani.ai",
    "vaanivoice_": "dialect B, api.vaanivoice.ai",
    "recording_": "recordings and live captions",
    "captions_": "recordings and live captions",
    "session_": "browser sessions",
    "socket_": "browser sessions",
    "campaign_": "the vendor's own campaigns",
    "webhook_": "webhooks",
}
"""The heading in ``--help`` by how an option's name begins."""
CALLS = "calls, faults and the account"


def parser() -> argparse.ArgumentParser:
    """One switch per field of ``Options``, and ``--books`` and ``--json``."""
    made = argparse.ArgumentParser(
        prog="simulator",
        description="Both Vaani APIs on 127.0.0.1. Any key and any agent will do; needs no network.",
        epilog="what is served is listed at /docs and /openapi.json; sections are those of the wire contract\n\n"
        f"faults of a place-call request (at most one each) and of the logs:\n{faults.describe()}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    hints = get_type_hints(Options, include_extras=True)
    groups = {title: made.add_argument_group(title) for title in dict.fromkeys((CALLS, *GROUPS.values()))}
    for item in fields(Options):
        title = next((GROUPS[start] for start in GROUPS if item.name.startswith(start)), CALLS)
        _add(groups[title], item, hints[item.name])
    made.add_argument("--books", type=Path, metavar="FILE", help="write the full books (numbers unmasked) at the end")
    made.add_argument("--json", action="store_true", help="print the end summary as one JSON document")
    return made


def main(argv: list[str] | None = None) -> int:
    """Run; returns the exit code."""
    made = parser()
    given = vars(made.parse_args(argv))
    books, as_json = given.pop("books"), given.pop("json")
    try:
        options = Options(**given)
    except ValueError as error:
        made.error(what_is_wrong(error))
    return serve(options, books, as_json=as_json)


def flag_of(name: str) -> str:
    """The switch of an option."""
    return "--" + {"faults": "fault", "webhook_faults": "webhook-fault"}.get(name, name).replace("_", "-")


def _add(made: argparse._ArgumentGroup, item: Field[Any], hint: Any) -> None:
    rest: dict[str, Any] = {"dest": item.name, "help": _help(item)}
    if hint is bool:
        rest |= {"action": argparse.BooleanOptionalAction}
    elif hint == Range:
        rest |= {"metavar": "LO,HI"}
    elif get_origin(hint) is tuple:
        rest |= {"action": "append", "metavar": "ONE"}
    elif get_origin(hint) is Literal:
        rest |= {"choices": get_args(hint), "type": type(item.default)}
    elif get_origin(hint) is Mapping:
        rest |= {"action": _Pairs, "metavar": "NAME=VALUE"}
    else:
        rest |= {"metavar": "TEXT" if hint in (str, str | None) else "N"}
    # What is not given is not there, and keeps its default.
    made.add_argument(flag_of(item.name), default=argparse.SUPPRESS, **rest)


class _Pairs(argparse.Action):
    def __call__(self, parser: Any, namespace: argparse.Namespace, values: Any, option_string: Any = None) -> None:
        name, found, value = values.partition("=")
        if not found:
            raise argparse.ArgumentError(self, f"{values!r} is not NAME=VALUE")
        setattr(namespace, self.dest, {**getattr(namespace, self.dest, {}), name: value})


def _help(item: Field[Any]) -> str:
    shown = ",".join(map(str, item.default)) if isinstance(item.default, tuple) else item.default
    notes = [f"section {SECTIONS[item.name]}"] if item.name in SECTIONS else []
    notes += [f"default {shown}"] if isinstance(shown, int | float | str) and shown not in (True, False, "") else []
    text = item.metadata["help"].replace("%", "%%")
    return f"{text} ({', '.join(notes)})" if notes else text


if __name__ == "__main__":
    sys.exit(main())
