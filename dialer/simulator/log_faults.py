"""What a page of the call logs meets, the same for both dialects."""

from dataclasses import replace

from dialer.simulator.books import Received
from dialer.simulator.call_log import Page
from dialer.simulator.switchboard import Refused, Switchboard


def disturbed(board: Switchboard, dialect: str, page: int, record: Received, unreadable: str) -> frozenset[str]:
    """Draw the faults of the ``page``-th page, and let happen what comes before its rows are read.

    Raises ``Refused`` with the words ``unreadable`` for a page that cannot be read.
    """
    faults = board.draw_log_faults()
    if "log-500" in faults:
        record.fault = "log-500"
        raise Refused(500, unreadable)
    if "log-shift" in faults and page > 1:
        board.let_strangers_in(dialect)
        record.fault = "log-shift"
    return faults


def note(board: Switchboard, faults: frozenset[str], record: Received, page: Page) -> Page:
    """The page as it goes out; what it met is written into the books."""
    met = [record.fault] if record.fault else []
    if page.repeated:
        met.append("log-repeat")
    if "log-shuffle" in faults and len(page.rows) > 1:
        met.append("log-shuffle")
        page = replace(page, rows=board.shuffled(page.rows))
    record.fault = "+".join(met) or None
    return page
