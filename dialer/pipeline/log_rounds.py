"""When the log of an account is read: as often as its rows come, and earlier when a webhook says a call is over."""

from dataclasses import dataclass
from typing import Protocol

from dialer.pipeline.read_log import next_look_s
from dialer.pipeline.reconcile_calls import ReconcileCalls

EXTRA_EVERY_S = 2.0
"""However many webhooks come, the log is read for them at most so often."""


class Bell(Protocol):
    """Something that can be rung from any process."""

    async def wait(self, within_s: float) -> bool:
        """Until it is rung, or so long; whether it was rung."""
        ...


@dataclass
class LogRounds:
    """Reads the log of one account. ``bell``: rung where its log should be read soon; None: by nobody."""

    reconciler: ReconcileCalls
    interval_s: float
    bell: Bell | None = None
    read_at: float | None = None
    extra_at: float = float("-inf")
    """When a bell last cut a rest short, monotonic."""

    async def tick(self) -> float:
        """One round; seconds to the next."""
        done, now = await self.reconciler.tick(), self.reconciler.clock.monotonic()
        elapsed_s = 0.0 if self.read_at is None else now - self.read_at
        self.read_at = now
        page_size = done.rows / max(1, done.pages)
        # While lines are short, a call that is over holds up another: read twice as often.
        usual_s = next_look_s(0.9 * self.interval_s, elapsed_s, done.news, page_size)
        again_s = 0.4 * self.interval_s if done.scarce else usual_s
        return max(again_s, self.reconciler.trouble.rest_s(self.interval_s))

    async def rest(self, within_s: float) -> None:
        """So long, or until the bell is rung."""
        clock = self.reconciler.clock
        if self.bell is None or self.reconciler.trouble.failed:
            # A log that cannot be read is not asked more often because of what others say.
            await clock.sleep(within_s)
            return
        quiet_s = min(within_s, max(0.0, self.extra_at + EXTRA_EVERY_S - clock.monotonic()))
        await clock.sleep(quiet_s)
        if await self.bell.wait(within_s - quiet_s):
            self.extra_at = clock.monotonic()
