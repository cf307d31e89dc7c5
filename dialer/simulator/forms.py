"""Reading what a form sends: multipart, form-encoded, or, as one version of the vendor's client does, JSON."""

import json
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import NamedTuple
from urllib.parse import parse_qsl

from starlette.requests import Request

from dialer.simulator import checking
from dialer.simulator.checking import Invalid, problem

MULTIPART, ENCODED = "multipart/form-data", "application/x-www-form-urlencoded"


class File(NamedTuple):
    """An uploaded file."""

    name: str
    content: bytes


class Form(NamedTuple):
    """Fields and files; a field sent more than once is a comma list."""

    fields: dict[str, str]
    files: dict[str, File]


async def read(request: Request) -> Form:
    """The form of ``request``; ``Invalid`` when it cannot be read."""
    kind = request.headers.get("content-type", "")
    bare = kind.partition(";")[0].strip().lower()
    if bare == "application/json":
        return Form(_texts(list((await checking.json_object(request)).items())), {})
    body = await request.body()
    try:
        if bare == MULTIPART:
            return _multipart(kind, body)
        return Form(_texts(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=1000)), {})
    except (ValueError, LookupError):
        raise Invalid([problem("body", "", "There was an error parsing the body", "form_invalid")]) from None


def _multipart(kind: str, body: bytes) -> Form:
    head = b"Content-Type: " + kind.encode("latin-1") + b"\r\n\r\n"
    whole = message_from_bytes(head + body, policy=policy.HTTP)
    pairs: list[tuple[str, object]] = []
    files: dict[str, File] = {}
    for part in whole.iter_parts() if isinstance(whole, EmailMessage) and whole.is_multipart() else ():
        name, content = part.get_param("name", header="content-disposition"), part.get_payload(decode=True)
        if not isinstance(name, str) or not isinstance(content, bytes):
            continue
        if part.get_filename() is None:
            pairs.append((name, content.decode()))
        else:
            files[name] = File(str(part.get_filename()), content)
    return Form(_texts(pairs), files)


def _texts(pairs: "list[tuple[str, object]] | list[tuple[str, str]]") -> dict[str, str]:
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        values = value if isinstance(value, list) else [value]
        fields.setdefault(name, []).extend(_text(each) for each in values if each is not None)
    return {name: ",".join(texts) for name, texts in fields.items() if texts}


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
