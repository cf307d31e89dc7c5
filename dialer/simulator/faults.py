"""The faults a request can meet, and for each whether the call is placed all the same.

A place-call request meets at most one fault; a caller cannot always tell from the answer whether the phone rang,
and the column ``places`` is the truth the books keep.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: does the call get placed, and what the caller sees."""

    places: bool
    seen: str


PLACING: dict[str, Fault] = {
    "429": Fault(False, "429 without Retry-After"),
    "429-retry-after": Fault(False, "429 with Retry-After in seconds"),
    "429-retry-date": Fault(False, "429 with Retry-After as an HTTP date"),
    "429-retry-nonsense": Fault(False, "429 with a Retry-After that is neither"),
    "500": Fault(False, "500"),
    "502": Fault(False, "502"),
    "503": Fault(False, "503 without Retry-After"),
    "503-retry-after": Fault(False, "503 with Retry-After in seconds"),
    "307": Fault(False, "307 to the same address: following it asks twice"),
    "403": Fault(False, "403 for this number, which is on a do-not-disturb list"),
    "408": Fault(False, "408"),
    "409": Fault(False, "409"),
    "422": Fault(False, "422 that calls the number invalid"),
    "refused": Fault(False, "vaanivoice: 200 with success false and a calling-hours text; vaani: 403"),
    "refused-number": Fault(False, "the same, with a text that calls the number invalid"),
    "refused-oddly": Fault(False, "200 with success false and a text that nobody documented"),
    "refused-with-id": Fault(True, "200 with success false and the id of a call, which is placed"),
    "unread": Fault(False, "connection reset (RST), request thrown away"),
    "500-placed": Fault(True, "500 after the call was accepted"),
    "504-placed": Fault(True, "504 after the call was accepted"),
    "dropped": Fault(True, "connection closed (FIN) without an answer"),
    "stalled": Fault(True, "no answer for --stall-s seconds, then the connection closes"),
    "garbage": Fault(True, "200 whose body is not JSON"),
    "half-body": Fault(True, "200, full Content-Length, half of the JSON, then the connection closes"),
    "drip": Fault(True, "200 whose body takes --stall-s seconds, byte by byte"),
    "huge": Fault(True, "200 with a body of 5 MB"),
    "wrong-type": Fault(True, "200 whose JSON is a list"),
    "late": Fault(True, "the request arrives --late-s seconds late: only then the call is placed"),
}
"""Faults of a place-call request, by name."""

PAGES: dict[str, str] = {
    "log-500": "a history page answers 500",
    "log-repeat": "a history page after the first begins with the last row of the page before",
    "log-shift": "before a history page after the first, 1 to 50 calls of somebody else come in",
    "log-shuffle": "the rows of a history page come in any order",
}
"""Faults of a page of the call logs, by name."""

ROWS: dict[str, str] = {
    "log-late": "a row appears after five times the log delay",
    "log-later": "a row appears after 120 times the log delay",
    "log-never": "a row never appears",
    "log-early": "vaanivoice: a row appears when the call is accepted, and changes until it has ended",
}
"""Faults of a row of the call logs, by name; a call meets at most one."""


def check(faults: Mapping[str, float]) -> None:
    """Raise ``ValueError`` that names the wrong fault or the wrong probability."""
    known = {*PLACING, *PAGES, *ROWS}
    for name, chance in faults.items():
        if name not in known:
            raise ValueError(f"unknown fault {name!r}: one of {', '.join(sorted(known))}")
        if not 0 <= chance <= 1:
            raise ValueError(f"fault {name}: a probability is 0 to 1, not {chance:g}")
    for kind, names in (("place-call", PLACING), ("row", ROWS)):
        if sum(chance for name, chance in faults.items() if name in names) > 1 + 1e-9:
            raise ValueError(f"the probabilities of the {kind} faults add up to more than 1")


def describe() -> str:
    """A plain list of every fault, for ``--help``."""
    lines = [f"  {name:18} {'placed' if f.places else 'NOT placed':11} {f.seen}" for name, f in PLACING.items()]
    lines += [f"  {name:18} {'log page':11} {seen}" for name, seen in PAGES.items()]
    return "\n".join([*lines, *(f"  {name:18} {'log row':11} {seen}" for name, seen in ROWS.items())])
