"""The simulator as a process of its own, for the first run and for rehearsals."""

import os
import select
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from dialer.adapters.local.child_process import die_with_parent
from dialer.errors import QueueUnavailable

START_WITHIN_S = 15


@contextmanager
def local_simulator(options: Sequence[str] = ()) -> Iterator[str]:
    """Yields the address of a simulator that lives for the block. Raises QueueUnavailable."""
    process = subprocess.Popen(  # noqa: S603 - this interpreter, our own module: not one of the working directory (-P)
        [sys.executable, "-P", "-m", "dialer.simulator", "--port", "0", *options],
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=partial(die_with_parent, os.getpid()),  # noqa: PLW1509 - only system calls
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    try:
        yield _address(process)
    finally:
        process.terminate()
        try:
            process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def _address(process: "subprocess.Popen[bytes]") -> str:
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], START_WITHIN_S)
    line = process.stdout.readline().decode() if ready else ""
    if "http://" not in line:
        raise QueueUnavailable("the simulator did not start")
    return "http://" + line.split("http://")[1].split()[0]
