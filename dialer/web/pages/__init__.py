"""The pages, one file a page."""

from dialer.web.pages import accounts, administration, campaign, campaigns, entry

ROUTERS = (entry.routes, campaigns.routes, campaign.routes, accounts.routes, administration.routes)
