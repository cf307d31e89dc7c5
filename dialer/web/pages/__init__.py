"""The pages, one file a page."""

from dialer.web.pages import (
    accounts,
    administration,
    campaign,
    campaign_in,
    campaigns,
    entry,
    new_campaign,
    people,
    people_actions,
    person,
    suppressions,
)

ROUTERS = (
    *(entry.routes, campaigns.routes, new_campaign.routes, campaign_in.routes, people.routes, people_actions.routes),
    *(campaign.routes, person.routes, suppressions.routes, accounts.routes, administration.routes),
)
