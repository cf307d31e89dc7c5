"""Where recordings and results may be fetched from: a provider's answer names the place, and may name any.

The provider's own hosts, and those that the operator named. Never this machine or its link (cloud metadata), unless
the provider itself is there; that is asked of the address, after the name was resolved.
"""

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from dialer.errors import AnswerUnreadable

_FIRST_LABELS = re.compile(r"^(api|app|www|backend|voice|calls?)[\w-]*\.")
_NAT64 = ip_network("64:ff9b::/96")
_METADATA = ip_network("fd00:ec2::254/128")
Address = IPv4Address | IPv6Address


def refuse_strange_media(url: str, base_url: str, media_hosts: Sequence[str]) -> None:
    """Raises AnswerUnreadable for a link that leads to a host of nobody we know."""
    try:
        place, base = urlsplit(url), urlsplit(base_url)
        host, own = (place.hostname or "").rstrip("."), (base.hostname or "").rstrip(".")
        _ = place.port
    except ValueError:
        raise AnswerUnreadable("the link is not one") from None
    if place.scheme not in {"http", "https"} or not host:
        raise AnswerUnreadable("the link is not one")
    if host == own or _is_below(host, _FIRST_LABELS.sub("", own)) or any(_matches(host, one) for one in media_hosts):
        return
    if is_inside(literal(host)) and is_inside(literal(own)):
        return
    raise AnswerUnreadable(
        f"the link leads to {host[:100]}, which is not the provider's. If you trust it, name it in DIALER_MEDIA_HOSTS"
    )


def _is_below(host: str, domain: str) -> bool:
    return "." in domain and literal(domain) is None and (host == domain or host.endswith(f".{domain}"))


def _matches(host: str, named: str) -> bool:
    """``named`` is a host, or ``*.domain`` for all below it."""
    named = named.lower()
    return host.endswith(named[1:]) if named.startswith("*.") else host == named


def literal(host: str) -> Address | None:
    """The address that a host is written as, "localhost" among them; None for any other name."""
    if host.lower().rstrip(".") == "localhost":
        return IPv4Address("127.0.0.1")
    try:
        return ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return None


def is_inside(address: Address | None) -> bool:
    """Whether an address is this machine's own, or its link's: where no provider's recording can be."""
    if address is None:
        return False
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _NAT64:
            inner = IPv4Address(int(address) & 0xFFFF_FFFF)
        if inner is not None:
            return is_inside(inner)
        if address in _METADATA:
            return True
    return address.is_loopback or address.is_link_local or address.is_unspecified or address.is_multicast
