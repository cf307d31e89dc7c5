"""Names of campaigns and verbs in addresses. A name is one segment, whatever it holds.

A server decodes ``%2F`` before it looks for a route, and a name may hold a slash. It is carried to the route as a
character that no name can hold, and is a slash again there.
"""

from typing import Annotated
from urllib.parse import unquote

from fastapi import Path
from starlette.convertors import Convertor, register_url_convertor
from starlette.types import Scope

SLASH = "\ue000"
"""Of the private characters, which no name of a campaign holds."""
LONGEST = 320
PATTERN = r"^[ -~\u00a1-\u06dc\u0700-\u17ff\uac00-\ud7a3]+$"
"""What any name may be made of. Others may hold more: marks of scripts, signs."""

Name = Annotated[
    str,
    Path(
        description="The campaign's name, percent-encoded.", max_length=LONGEST, json_schema_extra={"pattern": PATTERN}
    ),
]


class _NameConvertor(Convertor[str]):
    regex = "[^/]+"

    def convert(self, value: str) -> str:
        return value.replace(SLASH, "/")

    def to_string(self, value: str) -> str:
        return value.replace("/", SLASH)


class _VerbConvertor(Convertor[str]):
    regex = "start|pause|resume|cancel"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("campaign", _NameConvertor())
register_url_convertor("verb", _VerbConvertor())


def with_names(scope: Scope) -> Scope:
    """The request, with the slashes in its names kept apart from those between segments."""
    raw: bytes = scope.get("raw_path") or b""
    if b"%2f" not in raw.lower():
        return scope
    encoded = raw.replace(b"%2F", b"%2f").replace(b"%2f", SLASH.encode())
    return {**scope, "path": unquote(encoded.decode("utf-8", "replace"))}
