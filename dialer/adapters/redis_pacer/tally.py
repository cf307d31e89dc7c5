"""How many calls leave this process."""


class Tally:
    """Calls in the last whole second, counted cheaply."""

    def __init__(self) -> None:
        self._second, self._calls, self._before = 0, 0, 0

    def add(self, now: float) -> None:
        """Count one at this moment."""
        if int(now) != self._second:
            self._before = self._calls if int(now) == self._second + 1 else 0
            self._second, self._calls = int(now), 0
        self._calls += 1

    def per_second(self, now: float) -> int:
        """The larger of this second's and the last one's count, at least 1."""
        recent = int(now) <= self._second + 1
        return max(1, self._calls, self._before) if recent else 1
