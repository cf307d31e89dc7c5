"""The cron job of the reconciler."""

from typing import Any

CRON_PERIOD_S = 1.0


async def reconcile_calls(ctx: dict[str, Any]) -> None:
    """Read the call logs that are due within this second."""
    await ctx["app"].reconcile(for_s=CRON_PERIOD_S)
