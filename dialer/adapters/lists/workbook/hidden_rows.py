"""Whether rows are hidden in a workbook that is read by calamine, which does not say."""

import struct
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from dialer.adapters.lists.workbook.parts import TABLE, Elements, Parts, is_ole, naming_damage, open_parts
from dialer.errors import InputFileError

MOST_OLE_BYTES = 64 * 1024**2
MOST_RECORD_BYTES = 1024**2
ROW_BIFF8, FILE_PASS, ROW_BIFF12 = 0x208, 0x2F, 0
SMALLEST_STREAM = 4096
SECTORS = 0xFFFFFFFA
"""Numbers from here on are marks, and no sectors (MS-CFB 2.1)."""


def hides_rows(path: Path) -> bool:
    """Whether any sheet does. Raises InputFileError for what is locked, damaged or no workbook of these formats."""
    with naming_damage(path):
        if is_ole(path):
            return _xls_hides(path)
        with open_parts(path) as parts:
            if "content.xml" in parts:
                return _ods_hides(parts)
            hiding = [_xlsb_hides(sheet) for sheet in parts.matching("xl/worksheets/", ".bin")]
            if not hiding:
                raise ValueError("it is of another format than its name says")
            return any(hiding)


def _ods_hides(parts: Parts) -> bool:
    hidden: list[str] = []

    def row(attributes: dict[str, str]) -> None:
        hidden.extend({"collapse", "filter"} & {attributes.get(f"{TABLE} visibility", "")})

    parts.read("content.xml", Elements({"table-row": row}))
    return bool(hidden)


def _xlsb_hides(sheet: IO[bytes]) -> bool:
    """Records of a kind and a size in 7 bits a byte (MS-XLSB 2.1.4); a row's flags are in its 12th byte (2.4.741)."""
    while (kind := _number(sheet)) is not None:
        size = _number(sheet) or 0
        if size > MOST_RECORD_BYTES:
            raise ValueError("a record without end")
        body = sheet.read(size)
        if kind == ROW_BIFF12 and len(body) > 11 and body[11] & 0x10:
            return True
    return False


def _number(sheet: IO[bytes]) -> int | None:
    number = shift = 0
    while byte := sheet.read(1):
        number |= (byte[0] & 0x7F) << shift
        shift += 7
        if byte[0] < 0x80 or shift >= 28:
            return number
    return None


def _xls_hides(path: Path) -> bool:
    """Records of 16 bits for the kind and for the size (MS-XLS 2.1.4); a row's flags are in its 13th byte (2.4.221)."""
    if path.stat().st_size > MOST_OLE_BYTES:
        raise ValueError("it is larger than any list")
    stream, at = _workbook_stream(path.read_bytes()), 0
    while at + 4 <= len(stream):
        kind, size = struct.unpack_from("<HH", stream, at)
        if kind == FILE_PASS:
            raise InputFileError(str(path), "the workbook is locked", "Save it without a password")
        if kind == ROW_BIFF8 and size >= 14 and stream[at + 16] & 0x20:
            return True
        at += 4 + size
    return False


def _workbook_stream(file: bytes) -> bytes:
    """What the compound file holds as "Workbook" (MS-CFB 2)."""
    try:
        size = 1 << struct.unpack_from("<H", file, 30)[0]
        blocks = list(struct.unpack_from("<109I", file, 76))
        further = struct.unpack_from("<I", file, 68)[0]
        while further < SECTORS and len(blocks) * size <= len(file):
            *more, further = struct.unpack_from(f"<{size // 4}I", file, (further + 1) * size)
            blocks += more
        next_of = array("I", b"".join(_sector(file, size, block) for block in blocks if block < SECTORS))
        directory = b"".join(_chain(file, size, next_of, struct.unpack_from("<I", file, 48)[0]))
        for at in range(0, len(directory), 128):
            name = directory[at : at + 64].decode("utf-16-le", "replace").partition("\0")[0]
            if name in ("Workbook", "Book"):
                start, length = struct.unpack_from("<II", directory, at + 116)
                if length >= SMALLEST_STREAM:  # smaller ones are kept elsewhere, and no spreadsheet program writes them
                    return b"".join(_chain(file, size, next_of, start))[:length]
    except (struct.error, IndexError, ValueError):
        pass
    raise ValueError("there is no workbook in it")


def _sector(file: bytes, size: int, number: int) -> bytes:
    return file[(number + 1) * size : (number + 2) * size]


def _chain(file: bytes, size: int, next_of: "array[int]", number: int) -> Iterator[bytes]:
    for _ in next_of:
        if number >= SECTORS:
            return
        yield _sector(file, size, number)
        number = next_of[number]
