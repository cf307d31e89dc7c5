"""The three standard streams as they may be found: closed, full, gone, or of an encoding that cannot say a name."""

import errno
import io
import os
import sys
from contextlib import suppress
from typing import Any, TextIO


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
    sys.stdout = _stream(sys.stdout, 1, "standard output")
    sys.stderr = _stream(sys.stderr, 2, "standard error")


class _Named(io.FileIO):
    """A stream that says which one it is when it cannot be written."""

    def __init__(self, number: int, name: str) -> None:
        super().__init__(number, "w", closefd=False)
        self._shown = name

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError as broken:
            broken.filename = self._shown
            raise


def _stream(before: TextIO, number: int, name: str) -> TextIO:
    terminal = before.isatty()
    encoding = before.encoding if terminal else "utf-8"
    buffered = io.BufferedWriter(_Named(number, name))
    return io.TextIOWrapper(buffered, encoding, "backslashreplace", line_buffering=terminal or number == 2)


def finish_output() -> OSError | None:
    """Flush stdout; the error when what was printed did not get there. A reader that has gone away is one as well."""
    try:
        sys.stdout.flush()
    except OSError as broken:
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
