"""The pages, one file a page."""

from dialer.web.pages import (
    accounts,
    administration,
    campaign,
    campaigns,
    entry,
    people,
    people_actions,
    person,
    suppressions,
)

ROUTERS = (
    *(entry.routes, campaigns.routes, campaign.routes, accounts.routes, administration.routes),
    *(people.routes, people_actions.routes, person.routes, suppressions.routes),
)
