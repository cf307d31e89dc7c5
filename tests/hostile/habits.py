"""What the vendors' pages leave open, and a choice for each: one server has one set of habits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PLACES = {
    "429": False,
    "500": False,
    "500 after placing": True,
    "502 or 504 after placing": True,
    "reset unread": False,
    "dropped after placing": True,
    "late answer": True,
    "half an answer": True,
    "not JSON": True,
    "says nothing of use": True,
}
"""The ten kinds of fault of a request for a call, and whether the call is placed all the same."""


@dataclass(frozen=True)
class Habits:
    """Choices of one provider. Times are seconds, chances between 0 and 1."""

    dialect: str
    name: str = "as documented"
    key: str = ""
    fault_share: float = 0.25
    answer: str = "documented"
    """How an accepted call is told: ``documented``, ``flat``, ``text`` or ``minimal``."""
    id_in_answer: bool = True
    id_changes: bool = False
    """The log names a call otherwise than the answer did."""
    echoes: bool = True
    """The row shows what came with the request, our token in it."""
    envelope: str = "documented"
    """``documented``, ``bare``, ``items``, ``data``."""
    total: str = "true"
    """What is said of the number of rows: ``true``, ``low``, ``high`` or ``none``."""
    largest_page: int = 200
    newest_first: bool = True
    rows_from: str = "end"
    """When a row appears: at the ``start`` of its call, still open, or at its ``end``."""
    times: str = "naive"
    """``naive`` (UTC), ``z``, ``india``, ``epoch`` or ``epoch ms``."""
    numbers: str = "e164"
    """``e164``, ``digits``, ``spaced``, ``zeros`` or ``national``."""
    words: str = "plain"
    """``plain``, ``ancestor`` (one word for every call), ``odd`` or ``none``."""
    logs_unanswered: bool = True
    row_ids: str = "documented"
    """Under which name a row carries its id."""
    page_faults: float = 0.15
    slow_page_s: float = 0.4
    repeats: float = 0.15
    """Chance that a page after the first begins with the last row of the page before."""
    shuffles: float = 0.2
    """Chance that the rows of a page are not in order."""
    lies_empty: float = 0.0
    """Chance that a page is empty although there are rows."""
    late: float = 0.05
    """Chance that a row comes ``late_s`` later than the others."""
    late_s: float = 3.0
    strangers: float = 0.05
    """Calls that nobody of ours asked for, to numbers of their own, for each call of ours."""
    stall_s: float = 3.0
    places: Mapping[str, bool] = field(default_factory=lambda: PLACES)


QUICK = {kind: places for kind, places in PLACES.items() if kind != "429"}
"""Without the answer that slows everybody down, for tests that are about something else."""

ODD: dict[str, dict[str, Any]] = {
    "echoes nothing": {"echoes": False},
    "names its calls in the log only": {"echoes": False, "id_in_answer": False, "answer": "minimal"},
    "names its calls otherwise in the log": {"echoes": False, "id_changes": True},
    "a bare list in Indian time": {
        "answer": "flat", "times": "india", "envelope": "bare", "echoes": False, "numbers": "digits",
    },
    "pages of one row": {"largest_page": 1, "total": "none", "page_faults": 0.02},
    "counts half of its rows": {"largest_page": 7, "total": "low", "envelope": "items", "page_faults": 0.05},
    "counts more rows than it has": {"largest_page": 20, "total": "high", "times": "z", "envelope": "logs"},
    "numbers without their country": {"numbers": "national", "echoes": False},
    "the oldest first, numbers with spaces": {"numbers": "spaced", "newest_first": False, "echoes": False},
    "rows from the start of a call": {"rows_from": "start", "times": "epoch ms", "numbers": "zeros"},
    "other words, the id in a sentence": {"words": "odd", "answer": "text"},
    "no row for who did not pick up": {
        "words": "ancestor", "times": "epoch", "logs_unanswered": False, "echoes": False,
    },
    "no words at all": {"words": "none"},
    "empty pages that should not be": {"lies_empty": 0.3, "echoes": False},
    "a bare list in small pages": {"envelope": "bare", "largest_page": 9, "echoes": False},
}  # fmt: skip
"""What a provider may be like besides what its pages show."""
