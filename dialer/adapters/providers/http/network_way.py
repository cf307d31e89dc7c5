"""The way out of this network: the proxy and the certificate authorities that the environment names.

The variables are those of curl and of every HTTP library: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY in either case,
SSL_CERT_FILE and SSL_CERT_DIR. Loopback is never asked through a proxy.
"""

import base64
import ssl
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import quote, unquote, urlsplit
from urllib.request import getproxies_environment, proxy_bypass_environment  # type: ignore[attr-defined]

import httpx

from dialer.errors import UsageError

DEFAULT_PORT = 8080


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy. ``user`` and ``password`` as they are, empty for none."""

    host: str
    port: int
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    @property
    def url(self) -> str:
        """Its address, without a password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def full_url(self) -> str:
        """Its address with the password, to be shown nowhere."""
        login = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}@" if self.user else ""
        return self.url.replace("://", f"://{login}", 1)

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """What the proxy learns of us."""
        if not self.user:
            return []
        pair = base64.b64encode(f"{self.user}:{self.password}".encode())
        return [(b"proxy-authorization", b"Basic " + pair)]


def is_loopback(host: str) -> bool:
    """Whether a host's name or address is this machine's own."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def proxy_for(scheme: str, host: str, port: int) -> Proxy | None:
    """The proxy that the environment names for this address; None for the direct way.

    Raises UsageError when it names one that is not spoken to: SOCKS, or a proxy inside TLS.
    """
    if is_loopback(host):
        return None
    named = getproxies_environment()
    url = named.get(scheme) or named.get("all")
    if not url or proxy_bypass_environment(f"{host}:{port}", named):
        return None
    proxy = _read(url)
    if proxy is None:
        variable = f"{scheme.upper()}_PROXY" if named.get(scheme) else "ALL_PROXY"
        raise UsageError(
            f"{variable} names a proxy that cannot be used: only http://HOST:PORT is spoken. "
            "Set another, or name the provider's host in NO_PROXY"
        )
    return proxy


def _read(url: str) -> Proxy | None:
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        host, port = parts.hostname, parts.port or DEFAULT_PORT
    except ValueError:
        return None
    if parts.scheme != "http" or not host:
        return None
    return Proxy(host, port, unquote(parts.username or ""), unquote(parts.password or ""))


def trusted_roots() -> ssl.SSLContext:
    """Verifies against SSL_CERT_FILE or SSL_CERT_DIR, else against certifi's roots. Raises UsageError."""
    try:
        return httpx.create_ssl_context(verify=True, trust_env=True)
    except (OSError, ssl.SSLError):
        raise UsageError("SSL_CERT_FILE or SSL_CERT_DIR names no certificates that can be read") from None
