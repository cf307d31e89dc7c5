"""Files behind links that are signed and run out after an hour (wire contract, sections 2.3 and 3.12)."""

import hmac
from collections.abc import Callable
from hashlib import sha256

from starlette.requests import Request
from starlette.responses import Response

from dialer.simulator import tokens
from dialer.simulator.answers import Json

LINK_S = 3600
PATH = "/storage/"

File = Callable[[Request], Response]


class Storage:
    """What both dialects hand out links to."""

    def __init__(self) -> None:
        self._files: dict[str, File] = {}

    def link(self, address: str, name: str, file: File, now: float) -> str:
        """Where ``file`` can be fetched, under ``name``, until an hour from ``now``."""
        self._files[name] = file
        expires = int(now) + LINK_S
        return f"http://{address}{PATH}{name}?expires={expires}&signature={_signature(name, expires)}"

    def serve(self, request: Request, name: str, now: float) -> Response:
        """The file; 403 for a link that is forged or over."""
        expires = request.query_params.get("expires", "")
        signature = request.query_params.get("signature", "")
        until = int(expires) if expires.isdecimal() and len(expires) < 16 else 0
        right = hmac.compare_digest(signature.encode(), _signature(name, until).encode())
        if not right or until <= now:
            return Json({"detail": "Request has expired"}, 403)
        file = self._files.get(name)
        return Json({"detail": "Not Found"}, 404) if file is None else file(request)


def _signature(name: str, expires: int) -> str:
    return hmac.new(tokens.SECRET, f"{name}\n{expires}".encode(), sha256).hexdigest()
