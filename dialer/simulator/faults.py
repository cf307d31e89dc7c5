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
    "429-retry-after": Fault(False, "429 with Retry-After"),
    "500": Fault(False, "500"),
    "503": Fault(False, "503 without Retry-After"),
    "503-retry-after": Fault(False, "503 with Retry-After"),
    "refused": Fault(False, "vaanivoice: 200 with success false and a calling-hours text; vaani: 403"),
    "unread": Fault(False, "connection reset (RST), request thrown away"),
    "500-placed": Fault(True, "500 after the call was accepted"),
    "dropped": Fault(True, "connection closed (FIN) without an answer"),
    "stalled": Fault(True, "no answer for --stall-s seconds, then the connection closes"),
    "garbage": Fault(True, "200 whose body is not JSON"),
    "half-body": Fault(True, "200, full Content-Length, half of the JSON, then the connection closes"),
}
"""Faults of a place-call request, by name."""

LOGS: dict[str, str] = {
    "log-500": "a history page answers 500",
    "log-late": "a row appears after five times the log delay (chance per call)",
    "log-repeat": "a history page after the first begins with the last row of the page before",
}
"""Faults of the call logs, by name."""


def check(faults: Mapping[str, float]) -> None:
    """Raise ``ValueError`` that names the wrong fault or the wrong probability."""
    known = {*PLACING, *LOGS}
    for name, chance in faults.items():
        if name not in known:
            raise ValueError(f"unknown fault {name!r}: one of {', '.join(sorted(known))}")
        if not 0 <= chance <= 1:
            raise ValueError(f"fault {name}: a probability is 0 to 1, not {chance:g}")
    if sum(chance for name, chance in faults.items() if name in PLACING) > 1 + 1e-9:
        raise ValueError("the probabilities of the place-call faults add up to more than 1")


def describe() -> str:
    """A plain list of every fault, for ``--help``."""
    lines = [f"  {name:16} {'placed' if f.places else 'NOT placed':11} {f.seen}" for name, f in PLACING.items()]
    return "\n".join([*lines, *(f"  {name:16} {'log':11} {seen}" for name, seen in LOGS.items())])
