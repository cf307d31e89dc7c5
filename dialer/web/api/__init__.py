"""The HTTP API, one file a noun."""

from dialer.web.api import accounts, administration, campaigns, events

ROUTERS = (accounts.routes, administration.routes, events.routes, campaigns.routes)
"""In the order they are matched: the name of a campaign may be like another address, so campaigns come last."""
