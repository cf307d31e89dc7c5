"""How a worker is, as it last saw itself."""

from dataclasses import dataclass


@dataclass(slots=True)
class Pulse:
    """Whether the feeder gets through its ticks: when it last did (monotonic seconds), and why it did not since.

    ``looked_at``: when somebody last looked how the process is, by the same clock; ``ailing``: the part not well.
    """

    fed_at: float | None = None
    why: str = ""
    looked_at: float | None = None
    ailing: str = ""

    def unwell(self, now: float, within_s: float) -> tuple[str, ...]:
        """The parts that are not well; that nobody looked within so many seconds is one."""
        if self.looked_at is None:
            return ("starting",)
        if now - self.looked_at > within_s:
            return ("not_looked",)
        return (self.ailing,) if self.ailing else ()
