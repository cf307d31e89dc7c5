"""Prints the page of the campaign file's keys, made from its model, for ``docs/campaign_file.md``."""

import json
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin, get_type_hints

from pydantic import AfterValidator, BaseModel

from dialer.adapters.campaign_file.messages import tables_of
from dialer.adapters.campaign_file.tables import CampaignFile
from dialer.adapters.campaign_file.values import Bounds

HEAD = """\
# The campaign file

A campaign file is TOML. Only `name` and `agent` are required. This is a file with every key and its default:

```toml
"""
TAIL = """\
```

Durations are written as `"90s"`, `"15m"`, `"2h"` or `"1d"`, ten years at most. An unknown key, a value of another type
and one out of its range are refused, with the nearest right key or the range. What the command line says (`--rate`,
`--window`, ...) stands above the file.

This page is made from `dialer/adapters/campaign_file/tables.py`: `python -m tests.campaign_reference`.
"""
REQUIRED = {"name": "october-renewals", "agent": "8cf3373e-0000-4000-8000-000000000000"}


def page() -> str:
    """The whole page."""
    lines = list(_keys(CampaignFile))
    for name, table in tables_of(CampaignFile).items():
        lines += ["", f"[{name}]".ljust(32) + f" # {_meaning(table.__doc__)}", *_keys(table)]
    return HEAD + "\n".join(lines) + "\n" + TAIL


def _keys(table: type[BaseModel]) -> Iterator[str]:
    hints = get_type_hints(table, include_extras=True)
    for name, field in table.model_fields.items():
        if name not in tables_of(table):
            default = REQUIRED.get(name, field.default) if table is CampaignFile else field.default
            said = "; ".join(filter(None, (field.description, _range(hints[name]))))
            yield f"{name} = {json.dumps(default)}".ljust(32) + f" # {said}"


def _meaning(docstring: str | None) -> str:
    text = (docstring or "").removesuffix(".")
    return text[:1].lower() + text[1:]


def _range(hint: Any) -> str:
    if get_origin(hint) is Literal:
        return " or ".join(f'"{choice}"' for choice in get_args(hint))
    checks = [mark.func for mark in getattr(hint, "__metadata__", ()) if isinstance(mark, AfterValidator)]
    return next((str(check) for check in checks if isinstance(check, Bounds)), "")


if __name__ == "__main__":
    print(page(), end="")
