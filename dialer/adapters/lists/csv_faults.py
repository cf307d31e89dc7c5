"""What is wrong with a CSV file that cannot be read, and where."""

import codecs
import re
from collections.abc import Iterable
from pathlib import Path

from dialer.errors import InputFileError

ENCODING_REMEDY = "If Excel on Windows wrote it, add --encoding cp1252; else save it as UTF-8"

_NEWLINE = re.compile(r"\r\n|\r|\n")
_HEAD_BYTES = 64 * 1024


def broken_row(path: Path, lines: Iterable[str], delimiter: str, began: int, error: str) -> InputFileError:
    """What is wrong with the record that begins on line ``began``; ``lines`` are those of the whole file."""
    opened, met = _quote_fault(lines, delimiter, began)
    place = f"{path}:{opened}"
    if not opened:
        return InputFileError(f"{path}:{began}", f"this row cannot be read ({error})", "Export the list again")
    if met == opened:
        problem, remedy = "a quote inside a quoted cell", 'Write it twice ("") or take it out'
        return InputFileError(place, problem, remedy)
    until = f"the next quote, on line {met}, does not end a cell" if met else "it runs to the end of the file"
    return InputFileError(place, f"the quote opened on line {opened} is not closed: {until}", "Close or remove it")


def _quote_fault(lines: Iterable[str], delimiter: str, began: int) -> tuple[int, int]:
    """Where the quote at fault in the record that begins on line ``began`` opened, and where it failed.

    (0, 0) when no quote is at fault; (line, 0) when it is never closed.
    """
    opening = re.compile(rf'(?:^|{re.escape(delimiter)}) *"')
    opened = 0
    for number, line in enumerate(lines, 1):
        at = 0
        while number >= began:
            if not opened:
                match = opening.search(line, at)
                opened, at = (number, match.end()) if match else (0, at)
            at = line.find('"', at) + 1 if opened else 0
            if not at:
                break
            follows = line[at : at + 1]
            if follows == '"':
                at += 1
            elif follows in ("", delimiter, "\r", "\n"):
                opened = 0
            else:
                return opened, number
    return opened, 0


def undecodable(path: Path, codec: str, error: UnicodeError) -> InputFileError:
    """Which line is not written in ``codec``."""
    name = "UTF-8" if codec.startswith("utf-8") else codec
    line = _first_bad_line(path, codec)
    remedy = ENCODING_REMEDY if name == "UTF-8" else "Name the encoding it was saved in, or save it as UTF-8"
    bad = error.object[error.start] if isinstance(error, UnicodeDecodeError) else None
    byte = f" (byte 0x{bad:02X})" if bad is not None and bad >= 0x80 else ""
    return InputFileError(f"{path}:{line}", f"this line is not {name}{byte}", remedy)


def _first_bad_line(path: Path, codec: str) -> int:
    decoder = codecs.getincrementaldecoder(codec)()
    lines, last = 1, ""
    with path.open("rb") as file:
        while chunk := file.read(_HEAD_BYTES):
            state = decoder.getstate()
            try:
                text = decoder.decode(chunk)
            except UnicodeError:
                decoder.setstate(state)
                return lines + _breaks(last, _decodable(decoder, chunk))
            lines, last = lines + _breaks(last, text), text[-1:]
    return lines


def _decodable(decoder: codecs.IncrementalDecoder, chunk: bytes) -> str:
    """The part of ``chunk`` before the bytes that cannot be decoded."""
    text = ""
    try:
        for at in range(len(chunk)):
            text += decoder.decode(chunk[at : at + 1])
    except UnicodeError:
        pass
    return text


def _breaks(last: str, text: str) -> int:
    """Line breaks in ``text``, which follows the character ``last``."""
    return len(_NEWLINE.findall(text)) - (last == "\r" and text.startswith("\n"))
