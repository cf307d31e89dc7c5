"""What the processes we start have in common."""

import ctypes
import os
import platform
import signal

PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int | None = None) -> None:
    """For ``preexec_fn``: the kernel sends SIGTERM to the child when the thread that started it is gone, killed or not.

    ``parent``: its process id, for a parent that is gone before the child could ask for that.
    """
    if platform.system() == "Linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if parent is not None and os.getppid() != parent:
        os._exit(1)


def work_for_parent(parent: int) -> None:
    """For the ``initializer`` of a pool: Ctrl-C is the parent's affair, and its end is ours."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent(parent)
