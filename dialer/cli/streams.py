"""The three standard streams as they may be found: closed, full, gone, or of an encoding that cannot say a name."""

import errno
import io
import os
import sys
from contextlib import suppress


def make_usable() -> None:
    """Before anything else: no file of ours must be taken for a stream that was closed, and nothing is unsayable.

    What goes to a file or a pipe is UTF-8. A terminal keeps its encoding; what that lacks is spelled out.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            with suppress(OSError, ValueError):
                if not stream.isatty():
                    stream.reconfigure(encoding="utf-8")
                stream.reconfigure(errors="backslashreplace")


def finish_output() -> OSError | None:
    """Flush stdout; the error when what was printed did not get there. A reader that has gone away is one as well."""
    try:
        sys.stdout.flush()
    except OSError as broken:
        broken.filename = broken.filename or "standard output"
        _forget(sys.stdout)
        return broken
    except ValueError:  # closed by somebody else
        return None
    return None


def is_gone(error: OSError) -> bool:
    """Whether whoever read our output went away: nothing to complain of."""
    return error.errno == errno.EPIPE


def _forget(stream: object) -> None:
    """What is left in the buffer must not fail again at exit."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1 if stream is sys.stdout else 2)
        os.close(nowhere)
