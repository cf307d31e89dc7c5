"""One place-call request from guards to answer, the same for both dialects."""

import asyncio
from collections.abc import Callable
from email.utils import formatdate
from http import HTTPStatus
from typing import NamedTuple

from starlette.responses import Response

from dialer.simulator.answers import Dripping, HalfAnswer, HungUp, Json, swollen
from dialer.simulator.books import Call, Order, Received
from dialer.simulator.faults import PLACING
from dialer.simulator.switchboard import Refused, Switchboard

HOURS = "Calls are allowed only between 08:00 and 20:00 as per TRAI regulations"
BAD_NUMBER = "Invalid phone number"
ODDLY = "Dispatch could not be completed"
BLOCKED = "Call blocked: the number is registered as DND (do not disturb)"


class Words(NamedTuple):
    """How a dialect says yes, how it declines with a text, and how it says no and names a call all the same."""

    accepted: Callable[[Call], Response]
    declined: Callable[[str], Response]
    denied: Callable[[str, Call | None], Response]


async def place(board: Switchboard, order: Order, record: Received, words: Words) -> Response:
    """Place ``order`` unless a fault or a cap forbids, and answer as the fault drawn for it has it.

    Raises ``Refused`` for what the dialect answers with an error status.
    """
    fault = record.fault = board.draw_fault(order.to)
    if fault == "late":
        await asyncio.sleep(board.draw_late_s(order.to))
    try:
        return _place(board, order, record, words)
    finally:
        lag_s = board.draw_answer_s(order.to)
        if lag_s:
            await asyncio.sleep(lag_s)


def _place(board: Switchboard, order: Order, record: Received, words: Words) -> Response:
    fault = record.fault
    if fault is not None and not PLACING[fault].places:
        return _unplaced(board, fault, record.path, words)
    board.check_lines()
    call = board.place(order, record.at)
    good = words.accepted(call)
    if fault == "refused-with-id":
        return words.denied(ODDLY, call)
    return good if fault in {None, "late"} else _disturbed(board, str(fault), good)


def _unplaced(board: Switchboard, fault: str, path: str, words: Words) -> Response:
    match fault:
        case "unread":
            return HungUp(reset=True)
        case "refused":
            return words.declined(HOURS)
        case "refused-number":
            return words.declined(BAD_NUMBER)
        case "refused-oddly":
            return words.denied(ODDLY, None)
        case "307":
            return Response(status_code=307, headers={"Location": path})
    raise _refused(fault, _retry_after(board, fault))


def _refused(fault: str, retry_after: int | str | None = None) -> Refused:
    status = HTTPStatus(int(fault[:3]))
    return Refused(status, {403: BLOCKED, 422: BAD_NUMBER}.get(status, status.phrase.capitalize()), retry_after)


def _retry_after(board: Switchboard, fault: str) -> int | str | None:
    match fault.partition("-")[2]:
        case "retry-after":
            return board.options.retry_after_s
        case "retry-date":
            # A date has no fraction of a second: rounded up, it is never over already.
            return formatdate(board.clock.now() + board.options.retry_after_s + 1, usegmt=True)
        case "retry-nonsense":
            return "soon"
        case _:
            return None


def _disturbed(board: Switchboard, fault: str, good: Response) -> Response:
    match fault:
        case "500-placed" | "504-placed":
            raise _refused(fault)
        case "dropped":
            return HungUp()
        case "stalled":
            return HungUp(wait_s=board.options.stall_s)
        case "garbage":
            return Response(b"<html><body>upstream said yes</body></html>", media_type="text/html")
        case "drip":
            return Dripping(good, board.options.stall_s)
        case "huge":
            return swollen(good)
        case "wrong-type":
            return Json(["Call initiated successfully"])
        case _:
            return HalfAnswer(good)
