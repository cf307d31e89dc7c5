"""The cron jobs of the calendar."""

from typing import Any


async def keep_calendar(ctx: dict[str, Any]) -> None:
    """Start and end what is due."""
    await ctx["app"].keep_calendar()


async def read_sources(ctx: dict[str, Any]) -> None:
    """Read the sources that are due, as long as that takes."""
    await ctx["app"].read_sources()
