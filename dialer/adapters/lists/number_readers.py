"""Processes that read the phone numbers of a long list.

Each has a pipe of its own: when it is killed, its end of the pipe goes with it, and its reader hears of that at once.
The processes of a ``ProcessPoolExecutor`` share two queues; what a killed one leaves half written there is waited for
without end.
"""

import multiprocessing
import os
import threading
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from multiprocessing.connection import Connection

from dialer.adapters.local.child_process import work_for_parent
from dialer.domain.phone_number import Phone, Unusable, parse_phones
from dialer.errors import ReadingStopped

Cells = Sequence[tuple[str, str]]
"""Texts, each with the country it is read for."""


class NumberReader:
    """One process, ended when this is gone, or its thread."""

    def __init__(self) -> None:
        # Spawned, not forked: the ledger and the event loop have threads, and a fork would copy their locks.
        spawned = multiprocessing.get_context("spawn")
        self._pipe, theirs = spawned.Pipe()
        self.process = spawned.Process(target=_read, args=(theirs, os.getpid()), daemon=True)
        self.process.start()
        theirs.close()

    def read(self, cells: Cells, countries: frozenset[str]) -> list[Phone | Unusable]:
        """The number in each cell. Raises ReadingStopped when the process is gone."""
        try:
            self._pipe.send((cells, countries))
            numbers: list[Phone | Unusable] = self._pipe.recv()
        except (EOFError, OSError):
            raise ReadingStopped from None
        return numbers


def number_readers(count: int) -> Executor:
    """So many processes, each behind a thread of its own, for ``read_numbers``."""
    return ThreadPoolExecutor(count, "phone-numbers", initializer=_begin)


def read_numbers(cells: Cells, countries: frozenset[str]) -> list[Phone | Unusable]:
    """By the process of this thread. Raises ReadingStopped."""
    reader: NumberReader = _of_thread.reader
    return reader.read(cells, countries)


_of_thread = threading.local()


def _begin() -> None:
    _of_thread.reader = NumberReader()


def _read(pipe: "Connection[object, tuple[Cells, frozenset[str]]]", parent: int) -> None:
    work_for_parent(parent)
    while True:
        try:
            cells, countries = pipe.recv()
        except EOFError:
            return
        pipe.send(parse_phones(cells, countries))
