"""The outer shape of a CSV file: character set, delimiter, quotes. Checked over the whole file before use.

The format is RFC 4180 as people have it: any of four delimiters, an Excel ``sep=`` line, lines of title above the
column names, blanks before quotes, LF, CRLF or CR. A character set is never guessed: a byte-order mark, strict UTF-8,
or what the user names.
"""

import codecs
import csv
import hashlib
import re
import stat
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from encodings.aliases import aliases
from itertools import islice
from pathlib import Path

from dialer.adapters.lists.csv_faults import broken_row, undecodable
from dialer.adapters.lists.spreadsheet_cells import undone
from dialer.errors import InputFileError

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
MOST_COLUMNS = 16_384
LONGEST_LINE = 1024 * 1024
"""Characters between two line ends."""

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
_PAGES = (b"<html", b"<!doctype html", b"<table", b"<meta", b"<head", b"<body", b"<div", b"mime-version:")
_OTHER_TEXTS = (
    (b"<?xml", "an XML file, not CSV"),
    (b"{\\rtf", "a text document (RTF), not CSV"),
    (b"{", "a JSON file, not CSV"),
    (b"[{", "a JSON file, not CSV"),
    (b"[[", "a JSON file, not CSV"),
)
_SEP_LINE = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE | re.DOTALL)
_PHONE_LIKE = re.compile(r"\d(?:[ ()-]?\d){7,}")
_NEWLINE = re.compile(r"\r\n|\r|\n")
_HEAD_BYTES = 64 * 1024
_SAMPLE_LINES = 200
_TITLE_ROWS = 20
"""Among how many rows the column names are looked for."""
_BINARY_SHARE = 0.05
_END_OF_FILE = "\x1a"

FindHeader = Callable[[Sequence[Sequence[str]]], int]
"""Which of the first rows of a table holds the column names; -1 when none does."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file is cut: ``preamble`` counts the lines before the table (a ``sep=`` line), ``titles`` the rows with
    content above the column names; ``spaced``: a blank may stand between a delimiter and a quote.
    """

    encoding: str
    delimiter: str
    preamble: int = 0
    titles: int = 0
    spaced: bool = False


@dataclass(frozen=True, slots=True)
class CsvShape:
    """A file that passed the check.

    ``header`` is as written, on line ``header_line``; ``rows`` counts rows with any content, ``spare`` the blank cells
    that every row has behind its last column; ``stamp`` is (size in bytes, mtime in ns).
    """

    path: Path
    layout: Layout
    header: tuple[str, ...]
    header_line: int
    rows: int
    spare: int
    fingerprint: str
    stamp: tuple[int, int]
    notes: tuple[str, ...]

    def read(self) -> Iterator[tuple[int, list[str]]]:
        """Every row with content below the column names, with the line it begins on (1-based).

        Raises InputFileError when the file is no longer the one that was checked.
        """
        yield from islice(_records(self.path, self.layout), self.layout.titles + 1, None)
        if _stamp(self.path) != self.stamp:
            raise InputFileError(str(self.path), "the file changed while it was read", "Run the command again")


def inspect(path: Path, encoding: str | None, find_header: FindHeader) -> CsvShape:
    """Read the whole file once, in constant memory.

    Raises InputFileError, naming the line, for anything that must not be read past: no such file, a binary, bytes
    that are not text, a quote that is not closed, lines without end, no header or no rows.
    """
    stamp = _stamp(path)
    head = _head(path)
    codec, notes = _encoding(path, head, encoding)
    _refuse_other_kinds(path, head, codec)
    try:
        layout = _layout(path, codec, find_header)
        header, header_line, rows, spare = _check(path, layout)
    except UnicodeError as error:
        raise undecodable(path, codec, error) from None
    with path.open("rb") as file:
        fingerprint = hashlib.file_digest(file, "sha256").hexdigest()
    if layout.delimiter != ",":
        notes = (*notes, f"delimiter {DELIMITERS.get(layout.delimiter, layout.delimiter)}")
    if layout.titles:
        notes = (*notes, f"column names from line {header_line}; {layout.titles} rows above it are left out")
    return CsvShape(path, layout, header, header_line, rows, spare, fingerprint, stamp, notes)


def is_blank(cells: Sequence[str]) -> bool:
    """Whether a row holds nothing: it is neither counted nor reported."""
    return not any(map(str.strip, cells))


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except FileNotFoundError:
        raise InputFileError(str(path), "no such file", _similar(path)) from None
    except OSError as error:
        raise InputFileError(str(path), f"cannot be read: {error.strerror}", "Check its permissions") from None
    if stat.S_ISDIR(status.st_mode):
        raise InputFileError(str(path), "this is a directory", "Name the CSV file in it")
    if not stat.S_ISREG(status.st_mode):
        raise InputFileError(str(path), "not a regular file", "Save the list to a file first: it is read twice")
    return status.st_size, status.st_mtime_ns


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


def _refuse_other_kinds(path: Path, head: bytes, codec: str) -> None:
    for magic, what in _MAGIC:
        if head.startswith(magic):
            raise InputFileError(str(path), what, "Open it and export the list as CSV (UTF-8)")
    wide = codecs.lookup(codec).name.startswith(("utf-16", "utf-32"))
    start = (
        (head.decode(codec, "ignore").encode() if wide else head.removeprefix(codecs.BOM_UTF8))[:512].strip().lower()
    )
    if start.startswith(_PAGES):
        remedy = "Open it in a spreadsheet program and save it as .xlsx, or as CSV UTF-8"
        raise InputFileError(str(path), "a web page (HTML), whatever its name says, and no list", remedy)
    for mark, what in _OTHER_TEXTS:
        if start.startswith(mark):
            raise InputFileError(str(path), what, "Open it and export the list as CSV (UTF-8)")
    if wide or b"\0" not in head:
        return
    line = _newlines(head[: head.index(b"\0")]) + 1
    if line == 1 or head.count(b"\0") > _BINARY_SHARE * len(head):
        remedy = "Export the list as CSV (UTF-8), or add --encoding utf-16-le if it is UTF-16 without a byte-order mark"
        raise InputFileError(f"{path}:{line}", "a NUL byte: this is not a text file", remedy)


