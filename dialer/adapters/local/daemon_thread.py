"""A thread that nothing waits for: neither the event loop's end nor that of the process.

For what may never answer, such as a database. The loop's own threads are joined when a command ends, and are few: some
that hang would keep everybody else's name look-ups and files waiting.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")
Work = tuple[Future[Any], Callable[[], Any]]


class DaemonThread(Executor):
    """Runs what it is given, one after the other, in one thread of its own."""

    def __init__(self, name: str) -> None:
        self._work: SimpleQueue[Work | None] = SimpleQueue()
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Queue a call."""
        future: Future[T] = Future()
        self._work.put((future, lambda: fn(*args, **kwargs)))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Let the thread end once it has done what it was given. Never waits."""
        del wait, cancel_futures
        self._work.put(None)

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            future, call = work
            if not future.set_running_or_notify_cancel():
                continue
            try:
                answer = call()
            except BaseException as error:  # noqa: BLE001 - the waiting task gets it, whatever it is
                future.set_exception(error)
            else:
                future.set_result(answer)


async def in_daemon_thread(call: Callable[[], T]) -> T:
    """Run a call in a thread of its own; it goes on if the caller stops waiting."""
    thread = DaemonThread("dialer-alone")
    try:
        return await asyncio.get_running_loop().run_in_executor(thread, call)
    finally:
        thread.shutdown()


async def settled(future: "Future[Any]", within_s: float) -> None:
    """Wait for what a thread does, but not forever."""
    with suppress(Exception):
        await asyncio.wait({asyncio.wrap_future(future)}, timeout=within_s)
