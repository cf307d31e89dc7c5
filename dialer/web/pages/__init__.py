"""The pages, one file a page."""

from dialer.web.pages import campaign, campaigns, entry

ROUTERS = (entry.routes, campaigns.routes, campaign.routes)
