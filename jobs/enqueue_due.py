"""The cron job of the producer."""

from typing import Any


async def enqueue_due(ctx: dict[str, Any]) -> None:
    """Hand over what is due."""
    await ctx["app"].feed()
