"""How many of something happened in the last second, and the most there ever were."""

from collections import deque


class RollingSecond:
    """A sliding log over the second ``(now - 1, now]``."""

    def __init__(self) -> None:
        self._times: deque[float] = deque()
        self.most = 0

    def count(self, now: float) -> int:
        """How many happened in the second that ends at ``now``."""
        while self._times and self._times[0] <= now - 1.0:
            self._times.popleft()
        return len(self._times)

    def add(self, now: float) -> None:
        """Note one at ``now``."""
        self._times.append(now)
        self.most = max(self.most, self.count(now))
