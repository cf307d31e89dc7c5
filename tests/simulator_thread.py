"""A simulator in a thread of this process: for synchronous tests that run commands in-process too."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Queue
from typing import Any

from dialer.simulator.clock import Clock
from dialer.simulator.options import Options
from dialer.simulator.server import run_simulator

AT_ONCE: dict[str, Any] = {
    **{f"{name}_s": (0.0, 0.0) for name in ("start_delay", "dial", "ring", "talk")},
    "log_delay_s": 0.0,
    "outcomes": {"answered": 1.0},
}
"""Calls that are over, and in the log, as soon as they are accepted."""


@contextmanager
def simulator_thread(clock: Clock | None = None, **options: Any) -> Iterator[str]:
    """Yields its address; the real clock unless one is given."""
    address: Queue[str] = Queue()
    over: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def serve() -> None:
        stop = asyncio.Event()
        over.append((asyncio.get_running_loop(), stop))
        async with run_simulator(Options(**{**AT_ONCE, **options}), clock) as simulator:
            address.put(simulator.url)
            await stop.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        yield address.get(timeout=30)
    finally:
        loop, stop = over[0]
        loop.call_soon_threadsafe(stop.set)
        thread.join()
