"""The parts of a workbook: XML files in a zip, read a piece at a time."""

import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from xml.parsers import expat
from zlib import error as InflateError

from dialer.errors import InputFileError

CHUNK_BYTES = 64 * 1024
"""How much of a part is held at once: some 500 rows of a sheet."""
LONGEST_CELL = 32_767
"""Characters, by the format's own limit."""
MOST_UNPACKED_BYTES = 2 * 1024**3
MOST_TIMES_PACKED = 200
SMALL_BYTES = 4 * 1024**2
"""What any workbook may hold unpacked, however well it was packed."""

_MOST_AT_ONCE_BYTES = 1024**2
"""How long one tag, with its attributes, may be."""
_DEEPEST = 64
_MOST_DIRECTORY_BYTES = 1024**2
_END_BYTES = 22 + 65_535

_COMPRESSIONS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_OLE = b"\xd0\xcf\x11\xe0"
_LOCKED = "EncryptedPackage".encode("utf-16-le")
TABLE = "urn:oasis:names:tc:opendocument:xmlns:table:1.0"
_NAMESPACES = frozenset(
    {
        "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
        "http://purl.oclc.org/ooxml/spreadsheetml/main",
        "http://schemas.openxmlformats.org/package/2006/relationships",
        TABLE,
    }
)

Start = Callable[[dict[str, str]], object]
End = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Elements:
    """What to call for the elements of a part, by their names: with the attributes at the start, at the end, and with
    text in pieces. What is called raises ValueError that says what is wrong, without any content of the workbook.
    """

    starts: Mapping[str, Start]
    ends: Mapping[str, End] = field(default_factory=dict)
    text: Callable[[str], object] | None = None


class Parts:
    """The zip file at ``path``, opened; names are found in any case, as spreadsheet programs do."""

    def __init__(self, package: zipfile.ZipFile, packed_bytes: int) -> None:
        self._package = package
        # A part never gives more than its size in the directory says.
        unpacked_bytes = sum(part.file_size for part in package.infolist())
        if unpacked_bytes > min(MOST_UNPACKED_BYTES, max(SMALL_BYTES, MOST_TIMES_PACKED * packed_bytes)):
            raise ValueError("it unpacks to more than any list holds")
        self._names = {name.replace("\\", "/").casefold(): name for name in package.namelist()}

    def __contains__(self, part: str) -> bool:
        return part.casefold() in self._names

    def matching(self, folder: str, ending: str) -> Iterator[IO[bytes]]:
        """The parts in ``folder`` whose names end so, opened one after the other."""
        for folded, name in self._names.items():
            if folded.startswith(folder) and folded.endswith(ending):
                with self._package.open(name) as file:
                    yield file

    def feed(self, part: str, elements: Elements) -> Iterator[None]:
        """Hand the elements of ``part`` to ``elements``; pauses after every CHUNK_BYTES.

        Elements of other namespaces are left away, and a part with a document type is refused: the format has none. So
        are tags without end, and elements in each other without end.
        """
        if part not in self:
            raise ValueError(f"{part} is missing")
        name = self._names[part.casefold()]
        if self._package.getinfo(name).compress_type not in _COMPRESSIONS:
            raise ValueError(f"{part} is compressed in a way that workbooks are not")
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        starts: Mapping[str, Start] = _ByFullName(elements.starts)
        ends: Mapping[str, End] = _ByFullName(elements.ends)
        depth = 0

        def start(name: str, attributes: dict[str, str]) -> None:
            nonlocal depth
            depth += 1
            if depth > _DEEPEST:
                raise ValueError(f"{part} holds elements in each other without end")
            starts[name](attributes)

        def end(name: str) -> None:
            nonlocal depth
            depth -= 1
            ends[name]()

        parser.StartElementHandler, parser.EndElementHandler = start, end
        parser.CharacterDataHandler = elements.text
        parser.StartDoctypeDeclHandler = _refuse_doctype
        try:
            with self._package.open(name) as file:
                fed = 0
                while piece := file.read(CHUNK_BYTES):
                    fed += len(piece)
                    parser.Parse(piece)
                    if fed - parser.CurrentByteIndex > _MOST_AT_ONCE_BYTES:
                        raise ValueError(f"{part} holds a tag without end")
                    yield
            parser.Parse(b"", True)
        except expat.ExpatError as broken:
            raise ValueError(f"{part}: {broken}") from broken
        yield

    def read(self, part: str, elements: Elements) -> None:
        """The whole of a part."""
        for _ in self.feed(part, elements):
            pass


