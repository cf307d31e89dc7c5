"""The HTTP API, one file a noun."""

from dialer.web.api import campaigns, contacts_in, events, imports

ROUTERS = (imports.routes, contacts_in.routes, campaigns.routes, events.routes)
