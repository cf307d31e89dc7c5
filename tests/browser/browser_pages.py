"""Every page that is tried in a browser: the template of its address, and addresses of it. A new page is added here.

Campaign 1 is being dialed, 2 is over, 3 has a name of markup, and there is no 99. List 1 is looked at before anybody
is called. Person 1 was called; entry 1 is on the suppression list. TALKED stands for an attempt that has a transcript.
"""

PAGES: dict[str, tuple[str, ...]] = {
    "/": ("/",),
    "/login": ("/login",),
    "/accounts": ("/accounts",),
    "/admin": ("/admin",),
    "/new": ("/new",),
    "/new/{upload_id}/list": ("/new/1/list",),
    "/new/{upload_id}/columns": ("/new/1/columns",),
    "/new/{upload_id}/rules": ("/new/1/rules",),
    "/new/{upload_id}/start": ("/new/1/start",),
    "/campaigns/{campaign_id}": ("/campaigns/1", "/campaigns/2", "/campaigns/3", "/campaigns/99"),
    "/campaigns/{campaign_id}/cancel": ("/campaigns/1/cancel",),
    "/campaigns/{campaign_id}/add": ("/campaigns/1/add",),
    "/campaigns/{campaign_id}/people": ("/campaigns/1/people", "/campaigns/3/people?status=reached"),
    "/campaigns/{campaign_id}/people/{action}": (
        "/campaigns/2/people/redial?outcome=no_answer", "/campaigns/1/people/stop?status=pending",
        "/campaigns/1/people/suppress?status=pending", "/campaigns/1/people/export",
    ),
    "/campaigns/{campaign_id}/export": ("/campaigns/1/export",),
    "/people": ("/people",),
    "/people/{contact_id}": ("/people/1", "/people/99999"),
    "/attempts/{attempt_id}/transcript": ("/attempts/TALKED/transcript", "/attempts/99999/transcript"),
    "/suppressions": ("/suppressions",),
    "/suppressions/{entry_id}/remove": ("/suppressions/1/remove",),
}  # fmt: skip
NO_PAGES = frozenset({
    "/enter/{token}", "/livez", "/readyz", "/campaigns/{campaign_id}/live", "/attempts/{attempt_id}/recording",
    "/campaigns/{campaign_id}/file", "/campaigns/{campaign_id}/rejects", "/new/{upload_id}/file",
    "/new/{upload_id}/rejects", "/suppressions/rejects/{digest}",
})  # fmt: skip
"""What answers something else to GET."""

MISSING = frozenset({"/campaigns/99", "/people/99999", "/attempts/99999/transcript"})
"""Pages that say that there is nothing; all others are answered with 200."""

ADDRESSES = tuple(address for addresses in PAGES.values() for address in addresses)
