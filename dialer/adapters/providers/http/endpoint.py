"""Where a provider is, what it learns of us, and how patiently it is asked."""

import re
import ssl
from dataclasses import dataclass, field
from typing import Literal

from dialer.errors import UsageError
from dialer.ports.login import LoginStore


class Secret(str):
    """A string that shows itself nowhere: not in a repr, so not in a traceback with locals either."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a provider is and how patiently it is asked. Times are seconds.

    ``timeout_s`` bounds one whole request, connecting included; ``read_timeout_s`` only the silence between
    two chunks. ``repeat_budget_s`` bounds all repeats of one place-call together. ``max_connections`` should
    not be below the number of worker slots. ``retry_5xx="at_once"`` is the user's word that a 5xx of this
    provider placed nothing. ``account`` empty means the dialect's name. ``logins`` keeps what is renewed.
    ``media_hosts`` may serve recordings besides the provider's own. ``plain_http`` lets a key leave in clear.
    """

    base_url: str
    api_key: str = field(default="", repr=False)
    access_token: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)
    account: str = ""
    timeout_s: float = 40.0
    connect_timeout_s: float = 10.0
    read_timeout_s: float = 30.0
    write_timeout_s: float = 5.0
    pool_timeout_s: float = 0.5
    repeat_budget_s: float = 0.7
    retry_5xx: Literal["verified", "at_once"] = "verified"
    max_connections: int = 100
    keepalive_s: float = 2.0
    ssl_context: ssl.SSLContext | None = field(default=None, repr=False)
    media_hosts: tuple[str, ...] = ()
    plain_http: bool = False
    logins: LoginStore | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not re.match(r"https?://[^/\s]+", self.base_url):
            raise UsageError("the provider's base URL must start with http:// or https:// and name a host")
        for secret in (self.api_key, self.access_token, self.refresh_token):
            if re.search(r"[^\x21-\x7e]", secret):
                raise UsageError("the provider's key holds a character that cannot be sent; paste it again")
