"""People who are not called yet."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Waiting:
    """``people`` of a campaign wait for one reason, the first of them until ``due_at`` (unix seconds)."""

    reason: str
    people: int
    due_at: float
