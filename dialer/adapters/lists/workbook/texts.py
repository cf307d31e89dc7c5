"""The texts of a workbook: runs put together, and the table that cells share."""

import re
from array import array

from dialer.adapters.lists.workbook.parts import LONGEST_CELL, Elements, End, Parts, Start

MOST_TEXTS = 5_000_000
MOST_TEXT_BYTES = 64 * 1024**2
"""What the texts that cells share may hold together."""

_PRESERVE = "http://www.w3.org/XML/1998/namespace space"
_ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")


class Runs:
    """The text of one string item, put together from its runs.

    Blanks around a run count only where the file says so; how it is spoken (``rPh``) is left away.
    """

    def __init__(self) -> None:
        self._collecting = False
        self._pieces: list[str] = []
        self._runs: list[str] = []
        self._trimmed, self._spoken = True, False
        self.starts: dict[str, Start] = {"t": self._begin, "rPh": self._begin_spoken}
        self.ends: dict[str, End] = {"t": self._end, "rPh": self._end_spoken}
        self._length = 0

    def text(self, piece: str) -> None:
        """The next piece of a text. Raises ValueError for one that is longer than a cell may be."""
        if not self._collecting:
            return
        self._length += len(piece)
        if self._length > LONGEST_CELL:
            raise ValueError(f"a cell holds more than {LONGEST_CELL:,} characters")
        self._pieces.append(piece)

    def clear(self, _: object = None) -> None:
        """Forget what was read so far."""
        self._length = 0
        self._pieces.clear()
        self._runs.clear()

    def begin_bare(self, _: object = None) -> None:
        """A text outside of runs begins."""
        self.clear()
        self._collecting = True

    def item(self) -> str:
        """The text of the runs."""
        return unescaped("".join(self._runs))

    def bare(self) -> str:
        """The text outside of runs, now at its end."""
        self._collecting = False
        return "".join(self._pieces)

    def _begin(self, attributes: dict[str, str]) -> None:
        self._pieces.clear()
        self._collecting = True
        self._trimmed = attributes.get(_PRESERVE) != "preserve"

    def _end(self) -> None:
        self._collecting = False
        if not self._spoken:
            run = "".join(self._pieces)
            self._runs.append(run.strip() if self._trimmed else run)

    def _begin_spoken(self, _: dict[str, str]) -> None:
        self._spoken = True

    def _end_spoken(self) -> None:
        self._spoken = False


class SharedTexts:
    """Texts by their number, kept as UTF-8 in one piece: a Python string takes about five times the memory."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._ends = array("Q", [0])

    def add(self, text: str) -> None:
        """The text with the next number, from 0."""
        self._bytes += text.encode()
        if len(self._bytes) > MOST_TEXT_BYTES or len(self._ends) > MOST_TEXTS:
            raise ValueError("its cells share more text than any list holds")
        self._ends.append(len(self._bytes))

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, number: int) -> str:
        return self._bytes[self._ends[number] : self._ends[number + 1]].decode()


def read_shared_texts(parts: Parts, part: str) -> SharedTexts:
    """The table in ``part``."""
    texts, runs = SharedTexts(), Runs()
    starts = runs.starts | {"si": runs.clear}
    parts.read(part, Elements(starts, runs.ends | {"si": lambda: texts.add(runs.item())}, runs.text))
    return texts


def unescaped(text: str) -> str:
    """``_x000D_`` as the character it stands for (ECMA-376 part 1, 22.9.2.19). Half a surrogate pair is U+FFFD."""
    if "_x" not in text:
        return text
    plain = _ESCAPE.sub(_character, text)
    return plain.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _character(escape: re.Match[str]) -> str:
    # No database keeps a NUL: it stays as it is written.
    return chr(int(escape[1], 16)) if int(escape[1], 16) else escape[0]
