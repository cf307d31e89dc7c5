"""How many calls this process sends in a second."""

LEAST_S = 0.1


class Tally:
    """Calls in the last whole second, counted cheaply; before a second is over, what they come to in one."""

    def __init__(self) -> None:
        self._began = 0.0
        self._second, self._calls, self._before = 0, 0, 0

    def add(self, now: float) -> None:
        """Count one at this moment."""
        if int(now) != self._second:
            follows = int(now) == self._second + 1
            self._began = self._began if follows else now
            self._before = self._calls if follows else 0
            self._second, self._calls = int(now), 0
        self._calls += 1

    def per_second(self, now: float) -> int:
        """The larger of this second's and the last one's count, at least 1."""
        if int(now) > self._second + 1:
            return 1
        since = now - self._began
        begun = round((self._calls + self._before) / max(LEAST_S, since)) if since < 1 else 0
        return max(1, self._calls, self._before, begun)
