"""What a provider's answer may stop: a campaign, or all of an account."""

import structlog

from dialer.domain.call import NotPlaced
from dialer.ports import Admitted, Ledger

log = structlog.get_logger()


async def halt_for(ledger: Ledger, account: str, admitted: Admitted, result: NotPlaced) -> None:
    """Stop what this answer is about, until a person starts it again."""
    if result.halts_account:
        halted = await ledger.halt_account(account, result.halt)
        log.error("account.halted", account=account, reason=result.halt, campaigns=halted)
    else:
        await ledger.move_campaign(admitted.campaign_id, "halt", result.halt)
        log.error("campaign.halted", campaign=admitted.spec.name, reason=result.halt)


async def weigh(ledger: Ledger, account: str, admitted: Admitted) -> None:
    """One refusal may be one person's; a run of them, with nobody accepted, is everybody's."""
    reason = await ledger.weigh_refusals(admitted.campaign_id)
    if reason:
        log.error("campaign.halted", campaign=admitted.spec.name, account=account, reason=reason)
