"""How often one person may be called, over all campaigns."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PersonLimits:
    """Most attempts on one person in any rolling day, 7 days and 30 days, and ever; 0: no limit.

    ``silence_s``: seconds without a call after a conversation. The person is the key of the list where it has
    one, else the number.
    """

    per_day: int = 2
    per_7_days: int = 3
    per_30_days: int = 6
    lifetime: int = 10
    silence_s: float = 0.0


UNLIMITED = PersonLimits(0, 0, 0, 0)
