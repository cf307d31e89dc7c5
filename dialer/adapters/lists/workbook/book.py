"""A workbook: its sheets, and what their cells refer to."""

import posixpath
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from dialer.adapters.lists.cell_text import Unclear
from dialer.adapters.lists.workbook.numbers import CellFormat, read_formats
from dialer.adapters.lists.workbook.parts import Elements, Parts, open_parts
from dialer.adapters.lists.workbook.rows import Row, SheetReader
from dialer.adapters.lists.workbook.texts import SharedTexts, read_shared_texts

MOST_PARTS = 10_000


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet; ``part`` is its place in the file."""

    name: str
    visible: bool
    part: str


@dataclass(frozen=True, slots=True)
class Workbook:
    """All of a workbook but its rows. The file is closed."""

    path: Path
    sheets: tuple[Sheet, ...]
    texts: SharedTexts
    formats: tuple[CellFormat, ...]
    since_1904: bool
    notes: tuple[str, ...] = ()

    def rows(self, sheet: Sheet) -> Generator[Row, None, None]:
        """The rows that hold anything but blanks, in the file's order, hidden ones too.

        Formulas count with the result that was saved beside them; errors such as #N/A are empty. The file is open
        until the last row was taken or the iterator is closed. Raises InputFileError where the file is damaged.
        """
        reader = SheetReader(self.texts, self.formats, self.since_1904)
        with open_parts(self.path) as parts:
            for _ in parts.feed(sheet.part, reader.elements):
                for row in reader.done:
                    if any(isinstance(cell, Unclear) or not cell.isspace() for cell in row.cells.values()):
                        yield row
                reader.done.clear()


class _Head:
    """The sheets that a workbook lists, with the ids of their parts."""

    def __init__(self) -> None:
        self.listed: list[tuple[str, bool, str]] = []
        self.since_1904 = False

    def sheet(self, attributes: dict[str, str]) -> None:
        if len(self.listed) >= MOST_PARTS:
            raise ValueError("it has more sheets than any workbook")
        ids = [value for name, value in attributes.items() if name.endswith(" id")]
        visible = attributes.get("state", "visible") == "visible"
        self.listed.append((attributes.get("name", ""), visible, ids[0] if ids else ""))

    def properties(self, attributes: dict[str, str]) -> None:
        self.since_1904 = attributes.get("date1904", "0") in {"1", "true", "on"}


class _Relations:
    """What a part refers to: the kind (the last word of its type) and the place of each id."""

    def __init__(self, folder: str) -> None:
        self.found: dict[str, tuple[str, str]] = {}
        self._folder = folder

    def add(self, attributes: dict[str, str]) -> None:
        if len(self.found) >= MOST_PARTS:
            raise ValueError("it refers to more parts than any workbook")
        target = attributes.get("Target", "").replace("\\", "/")
        place = posixpath.normpath(posixpath.join("/", self._folder, target)).lstrip("/")
        self.found[attributes.get("Id", "")] = (attributes.get("Type", "").rpartition("/")[2], place)

    def of_kind(self, kind: str) -> str | None:
        return next((place for its_kind, place in self.found.values() if its_kind == kind), None)


def open_xlsx(path: Path) -> Workbook:
    """Read what comes before the rows. Raises InputFileError for what is locked, damaged or no workbook."""
    with open_parts(path) as parts:
        main = _relations(parts, "").of_kind("officeDocument")
        if main is None:
            raise ValueError("there is no workbook in it")
        head = _Head()
        parts.read(main, Elements({"sheet": head.sheet, "workbookPr": head.properties}))
        around = _relations(parts, main)
        places = {id_: place for id_, (_, place) in around.found.items()}
        sheets = tuple(Sheet(name, visible, places.get(id_, "")) for name, visible, id_ in head.listed)
        texts, styles = around.of_kind("sharedStrings"), around.of_kind("styles")
        return Workbook(
            path,
            sheets,
            read_shared_texts(parts, texts) if texts and texts in parts else SharedTexts(),
            read_formats(parts, styles) if styles and styles in parts else (),
            head.since_1904,
        )


def _relations(parts: Parts, part: str) -> _Relations:
    folder, _, name = part.rpartition("/")
    relations = _Relations(folder)
    parts.read(f"{folder}/_rels/{name}.rels".lstrip("/"), Elements({"Relationship": relations.add}))
    return relations