@contextmanager
def open_parts(path: Path) -> Iterator[Parts]:
    """The workbook as long as the block lasts. Whatever is wrong with the file is raised as InputFileError."""
    with naming_damage(path):
        if is_ole(path):
            raise InputFileError(str(path), "an old Excel workbook (.xls)", "Save it as .xlsx, or as CSV UTF-8")
        _refuse_endless_directory(path)
        with zipfile.ZipFile(path) as package:
            yield Parts(package, path.stat().st_size)


@contextmanager
def naming_damage(path: Path) -> Iterator[None]:
    """Whatever is wrong with the file is raised as InputFileError; a web page is refused before."""
    try:
        _refuse_page(path)
        yield
    except (OSError, ValueError, EOFError, RuntimeError, InflateError, zipfile.BadZipFile) as broken:
        problem = f"not a readable workbook: {broken}"
        raise InputFileError(str(path), problem, "Save it as .xlsx again, or as CSV UTF-8") from broken


def whole(digits: str) -> int:
    """A whole number of at most nine digits. Raises ValueError that does not show the text."""
    if digits.isascii() and digits.isdigit() and len(digits) <= 9:
        return int(digits)
    raise ValueError("something else stands where a whole number should")


class _ByFullName(dict[str, Callable[..., object]]):
    """What to call by an element's name with its namespace, filled as they are met."""

    def __init__(self, by_name: Mapping[str, Callable[..., object]]) -> None:
        self._by_name = by_name

    def __missing__(self, name: str) -> Callable[..., object]:
        namespace, _, tag = name.rpartition(" ")
        self[name] = self._by_name.get(tag, _ignore) if namespace in _NAMESPACES else _ignore
        return self[name]


def _ignore(*_: object) -> None:
    pass


def _refuse_doctype(*_: object) -> None:
    raise ValueError("a part with a document type")


def _refuse_endless_directory(path: Path) -> None:
    """The list of a zip's parts is read whole: its size stands at the file's end (APPNOTE 4.3.16)."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _END_BYTES))
        end = file.read()
    at = end.rfind(b"PK\x05\x06")
    if at >= 0 and len(end) >= at + 16 and int.from_bytes(end[at + 12 : at + 16], "little") > _MOST_DIRECTORY_BYTES:
        raise ValueError("it lists more parts than any workbook")


def _refuse_page(path: Path) -> None:
    with path.open("rb") as file:
        start = file.read(512).lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<html", b"<!doctype html", b"<table", b"<meta", b"<head", b"mime-version:")):
        remedy = "Open it in a spreadsheet program and save it as .xlsx, or as CSV UTF-8"
        raise InputFileError(str(path), "a web page (HTML), whatever its name says", remedy)


def is_ole(path: Path) -> bool:
    """Whether this is an OLE file, as old workbooks are; raises InputFileError for one that is locked.

    Locked workbooks of any format are OLE files (MS-OFFCRYPTO 2.3.4).
    """
    with path.open("rb") as file:
        if file.read(len(_OLE)) != _OLE:
            return False
        before = b""
        while piece := file.read(CHUNK_BYTES):
            if _LOCKED in before + piece:
                raise InputFileError(str(path), "the workbook is locked", "Save it without a password")
            before = piece[-len(_LOCKED) :]
    return True
