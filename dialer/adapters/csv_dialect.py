"""The outer shape of a CSV file: character set, delimiter, quotes. Checked over the whole file before use.

The format is RFC 4180 as people have it: any of four delimiters, an Excel ``sep=`` line, LF, CRLF or CR.
A character set is never guessed: a byte-order mark, strict UTF-8, or what the user names.
"""

import codecs
import csv
import hashlib
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from encodings.aliases import aliases
from pathlib import Path

from dialer.errors import InputFileError

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
ENCODING_REMEDY = "If Excel on Windows wrote it, add --encoding cp1252; else save it as UTF-8"

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MAGIC = (
    (b"PK\x03\x04", "a zip file or an Excel workbook, not CSV"),
    (b"PK\x05\x06", "a zip file, not CSV"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook, not CSV"),
    (b"\x1f\x8b", "a gzip file, not CSV"),
    (b"%PDF", "a PDF, not CSV"),
    (b"SQLite format 3", "an SQLite database, not CSV"),
)
_SEP_LINE = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE | re.DOTALL)
_PHONE_LIKE = re.compile(r"\d(?:[ ()-]?\d){7,}")
_NEWLINE = re.compile(r"\r\n|\r|\n")
_HEAD_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class CsvShape:
    """A file that passed the check.

    ``preamble`` counts the lines before the table (a ``sep=`` line); ``header`` is as written, on line
    ``header_line``; ``rows`` counts rows with any content; ``stamp`` is (size in bytes, mtime in ns).
    """

    path: Path
    encoding: str
    delimiter: str
    preamble: int
    header: tuple[str, ...]
    header_line: int
    rows: int
    fingerprint: str
    stamp: tuple[int, int]
    notes: tuple[str, ...]

    def read(self) -> Iterator[tuple[int, list[str]]]:
        """Every row with content, with the line it begins on (1-based).

        Raises InputFileError when the file is no longer the one that was checked.
        """
        rows = _records(self.path, self.encoding, self.delimiter, self.preamble)
        next(rows, None)
        yield from rows
        if _stamp(self.path) != self.stamp:
            raise InputFileError(str(self.path), "the file changed while it was read", "Run the command again")


def inspect(path: Path, encoding: str | None) -> CsvShape:
    """Read the whole file once, in constant memory.

    Raises InputFileError, naming the line, for anything that must not be read past: no such file, a binary, bytes
    that are not text, a NUL, a quote that is not closed, no header or no rows.
    """
    stamp = _stamp(path)
    head = _head(path)
    codec, notes = _encoding(path, head, encoding)
    _refuse_binary(path, head, codec)
    try:
        delimiter, preamble = _delimiter(path, codec)
        header, header_line, rows = _check(path, codec, delimiter, preamble)
    except UnicodeError as error:
        raise _undecodable(path, codec, error) from None
    with path.open("rb") as file:
        fingerprint = hashlib.file_digest(file, "sha256").hexdigest()
    if delimiter != ",":
        notes = (*notes, f"delimiter {DELIMITERS.get(delimiter, delimiter)}")
    return CsvShape(path, codec, delimiter, preamble, header, header_line, rows, fingerprint, stamp, notes)


def is_blank(cells: Sequence[str]) -> bool:
    """Whether a row holds nothing: it is neither counted nor reported."""
    return not any(map(str.strip, cells))


def _stamp(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except FileNotFoundError:
        raise InputFileError(str(path), "no such file", _similar(path)) from None
    except OSError as error:
        raise InputFileError(str(path), f"cannot be read: {error.strerror}", "Check its permissions") from None
    if stat.S_ISDIR(found.st_mode):
        raise InputFileError(str(path), "this is a directory", "Name the CSV file in it")
    if not stat.S_ISREG(found.st_mode):
        raise InputFileError(str(path), "not a regular file", "Save the list to a file first: it is read twice")
    return found.st_size, found.st_mtime_ns


def _similar(path: Path) -> str:
    try:
        near = get_close_matches(path.name, [entry.name for entry in path.parent.iterdir()], n=1)
    except OSError:
        near = []
    return f"Did you mean {path.parent / near[0]}?" if near else "Check the path"


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_HEAD_BYTES)
    except OSError as error:
        raise InputFileError(str(path), f"cannot be read: {error.strerror}", "Check its permissions") from None


def _encoding(path: Path, head: bytes, named: str | None) -> tuple[str, tuple[str, ...]]:
    for bom, codec in _BOMS:
        if head.startswith(bom):
            return codec, (() if codec == "utf-8-sig" else (f"encoding {codec}, by its byte-order mark",))
    if not named:
        return "utf-8", ()
    try:
        codecs.lookup(named)
        "".encode(named)
    except (LookupError, UnicodeError):
        known = {*aliases, *aliases.values(), "utf-8"} - {named.lower()}
        near = get_close_matches(named.lower(), sorted(known), n=1)
        remedy = f'Did you mean "{near[0]}"?' if near else "Common ones: utf-8, cp1252, latin-1, utf-16-le"
        raise InputFileError(str(path), f'no encoding is called "{named}"', remedy) from None
    return named, (f"encoding {named}",)


