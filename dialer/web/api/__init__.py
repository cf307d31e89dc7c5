"""The HTTP API, one file a noun."""

from dialer.web.api import (
    accounts,
    administration,
    calls,
    campaigns,
    contacts_in,
    events,
    imports,
    people,
    suppressions,
)

ROUTERS = (
    *(accounts.routes, administration.routes, events.routes, calls.routes, suppressions.routes, imports.routes),
    *(contacts_in.routes, people.routes, campaigns.routes),
)
"""In the order they are matched: the name of a campaign may be like another address, so campaigns come last."""
