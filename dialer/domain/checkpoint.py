"""Named points on the way of a call, where a test may end the process."""

from collections.abc import Callable

Passing = Callable[[str], None]
"""Told the name of each point as it is passed."""


def unwatched(point: str) -> None:
    """In production nobody watches."""
