"""Records the result of a call, however long the ledger takes."""

import structlog

from dialer.errors import LedgerUnavailable
from dialer.ports import Clock, Ledger, SendOutcome

log = structlog.get_logger()
RETRY_S = 0.5


async def until_recorded(ledger: Ledger, clock: Clock, within_s: float, outcome: SendOutcome) -> bool | None:
    """An answer that cannot be written now is worth waiting for; past that the sweeper calls it unknown.

    False when the attempt is not this one's any more, None when the time is over.
    """
    give_up = clock.monotonic() + within_s
    while True:
        try:
            return (await ledger.record_sends([outcome]))[0]
        except LedgerUnavailable as unavailable:
            if clock.monotonic() > give_up:
                log.error("call.not_recorded", attempt=outcome.attempt_id, error=str(unavailable))
                return None
            await clock.sleep(RETRY_S)
