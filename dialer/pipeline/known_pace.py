"""What the pacer says of an account, where it can be asked."""

from collections.abc import Awaitable, Callable

from dialer.errors import QueueUnavailable
from dialer.ports import PaceState

PaceOf = Callable[[str], Awaitable[PaceState]]


async def known_pace(pace_of: PaceOf | None, account: str) -> PaceState | None:
    """None where there is no pacer, or its Redis is away."""
    if pace_of is None:
        return None
    try:
        return await pace_of(account)
    except QueueUnavailable:
        return None
