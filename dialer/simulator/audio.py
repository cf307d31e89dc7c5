"""A recording as real audio, made in code: WAV, 8,000 samples of 8 bits a second, one channel, two voices' tones.

Any part of it can be made without the rest, so that a recording of any size costs no memory.
"""

import struct
from collections.abc import Iterator
from functools import cache
from math import pi, sin

RATE = 8_000
HEADER = 44
CHUNK = 65_536
MOST_BYTES = 2**31 - 1
AGENT_HZ, PERSON_HZ = 440, 330


def size(seconds: float) -> int:
    """Bytes of a recording of that length; at least a tenth of a second."""
    return HEADER + int(max(seconds, 0.1) * RATE)


def part(total: int, first: int, last: int) -> Iterator[bytes]:
    """The bytes ``first`` to ``last``, both included, of a recording of ``total`` bytes."""
    if first < HEADER:
        yield _header(total)[first : last + 1]
    at, end = max(first - HEADER, 0), last + 1 - HEADER
    while at < end:
        start = at % len(_conversation())
        piece = _conversation()[start : start + min(CHUNK, end - at)]
        yield piece
        at += len(piece)


def _header(total: int) -> bytes:
    data = total - HEADER
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, RATE, 1, 8)
    return struct.pack("<4sI4s", b"RIFF", total - 8, b"WAVE") + form + struct.pack("<4sI", b"data", data)


@cache
def _conversation() -> bytes:
    """Two seconds of conversation, over and over: as many as make a chunk."""
    return (_tone(AGENT_HZ) + _tone(PERSON_HZ)) * 8


def _tone(hertz: int) -> bytes:
    return bytes(round(128 + 60 * sin(2 * pi * hertz * sample / RATE)) for sample in range(RATE))
