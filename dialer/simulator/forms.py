"""Reading what a form sends: multipart, form-encoded, or, as one version of the vendor's client does, JSON."""

import csv
import io
import json
from typing import Any, NamedTuple

from pydantic_core import from_json
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from dialer.simulator.checking import invalid

MULTIPART, ENCODED = "multipart/form-data", "application/x-www-form-urlencoded"


class File(NamedTuple):
    """An uploaded file."""

    name: str
    content: bytes


class Form(NamedTuple):
    """Fields and files; a field sent more than once is a comma list."""

    fields: dict[str, str]
    files: dict[str, File]

    def file(self, field: str) -> File:
        """The file in ``field``. Raises ``RequestValidationError``."""
        if field not in self.files:
            raise invalid(field, "Field required", "missing")
        return self.files[field]


class Table(NamedTuple):
    """A list: the names of its columns, none without a row, and its rows."""

    columns: list[str]
    rows: list[dict[str, str]]


async def form_of(request: Request) -> Form:
    """The form that was sent. Raises ``RequestValidationError`` when it cannot be read."""
    pairs: list[tuple[str, File | str]] = []
    try:
        if request.headers.get("content-type", "").startswith("application/json"):
            body = from_json(await request.body(), allow_inf_nan=False)
            pairs += [(name, each) for name, value in body.items() for each in _each(value)]
        else:
            async with request.form() as form:
                pairs += [(name, await _read(value)) for name, value in form.multi_items()]
    except (ValueError, AttributeError, HTTPException):
        raise invalid("", "There was an error parsing the body", "form_invalid") from None
    texts: dict[str, list[str]] = {}
    for name, value in pairs:
        if isinstance(value, str):
            texts.setdefault(name, []).append(value)
    files: dict[str, File] = {name: value for name, value in pairs if isinstance(value, File)}
    return Form({name: ",".join(values) for name, values in texts.items()}, files)


def read_table(field: str, file: File) -> Table:
    """The list in ``file``, which came in ``field``. Raises ``RequestValidationError`` for what is no CSV."""
    if not file.name.lower().endswith(".csv"):
        raise invalid(field, "The simulator reads .csv only")
    try:
        rows = list(csv.DictReader(io.StringIO(file.content.decode("utf-8-sig"), newline=""), restval=""))
    except (UnicodeDecodeError, csv.Error):
        raise invalid(field, "The file is no CSV in UTF-8") from None
    return Table([name for name in (rows[0] if rows else ()) if isinstance(name, str)], rows)


def _each(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [each if isinstance(each, str) else json.dumps(each) for each in values if each is not None]


async def _read(value: UploadFile | str) -> File | str:
    return value if isinstance(value, str) else File(value.filename or "", await value.read())
