"""The HTTP API, one file a noun."""

from dialer.web.api import campaigns, events

ROUTERS = (campaigns.routes, events.routes)
