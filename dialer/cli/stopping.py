"""Signals: the first one stops cleanly, the second at once, and no stop takes longer than was promised."""

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from dialer.errors import Interrupted

T = TypeVar("T")

INTERRUPTED = 130
ONE_PRESS_S = 0.5
"""Signals closer together than this are one: `timeout` and some shells send each twice."""
PROMISE_S = 8.0
"""How long a command may take to end, whatever it waits for: a lock, a query, processes of its own."""
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stop:
    """What a foreground command learns of signals. Made inside its event loop."""

    def __init__(self, promise_s: float) -> None:
        self.asked = asyncio.Event()
        self.cuts: asyncio.Task[Any] | None = None
        """The task that the first signal cuts off; None: only ``asked`` says so."""
        self._promise_s, self._loop = promise_s, asyncio.get_running_loop()
        self._first_at = 0.0
        for number in SIGNALS:
            # `nohup` leaves SIGHUP ignored: so it stays.
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._loop.add_signal_handler(number, self._signalled)

    def _signalled(self) -> None:
        now = self._loop.time()
        if self.asked.is_set():
            if now - self._first_at > ONE_PRESS_S:
                os._exit(INTERRUPTED)
            return
        self._first_at = now
        self.asked.set()
        end_within(self._promise_s)
        if self.cuts is not None:
            self.cuts.cancel()


def end_within(seconds: float, code: int = INTERRUPTED) -> None:
    """End this process after that time, whatever its threads are doing. What it started dies with it."""
    timer = threading.Timer(seconds, os._exit, (code,))
    timer.daemon = True
    timer.start()


def run(body: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run to the end, or to a signal. Raises Interrupted."""

    async def heeding() -> T:
        stop = Stop(PROMISE_S)
        stop.cuts = asyncio.current_task()
        try:
            return await body()
        except asyncio.CancelledError:
            if stop.asked.is_set():
                raise Interrupted("interrupted") from None
            raise

    return asyncio.run(heeding())
