"""One place-call request from guards to answer, the same for both dialects."""

from collections.abc import Callable

from starlette.responses import Response

from dialer.simulator.answers import HalfAnswer, HungUp
from dialer.simulator.books import Call, Order, Received
from dialer.simulator.faults import PLACING
from dialer.simulator.switchboard import Refused, Switchboard

Accepted = Callable[[Call], Response]


def place(board: Switchboard, order: Order, record: Received, accepted: Accepted) -> Response:
    """Place ``order`` unless a fault or a cap forbids, and answer as the fault drawn for it has it.

    Shape: ``accepted`` words the good answer. ``Refused`` is raised for refusals, the dialect words those.
    """
    fault = record.fault = board.draw_fault(order.to)
    if fault is not None and not PLACING[fault].places:
        return _unplaced(board, fault)
    board.check_lines()
    good = accepted(board.place(order))
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
