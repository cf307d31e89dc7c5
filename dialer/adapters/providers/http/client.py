"""What the clients of both APIs ask through: JSON in, JSON out, and errors of our tree only."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from dialer.adapters.providers.answers.placing import place_error
from dialer.adapters.providers.answers.proof import (
    KEPT_BODY_CHARS,
    Answer,
    Json,
    error_text,
    json_object,
    json_value,
    write_error,
)
from dialer.adapters.providers.http.requests import LOG_CAP, Headers, ProviderHttp
from dialer.errors import CallRefused, NotFound, OutcomeUnknown, Unsuccessful

Query = Mapping[str, str | int | bool | None]
Form = Mapping[str, str]
File = tuple[str, bytes, str]
"""Name, content, content type."""


class ProviderClient:
    """One account, asked through its connections.

    Reading is repeated on 429, 5xx and transport errors. Changing something never is, unless ``again`` says that
    doing it twice is the same as doing it once.
    """

    def __init__(self, http: ProviderHttp) -> None:
        self.http = http

    async def read(self, path: str, query: Query | None = None) -> Any:
        """The JSON behind a GET, of any type. Raises ProviderError."""
        return json_value(await self.answer(path, query))

    async def read_object(self, path: str, query: Query | None = None) -> Json:
        """The JSON object behind a GET. Raises AnswerUnreadable for anything else, and every other ProviderError."""
        return json_object(await self.answer(path, query))

    async def answer(self, path: str, query: Query | None = None) -> Answer:
        """The whole answer to a GET. Raises ProviderError."""
        return await self.http.get(path, _filled(query))

    async def write(self, method: str, path: str, body: object = None, *, again: bool = False) -> Json:
        """Send JSON, get an object; nothing at all counts as an empty one. Raises ProviderError."""
        content = None if body is None else _json(body)
        return await self._change(method, path, content, None if content is None else _JSON, again=again)

    async def write_form(
        self, method: str, path: str, form: Form, *, file: tuple[str, File] | None = None, again: bool = False
    ) -> Json:
        """Send a form, as multipart when it carries a file (its field, and the file). Raises ProviderError."""
        if file is None:
            kind = "application/x-www-form-urlencoded"
            return await self._change(method, path, urlencode(form).encode(), _kind(kind), again=again)
        kind = f"multipart/form-data; boundary={self.http.random.getrandbits(128):032x}"
        field, content = file
        whole = httpx.Request("POST", "http://form", headers={"content-type": kind}, data=form, files={field: content})
        return await self._change(method, path, whole.read(), _kind(kind), again=again)

    async def call(self, path: str, body: object) -> Answer:
        """Send a place-call request: one, never repeated. Raises ProviderError; a 2xx is the caller's to read."""
        content = _json(body)

        async def once() -> Answer:
            answer = await self.http.exchange("POST", path, content)
            error = place_error(answer, self.http.hide)
            if error is not None:
                raise error
            return answer

        return await self.http.logged_in(once)

    async def delete(self, path: str) -> Json:
        """Delete something. A 404 after a first try whose answer was lost means that it is gone."""
        lost = False

        async def once() -> Json:
            nonlocal lost
            try:
                return await self._once("DELETE", path, None, None)
            except OutcomeUnknown:
                lost = True
                raise
            except NotFound:
                if not lost:
                    raise
                return {}

        return await self.http.repeated(once)

    async def _change(self, method: str, path: str, body: bytes | None, kind: Headers | None, *, again: bool) -> Json:
        async def once() -> Json:
            return await self._once(method, path, body, kind)

        return await (self.http.repeated(once) if again else self.http.logged_in(once))

    async def _once(self, method: str, path: str, body: bytes | None, kind: Headers | None) -> Json:
        answer = await self.http.exchange(method, path, body, cap=LOG_CAP, headers=kind)
        error = write_error(answer, self.http.hide)
        if error is not None:
            raise error
        fields = json_object(answer) if answer.body.strip() else {}
        if fields.get("success") is False:
            text = self.http.hide(error_text(answer.body))[:KEPT_BODY_CHARS]
            raise Unsuccessful(f"HTTP {answer.status} with success false: {text}", status=answer.status, body=text)
        return fields


def segment(value: str, what: str) -> str:
    """A value as one part of a path. Raises NotFound for what can be the name of nothing."""
    if value.strip(". ") == "":
        raise NotFound(f"no {what} of that name")
    return quote(value, safe="")


def _json(body: object) -> bytes:
    try:
        return json.dumps(body, separators=(",", ":"), allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise CallRefused(f"the request cannot be written as JSON: {error}") from None


def _filled(query: Query | None) -> dict[str, str | int]:
    return {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in (query or {}).items()
        if value is not None
    }


def _kind(content_type: str) -> Headers:
    return (("content-type", content_type), ("accept-encoding", "identity"))


_JSON = _kind("application/json")
