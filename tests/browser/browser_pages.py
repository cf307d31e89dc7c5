"""Every page that is tried in a browser: the template of its address, and addresses of it. A new page is added here.

Campaign 1 is being dialed, 2 is over, 3 has a name of markup and was not started, and there is no 99.
"""

PAGES: dict[str, tuple[str, ...]] = {
    "/": ("/",),
    "/login": ("/login",),
    "/accounts": ("/accounts",),
    "/admin": ("/admin",),
    "/campaigns/{campaign_id}": ("/campaigns/1", "/campaigns/2", "/campaigns/3", "/campaigns/99"),
    "/campaigns/{campaign_id}/cancel": ("/campaigns/1/cancel",),
}
NO_PAGES = frozenset({"/enter/{token}", "/livez", "/readyz", "/campaigns/{campaign_id}/live"})
"""What answers something else to GET."""

ADDRESSES = tuple(address for addresses in PAGES.values() for address in addresses)