def _refuse_binary(path: Path, head: bytes, codec: str) -> None:
    for magic, what in _MAGIC:
        if head.startswith(magic):
            raise InputFileError(str(path), what, "Open it and export the list as CSV (UTF-8)")
    wide = codecs.lookup(codec).name.startswith(("utf-16", "utf-32"))
    if wide or b"\0" not in head:
        return
    line = _newlines(head[: head.index(b"\0")]) + 1
    remedy = "Export the list as CSV (UTF-8), or add --encoding utf-16-le if it is UTF-16 without a byte-order mark"
    raise InputFileError(f"{path}:{line}", "a NUL byte: this is not a text file", remedy)


def _lines(path: Path, encoding: str) -> Iterator[str]:
    with path.open(encoding=encoding, newline="") as file:
        for number, line in enumerate(file, 1):
            if "\0" in line:
                raise InputFileError(f"{path}:{number}", "a NUL byte: the file is damaged", "Export the list again")
            yield line


def _delimiter(path: Path, encoding: str) -> tuple[str, int]:
    """The delimiter, and how many lines stand before the header on its account."""
    lines = _lines(path, encoding)
    first = next(lines, "")
    named = _SEP_LINE.fullmatch(first.removesuffix("\n").removesuffix("\r"))
    if named:
        return named[1], 1
    text = first
    while not text.strip() or (text.count('"') % 2 and len(text) < _HEAD_BYTES):
        following = next(lines, None)
        if following is None:
            break
        text = text + following if text.strip() else following
    bare = re.sub(r'"[^"]*"?', "", text)
    return max(DELIMITERS, key=bare.count), 0


def _records(path: Path, encoding: str, delimiter: str, preamble: int) -> Iterator[tuple[int, list[str]]]:
    """Every record with content, header included, and the line it begins on."""
    lines = _lines(path, encoding)
    for _ in range(preamble):
        next(lines, None)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    began = preamble + 1
    try:
        for cells in reader:
            if not is_blank(cells):
                yield began, cells
            began = reader.line_num + preamble + 1
    except csv.Error as error:
        raise _broken(path, encoding, delimiter, began, str(error)) from None


def _check(path: Path, encoding: str, delimiter: str, preamble: int) -> tuple[tuple[str, ...], int, int]:
    records = _records(path, encoding, delimiter, preamble)
    header_line, header = next(records, (0, []))
    if not header:
        raise InputFileError(str(path), "the file is empty", "Export the list again, with a header line")
    rows = 0
    for line, cells in records:
        rows += 1
        for cell in cells:
            if ("\n" in cell or "\r" in cell) and _swallows(cell, delimiter, len(header), len(cells)):
                problem = "a quoted cell of this row takes in further lines, which look like rows of the list"
                raise InputFileError(f"{path}:{line}", problem, "Close the quote or take out the line breaks")
    if not rows:
        raise InputFileError(str(path), "no rows below the header", "Export the list again")
    return tuple(header), header_line, rows


def _swallows(cell: str, delimiter: str, columns: int, cells: int) -> bool:
    """Whether whole rows vanished inside a cell: a stray quote that another one closes parses well.

    Their mark: something like a phone number, and as many delimiters as rows of the list would bring, or a
    row that is left with too few or too many cells.
    """
    taken = len(_NEWLINE.findall(cell))
    delimiters = cell.count(delimiter)
    shaped = delimiters and (delimiters == taken * (columns - 1) or cells != columns)
    return bool(shaped and _PHONE_LIKE.search(cell))


def _broken(path: Path, encoding: str, delimiter: str, began: int, error: str) -> InputFileError:
    opened, met = _quote_fault(path, encoding, delimiter, began)
    place = f"{path}:{opened}"
    if not opened:
        return InputFileError(f"{path}:{began}", f"this row cannot be read ({error})", "Export the list again")
    if met == opened:
        problem, remedy = "a quote inside a quoted cell", 'Write it twice ("") or take it out'
        return InputFileError(place, problem, remedy)
    until = f"the next quote, on line {met}, does not end a cell" if met else "it runs to the end of the file"
    return InputFileError(place, f"the quote opened on line {opened} is not closed: {until}", "Close or remove it")


def _quote_fault(path: Path, encoding: str, delimiter: str, began: int) -> tuple[int, int]:
    """Where the quote at fault in the record that begins on line ``began`` opened, and where it failed.

    (0, 0) when no quote is at fault; (line, 0) when it is never closed.
    """
    opening = re.compile(rf'(?:^|{re.escape(delimiter)})"')
    opened = 0
    for number, line in enumerate(_lines(path, encoding), 1):
        at = 0
        while number >= began:
            if not opened:
                found = opening.search(line, at)
                opened, at = (number, found.end()) if found else (0, at)
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


def _undecodable(path: Path, codec: str, error: UnicodeError) -> InputFileError:
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


def _newlines(data: bytes) -> int:
    return len((data + b".").splitlines()) - 1
