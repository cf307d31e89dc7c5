"""Tests that read the wall clock are judged where the machine kept time.

A machine that stands still for a moment moves a call from one second into the next, in the provider's books as much as
at the dialer. A failure beside such a moment says nothing: the test is tried again, twice at most, and the summary
says so. A failure on a machine that kept time counts at once.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import pytest

LATE_S = 0.02
"""Half of the time between two calls at 25 a second."""
LOOK_S = 0.005

_late_s = [0.0]


@contextmanager
def timekeeping() -> Iterator[None]:
    """Wait beside the block, and note by how much the machine woke a mere waiter too late."""
    over = Event()
    _late_s[:] = [0.0]

    def wait() -> None:
        ended = False
        while not ended:
            due = time.monotonic() + LOOK_S
            ended = over.wait(LOOK_S)
            _late_s.append(time.monotonic() - due)

    waiter = Thread(target=wait, daemon=True)
    waiter.start()
    try:
        yield
    finally:
        over.set()
        waiter.join()


def stood_still() -> bool:
    """Whether the machine stood still beside the last block."""
    return max(_late_s) > LATE_S


WALL_CLOCK = [pytest.mark.usefixtures("timekept"), pytest.mark.flaky(reruns=2, condition=stood_still)]
