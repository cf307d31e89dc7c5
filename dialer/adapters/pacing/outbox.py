"""Lines to free, sent in batches and repeated until Redis took them."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from dialer.adapters.pacing.script import PacerScript
from dialer.adapters.queue.cancelling import cancelled
from dialer.errors import QueueUnavailable

BATCH = 1000
RETRY_S = 0.25


@dataclass(slots=True)
class Outbox:
    """What one process has to free on one account. One request is in flight at a time; the rest gathers."""

    script: PacerScript
    _waiting: dict[int, None] = field(default_factory=dict)
    _round: "asyncio.Future[None] | None" = None
    _task: "asyncio.Task[None] | None" = None
    _failing: bool = False

    def put(self, attempt_ids: Iterable[int]) -> None:
        """Free these lines as soon as can be."""
        self._waiting.update(dict.fromkeys(attempt_ids))
        if self._waiting and self._task is None:
            self._task = asyncio.create_task(self._run())

    def keep(self, attempt_id: int) -> None:
        """The attempt wants its line again: forget an order to free it that did not get through."""
        if self._waiting:
            self._waiting.pop(attempt_id, None)

    async def sent(self) -> None:
        """Return once Redis was asked to free all that was put so far; at once while Redis is away."""
        if self._failing or self._task is None:
            return
        if self._round is None:
            self._round = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._round)

    async def _run(self) -> None:
        try:
            while self._waiting:
                await self._send_round()
                if self._failing:
                    await asyncio.sleep(RETRY_S)
        finally:
            self._task = None
            # Nothing is left to send, be it that an order was taken back: nobody may wait for another round.
            _resolve(self._round)
            self._round = None

    async def _send_round(self) -> None:
        ids, self._waiting = list(self._waiting), {}
        asked, self._round = self._round, None
        try:
            await self._send(ids)
            self._failing = False
        except QueueUnavailable:
            self._failing = True
            self._waiting = dict.fromkeys(ids) | self._waiting
        finally:
            _resolve(asked)

    async def _send(self, ids: Sequence[int]) -> None:
        for first in range(0, len(ids), BATCH):
            await self.script("release", *ids[first : first + BATCH])

    async def aclose(self) -> None:
        """Stop repeating."""
        if self._task is not None:
            await cancelled([self._task])


def _resolve(asked: "asyncio.Future[None] | None") -> None:
    if asked is not None and not asked.done():
        asked.set_result(None)
