"""How often each thing goes wrong, and how often at least it must have, for a run to count.

The shares and the floors are those of a plan for some 12,500 requests, which is what 10,000 people come to; a floor is
written here for 1,000 people.
"""

import math
from collections.abc import Mapping

REQUESTS_PER_CONTACT = 1.25
MANY_PAGES_FROM = 5000

THROTTLING = {"429": 0.5, "429-retry-after": 0.2, "429-retry-date": 0.13, "429-retry-nonsense": 0.17}
"""Each kind of a 429 -> its part of them."""
FIRST_ACT = 0.6
"""The part of the people who are called while the provider hardly ever throttles.

Each 429 stops an account for a second: many of them, and nothing else limits the pace any more. So a run has two acts,
the first with the campaign's rate as the limit, the second with a rate ten times higher and a 429 for one request in
eleven.
"""
THROTTLED = {"first act": 0.003, "second act": 0.092}
PLACING = {
    "500": 0.016, "500-placed": 0.014, "dropped": 0.019, "unread": 0.011, "stalled": 0.011,
    "502": 0.004, "503": 0.003, "503-retry-after": 0.002, "504-placed": 0.004,
    "garbage": 0.002, "half-body": 0.002, "drip": 0.002, "huge": 0.002, "wrong-type": 0.002,
    "refused-number": 0.003, "refused-oddly": 0.003, "refused-with-id": 0.003, "late": 0.002,
    "307": 0.001, "403": 0.001, "408": 0.001, "409": 0.001, "422": 0.001,
}  # fmt: skip
"""Fault of a request -> how likely it is."""
# Every page with strangers makes the next readings longer: at a tenth of the pages they would read nothing else.
PAGES = {"log-500": 0.02, "log-repeat": 0.05, "log-shift": 0.025, "log-shuffle": 0.05}
ROWS = {"log-late": 0.05, "log-later": 0.005, "log-never": 0.0025, "log-early": 0.02}
PROVIDER_FAULTS = PLACING | PAGES | ROWS

RETRY_AFTER = ("429-retry-after", "429-retry-date", "429-retry-nonsense")
FLOORS_BY_FAULT: Mapping[str, tuple[tuple[str, ...], float]] = {
    "429": (("429", *RETRY_AFTER), 40),
    "of them with Retry-After: seconds, date, nonsense": (RETRY_AFTER, 16),
    "500": (("500", "500-placed"), 25),
    "of them with the call placed": (("500-placed",), 10),
    "placed, connection dropped": (("dropped",), 15),
    "reset before it was read": (("unread",), 7.5),
    "placed, no answer in time": (("stalled",), 7.5),
    "502, 503, 504": (("502", "503", "503-retry-after", "504-placed"), 10),
    "200: not JSON, cut off, a drip, 5 MB, a list": (("garbage", "half-body", "drip", "huge", "wrong-type"), 6),
    "success false: bad number, undocumented, with an id": (("refused-number", "refused-oddly", "refused-with-id"), 6),
    "request arrives 3 to 12 s late": (("late",), 1),
    "307, 403, 408, 409, 422": (("307", "403", "408", "409", "422"), 3),
    "log row after 1.5 s": (("log-late",), 1),
    "log row after 36 s": (("log-later",), 1),
    "log row that never comes": (("log-never",), 1),
    "log row from the start, edited until the end": (("log-early",), 1),
    "log page unreadable": (("log-500",), 1),
    "log page that repeats a row": (("log-repeat",), 1),
    "log page out of order": (("log-shuffle",), 1),
    "log page shifted by 1 to 50 rows of strangers": (("log-shift",), 10),
}  # fmt: skip
"""What is counted -> the provider's faults it consists of, and its floor."""
REFUSING = frozenset({"refused-number", "403", "422"})
"""Faults after which an attempt is over, and nothing rang."""
PER_THOUSAND = {
    "worker killed (SIGKILL)": 20, "worker told to stop (SIGTERM)": 1, "worker frozen (SIGSTOP) for 5 to 20 s": 1.5,
    "Redis flushed": 2, "Redis restarted empty, away or frozen": 0.8, "job rung again": 15,
    "provider refuses connections for 1 to 2.5 s": 2,
    "number suppressed": 30, "of them due within 5 s": 10, "paused and resumed": 3, "of them with calls on the wire": 2,
    "rate or lines changed": 3,
}  # fmt: skip
PER_THOUSAND_POSTGRESQL = {"PostgreSQL connection cut": 20, "PostgreSQL restarted": 0.3}
ON_THE_WIRE_PER_THOUSAND = 4.0
IN_OUTAGES_PER_THOUSAND = 4.0


def faults_in(act: str) -> dict[str, float]:
    """What the provider does in an act: fault -> how likely it is."""
    return PROVIDER_FAULTS | {name: THROTTLED[act] * part for name, part in THROTTLING.items()}


def floor_of(per_thousand: float, contacts: int) -> int:
    """How often at least something that is done to a run must have happened."""
    return max(1, int(per_thousand * contacts / 1000))


def floor_by_chance(names: tuple[str, ...], per_thousand: float, contacts: int, pages: int) -> int:
    """The same for what the provider draws: in a small run no more than chance keeps below once in a hundred times."""
    if names[0] in PAGES:
        # A page is repeated or shifted only after the first one: of a small run's readings most have but one.
        share = 0.9 if contacts >= MANY_PAGES_FROM else 0.1
        expected = share * pages * sum(PAGES[name] for name in names)
    elif names[0] in THROTTLING:
        of_all = THROTTLED["first act"] * FIRST_ACT + THROTTLED["second act"] * (1 - FIRST_ACT)
        expected = contacts * REQUESTS_PER_CONTACT * of_all * sum(THROTTLING[name] for name in names)
    else:
        expected = contacts * REQUESTS_PER_CONTACT * sum(PROVIDER_FAULTS[name] for name in names)
    return max(0, min(int(per_thousand * contacts / 1000), int(expected - 2.5 * math.sqrt(expected))))
