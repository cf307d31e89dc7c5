"""One place-call request from guards to answer, the same for both dialects."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from starlette.responses import Response

from dialer.simulator.answers import HalfAnswer, HungUp
from dialer.simulator.books import Call, Order, Received
from dialer.simulator.faults import PLACING
from dialer.simulator.switchboard import Refused, Switchboard

HOURS = "Calls are allowed only between 08:00 and 20:00 as per TRAI regulations"


class Words(NamedTuple):
    """How a dialect says yes, and how it declines with a text without placing the call."""

    accepted: Callable[[Call], Response]
    declined: Callable[[str], Response]


async def place(board: Switchboard, order: Order, record: Received, words: Words) -> Response:
    """Place ``order`` unless a fault or a cap forbids, and answer as the fault drawn for it has it.

    Raises ``Refused`` for what the dialect answers with an error status.
    """
    try:
        return _place(board, order, record, words)
    finally:
        lag_s = board.draw_answer_s(order.to)
        if lag_s:
            await asyncio.sleep(lag_s)


def _place(board: Switchboard, order: Order, record: Received, words: Words) -> Response:
    fault = record.fault = board.draw_fault(order.to)
    if fault is not None and not PLACING[fault].places:
        return words.declined(HOURS) if fault == "refused" else _unplaced(board, fault)
    board.check_lines()
    good = words.accepted(board.place(order))
    return good if fault is None else _disturbed(board, fault, good)


def _unplaced(board: Switchboard, fault: str) -> Response:
    if fault == "unread":
        return HungUp(reset=True)
    wait_s = board.options.retry_after_s if fault.endswith("-retry-after") else None
    status = int(fault[:3])
    texts = {429: "Too many requests", 500: "Internal server error", 503: "Service unavailable"}
    raise Refused(status, texts[status], wait_s)


def _disturbed(board: Switchboard, fault: str, good: Response) -> Response:
    match fault:
        case "500-placed":
            raise Refused(500, "Internal server error")
        case "dropped":
            return HungUp()
        case "stalled":
            return HungUp(wait_s=board.options.stall_s)
        case "garbage":
            return Response(b"<html><body>upstream said yes</body></html>", media_type="text/html")
        case _:
            return HalfAnswer(good)


def refusal_headers(refused: Refused) -> dict[str, str]:
    """``Retry-After`` in whole seconds when the refusal carries one."""
    return {} if refused.retry_after_s is None else {"Retry-After": str(refused.retry_after_s)}
