"""The pages, one file a page."""

from dialer.web.pages import accounts, administration, campaign, campaign_in, campaigns, entry, new_campaign

ROUTERS = (
    entry.routes,
    campaigns.routes,
    new_campaign.routes,
    campaign_in.routes,
    campaign.routes,
    accounts.routes,
    administration.routes,
)
