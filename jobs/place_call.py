"""The arq job that carries attempts to the worker's room."""

from typing import Any

from dialer.bootstrap import App
from dialer.ports import QueuedAttempt


async def place_call(ctx: dict[str, Any], identity: str, handed: list[list[Any]]) -> None:
    """Place a call for each attempt handed over, if they come from the ledger that this worker serves."""
    app: App = ctx["app"]
    if identity == app.ledger.identity:
        await app.place_call.slice([QueuedAttempt(*attempt) for attempt in handed])
