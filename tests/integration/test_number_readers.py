"""A process that reads numbers and is killed, whatever it is about: who waits for it hears of that."""

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from dialer.adapters.lists.number_readers import NumberReader
from dialer.domain.phone_number import Phone, Unusable
from dialer.errors import ReadingStopped

FEW = [("+14155550100", ""), ("nobody", "")]
MORE_THAN_A_PIPE_HOLDS = [(f"+1415555{n % 10_000:04d}", "") for n in range(20_000)]


@pytest.fixture
def reader() -> Iterator[NumberReader]:
    made = NumberReader()
    yield made
    made.process.kill()
    made.process.join()


def test_it_reads(reader: NumberReader) -> None:
    number, nobody = reader.read(FEW, frozenset())
    assert isinstance(number, Phone)
    assert number.e164 == "+14155550100"
    assert isinstance(nobody, Unusable)
    assert len(reader.read(MORE_THAN_A_PIPE_HOLDS, frozenset())) == 20_000


@pytest.mark.parametrize("cells", [FEW, MORE_THAN_A_PIPE_HOLDS], ids=["waiting for the answer", "still asking"])
def test_one_that_is_killed_is_not_waited_for(reader: NumberReader, cells: list[tuple[str, str]]) -> None:
    reader.read(FEW, frozenset())
    pid = reader.process.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    kill = threading.Timer(0.05, os.kill, (pid, signal.SIGKILL))
    kill.start()
    with pytest.raises(ReadingStopped):
        reader.read(cells, frozenset())
    kill.join()
