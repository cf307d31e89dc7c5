"""Tests that read the wall clock are judged where the machine kept time.

A machine that stands still for a moment moves a call from one second into the next, in the provider's books as much as
at the dialer; one with more to do than it can leaves slots unused. A failure beside such a moment says nothing: the
test is tried again, twice at most, and the summary says so. A failure on a machine that kept time counts at once.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

import pytest

LATE_S = 0.02
"""Half of the time between two calls at 25 a second."""
PRESSED = 0.15
"""The part of the time for which something waited for a CPU; 0.04 where a pace test has the machine to itself."""
LOOK_S = 0.005
PRESSURE = Path("/proc/pressure/cpu")


@dataclass
class Kept:
    """How well the machine kept time beside a block: by how much it woke a mere waiter too late, and its pressure."""

    late_s: float = 0.0
    pressed: float = 0.0


last = Kept()


@contextmanager
def timekeeping() -> Iterator[None]:
    """Note how well the machine keeps time beside the block."""
    over = Event()
    last.late_s, began, before_s = 0.0, time.monotonic(), waited_s()

    def wait() -> None:
        ended = False
        while not ended:
            due = time.monotonic() + LOOK_S
            ended = over.wait(LOOK_S)
            last.late_s = max(last.late_s, time.monotonic() - due)

    waiter = Thread(target=wait, daemon=True)
    waiter.start()
    try:
        yield
    finally:
        over.set()
        waiter.join()
        last.pressed = (waited_s() - before_s) / (time.monotonic() - began)


def waited_s() -> float:
    """For how long something has waited for a CPU since the machine began; 0 where the kernel does not tell."""
    try:
        return float(PRESSURE.read_text().splitlines()[0].rpartition("total=")[2]) / 1e6
    except OSError:
        return 0.0


def stood_still() -> bool:
    """Whether the machine stood still beside the last block, or had too much to do."""
    return last.late_s > LATE_S or last.pressed > PRESSED


WALL_CLOCK = [pytest.mark.usefixtures("timekept"), pytest.mark.flaky(reruns=2, condition=stood_still)]
