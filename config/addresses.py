"""Addresses of Redis, PostgreSQL and providers, checked before they are used.

No message quotes a part of an address: what stands where a port or a host is meant may be a password.
"""

import re
from urllib.parse import SplitResult, parse_qsl, urlsplit

REDIS_FORMS = "redis://host:6379/0, rediss://host:6379/0 (with TLS) or unix:///path/redis.sock?db=0"
ENCODE = "if a password or a user holds a character such as @ : / # ? or %, percent-encode it"
DIGITS = re.compile(r"[0-9]+")
HOST = re.compile(r"[A-Za-z0-9._~-]+")

REDIS_OPTIONS = frozenset({
    "client_name", "db", "health_check_interval", "max_connections", "password", "protocol", "retry_on_timeout",
    "socket_connect_timeout", "socket_keepalive", "socket_timeout", "ssl_ca_certs", "ssl_ca_data", "ssl_ca_path",
    "ssl_cert_reqs", "ssl_certfile", "ssl_check_hostname", "ssl_keyfile", "ssl_password", "timeout", "username",
})  # fmt: skip
"""What redis-py understands behind the question mark and the program can work with."""


class AddressError(ValueError):
    """An address that cannot be used; the message says what it must be, and quotes nothing of it."""


def check_redis(url: str) -> None:
    """Raises AddressError for what redis-py would misread, or refuse only when it connects."""
    parts = _split(url)
    if parts.scheme not in ("redis", "rediss", "unix"):
        raise AddressError(f"must read like {REDIS_FORMS}")
    options = _options(parts)
    unknown = sorted(set(options) - REDIS_OPTIONS)
    if unknown or parts.fragment or "#" in url:
        raise AddressError(f"ends in something that is no option of Redis; {ENCODE}")
    if "db" in options and not DIGITS.fullmatch(options["db"]):
        raise AddressError("must name the database by its number, e.g. db=0")
    if parts.scheme == "unix":
        if not parts.path.startswith("/") or parts.netloc.rpartition("@")[2]:
            raise AddressError(f"must name the socket by its whole path, e.g. {REDIS_FORMS}")
        return
    _check_host(parts, needed="@" in url)
    if "@" in parts.path or not re.fullmatch(r"(?:/[0-9]*)?", parts.path):
        raise AddressError(f"must end in the number of the database, e.g. /0; {ENCODE}")


def check_postgresql(url: str) -> None:
    """Raises AddressError for what libpq would misread, so that it quotes a password as a host, or refuses."""
    from psycopg import Error
    from psycopg.conninfo import conninfo_to_dict

    rest = url.partition("://")[2]
    owner = re.split(r"[/?]", rest, maxsplit=1)[0]
    behind = rest[len(owner) :]
    if owner.count("@") > 1 or "@" in behind.partition("?")[0] or ("@" not in owner and "@" in behind):
        raise AddressError(f"has more than one place where the host could begin; {ENCODE}")
    try:
        conninfo_to_dict(url)
    except Error:
        raise AddressError(
            f"must read like postgresql://host:5432/name, with user:password@ before the host; {ENCODE}"
        ) from None
    for port in re.findall(r":([^:,\]]*)(?:,|$)", owner.rpartition("@")[2]):
        if not DIGITS.fullmatch(port) or int(port) > 65535:
            raise AddressError(f"must name ports by numbers; {ENCODE}")


def check_base_url(url: str) -> None:
    """Raises AddressError for what is no ``http://host`` or ``https://host:port/path``."""
    parts = _split(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise AddressError("must read like https://api.example.com")
    if "?" in url or "#" in url or "@" in parts.netloc:
        raise AddressError("must be an address alone, without user, query and fragment")
    _check_host(parts, needed=True)


def password_of(url: str) -> str:
    """The password inside an address as written, "" when there is none."""
    owner = url.partition("://")[2].rpartition("@")[0]
    return owner.partition(":")[2]


def _split(url: str) -> SplitResult:
    if not url.isprintable() or " " in url:
        raise AddressError("holds a blank or a character that cannot be seen")
    try:
        return urlsplit(url)
    except ValueError:
        raise AddressError("has brackets that do not hold an IPv6 address, e.g. http://[::1]:8080") from None


def _options(parts: SplitResult) -> dict[str, str]:
    return dict(parse_qsl(parts.query, keep_blank_values=True))


def _check_host(parts: SplitResult, *, needed: bool) -> None:
    try:
        port, host = parts.port, parts.hostname or ""
    except ValueError:
        raise AddressError(f"must name its port by a number from 1 to 65535; {ENCODE}") from None
    if port == 0:
        raise AddressError("must name its port by a number from 1 to 65535")
    if (needed and not host) or not _is_host(host):
        raise AddressError(f"does not name a host; {ENCODE}")


def _is_host(host: str) -> bool:
    if not host or ":" in host:  # an IPv6 address, which urlsplit has checked
        return True
    try:
        name = host.encode("idna").decode()
    except UnicodeError:
        return False
    return HOST.fullmatch(name) is not None and ".." not in name and not name.startswith(".")
