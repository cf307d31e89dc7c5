"""Prints the page of the campaign file's keys, made from its model, for ``docs/campaign_file.md``."""

from dialer.adapters.campaign_file.writing import WIDTH, Key, keys_of, meaning_of, table_names, toml_value

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
    lines = [_line(key) for key in keys_of("")]
    for table in table_names():
        lines += ["", f"[{table}]".ljust(WIDTH) + f" # {meaning_of(table)}", *map(_line, keys_of(table))]
    return HEAD + "\n".join(lines) + "\n" + TAIL


def _line(key: Key) -> str:
    default = REQUIRED.get(key.name, key.default) if not key.table else key.default
    return f"{key.name} = {toml_value(default)}".ljust(WIDTH) + f" # {key.said}"


if __name__ == "__main__":
    print(page(), end="")
