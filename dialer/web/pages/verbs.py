"""What can be done to a campaign as it stands, in the words of its buttons."""

from dialer.domain.campaign import CAMPAIGN_TRANSITIONS, CampaignStatus

SAFE = (("pause", "Pause"), ("resume", "Resume"), ("start", "Start"))
"""What is done with one click; it can be taken back."""


def verbs_for(status: CampaignStatus) -> tuple[tuple[str, str], ...]:
    """(verb, words) of what leads from this status to another one."""
    return tuple(
        (verb, words)
        for verb, words in SAFE
        if status in CAMPAIGN_TRANSITIONS[verb][0] and CAMPAIGN_TRANSITIONS[verb][1] is not status
    )


def may_cancel(status: CampaignStatus) -> bool:
    """Whether it can still be ended for good."""
    return status in CAMPAIGN_TRANSITIONS["cancel"][0] and status is not CampaignStatus.CANCELLED
