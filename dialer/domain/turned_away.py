"""Why the gate turned an attempt away, as one of a few words."""

from dialer.domain.gate import ENDED, PASSED, REACHED_ELSEWHERE
from dialer.domain.waiting import kind_of

STALE = ("attempt is ", "no such attempt")
BEGINNINGS = (
    ("suppressed: ", "suppressed"),
    ("campaign ", "paused"),
    ("its worker stood still", "late_worker"),
    ("called at this hour", "other_hour"),
    (REACHED_ELSEWHERE, "reached"),
    (PASSED, "too_late"),
    (ENDED, "too_late"),
)
KINDS = {"window": "window", "people": "cap", "number busy": "number_busy", "trial": "trial"}
WORDS = (*dict.fromkeys(word for _, word in BEGINNINGS), *KINDS.values(), "not_due", "cap_spent")
"""Everything that ``word_of`` answers."""


def word_of(why: str, *, for_good: bool) -> str:
    """One of WORDS; "" where the hand-over was void and nothing was judged. ``for_good``: the attempt ended by it."""
    if why.startswith(STALE):
        return ""
    for beginning, word in BEGINNINGS:
        if why.startswith(beginning):
            return word
    if for_good:
        return "cap_spent"
    return KINDS.get(kind_of(why), "not_due")
