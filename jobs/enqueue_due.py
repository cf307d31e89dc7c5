"""The cron job of the producer."""

from typing import Any


async def enqueue_due(ctx: dict[str, Any]) -> None:
    """Hand over what is due, twice in the second between two crons."""
    await ctx["app"].feed(for_s=0.5)
