"""Ending background tasks that wait inside redis-py."""

import asyncio
from collections.abc import Collection
from typing import Any

AGAIN_S = 0.1


async def cancelled(tasks: Collection["asyncio.Task[Any]"]) -> None:
    """Cancel until every task has ended: redis-py may take a cancellation in mid-command for its own time-out."""
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=AGAIN_S)