def _lines(path: Path, encoding: str) -> Iterator[str]:
    with path.open(encoding=encoding, newline="") as file:
        number = 0
        while line := file.readline(LONGEST_LINE):
            number += 1
            if len(line) == LONGEST_LINE and line[-1] not in "\r\n":
                problem = f"a line of more than {LONGEST_LINE:,} characters: this is no list"
                raise InputFileError(f"{path}:{number}", problem, "Export the list again, one row a line")
            # Programs of old end a file with Ctrl-Z, which is no line of it.
            if line[-1] == _END_OF_FILE and not (line := line.rstrip(_END_OF_FILE)):
                return
            yield line


def _layout(path: Path, encoding: str, find_header: FindHeader) -> Layout:
    """The delimiter that cuts most rows alike among those with which the column names are found."""
    sample = _sample(path, encoding)
    named = _SEP_LINE.fullmatch(sample[0].removesuffix("\n").removesuffix("\r")) if sample else None
    if named and named[1] in '"\r\n ':
        raise InputFileError(f"{path}:1", 'the line "sep=" names no delimiter', "Take that line out")
    delimiters, preamble = ([named[1]], 1) if named else ([*DELIMITERS], 0)
    tables = {each: _cut(sample[preamble:], each) for each in delimiters}
    at = {each: find_header(rows[:_TITLE_ROWS]) for each, rows in tables.items()}
    delimiter = max(delimiters, key=lambda each: (at[each] >= 0, *_regularity(tables[each])))
    spaced = any(f'{delimiter} "' in line for line in sample)
    return Layout(encoding, delimiter, preamble, max(0, at[delimiter]), spaced)


def _sample(path: Path, encoding: str) -> list[str]:
    """The first lines, as many as show the layout."""
    sample: list[str] = []
    characters = 0
    for line in islice(_lines(path, encoding), _SAMPLE_LINES):
        sample.append(line)
        characters += len(line)
        if characters > _HEAD_BYTES:
            break
    return sample


def _cut(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    """The rows of a sample that can be cut."""
    rows: list[list[str]] = []
    with suppress(csv.Error):
        rows.extend(row for row in csv.reader(lines, delimiter=delimiter, skipinitialspace=True) if not is_blank(row))
    return rows


def _regularity(rows: Sequence[Sequence[str]]) -> tuple[float, int]:
    """How large a part of the rows has the commonest number of cells, and that number; nothing for a single one."""
    widths = Counter(len(row) for row in rows)
    common, often = max(widths.items(), key=lambda width: (width[1], width[0]), default=(0, 0))
    return (often / len(rows), common) if common > 1 else (0.0, 0)


def _records(path: Path, layout: Layout) -> Iterator[tuple[int, list[str]]]:
    """Every record with content, titles and header included, and the line it begins on."""
    lines = _lines(path, layout.encoding)
    for _ in range(layout.preamble):
        next(lines, None)
    reader = csv.reader(lines, delimiter=layout.delimiter, strict=True, skipinitialspace=layout.spaced)
    began = layout.preamble + 1
    try:
        for cells in reader:
            if not is_blank(cells):
                yield began, undone(cells)
            began = reader.line_num + layout.preamble + 1
    except csv.Error as error:
        raise broken_row(path, _lines(path, layout.encoding), layout.delimiter, began, str(error)) from None


def _check(path: Path, layout: Layout) -> tuple[tuple[str, ...], int, int, int]:
    records = islice(_records(path, layout), layout.titles, None)
    header_line, header = next(records, (0, []))
    if not header:
        raise InputFileError(str(path), "the file is empty", "Export the list again, with a header line")
    if len(header) > MOST_COLUMNS:
        problem = f"{len(header):,} columns: a list has at most {MOST_COLUMNS:,}"
        raise InputFileError(f"{path}:{header_line}", problem, "Export the list again")
    rows, narrowest = 0, MOST_COLUMNS
    for line, cells in records:
        rows += 1
        narrowest = min(narrowest, len(cells))
        for cell in cells:
            if ("\n" in cell or "\r" in cell) and _swallows(cell, layout.delimiter, len(header), len(cells)):
                problem = "a quoted cell of this row takes in further lines, which look like rows of the list"
                raise InputFileError(f"{path}:{line}", problem, "Close the quote or take out the line breaks")
    if not rows:
        raise InputFileError(str(path), "no rows below the header", "Export the list again")
    return tuple(header), header_line, rows, max(0, narrowest - len(header))


def _swallows(cell: str, delimiter: str, columns: int, cells: int) -> bool:
    """Whether whole rows vanished inside a cell: a stray quote that another one closes parses well.

    Their mark: something like a phone number, and as many delimiters as rows of the list would bring, or a
    row that is left with too few or too many cells.
    """
    taken = len(_NEWLINE.findall(cell))
    delimiters = cell.count(delimiter)
    shaped = delimiters and (delimiters == taken * (columns - 1) or cells != columns)
    return bool(shaped and _PHONE_LIKE.search(cell))


def _newlines(data: bytes) -> int:
    return len((data + b".").splitlines()) - 1
