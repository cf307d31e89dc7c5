"""What the routes for lists have in common: what kind a file is, its name, and lists as documents."""

import unicodedata
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote

from dialer.domain.access import Role
from dialer.pipeline.iso import iso
from dialer.pipeline.prepare_list import Prepared
from dialer.web.access import Asker
from dialer.web.problems import Refusal

KINDS = {
    "text/csv": ".csv",
    "text/plain": ".csv",
    "text/tab-separated-values": ".csv",
    "application/csv": ".csv",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.ms-excel.sheet.macroenabled.12": ".xlsm",
    "application/vnd.ms-excel.sheet.binary.macroenabled.12": ".xlsb",
    "application/vnd.oasis.opendocument.spreadsheet": ".ods",
}
"""Content type -> the ending of a file of this kind."""
ENDINGS = frozenset({".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".xls", ".xlsb", ".ods"})
NAME_BYTES = 120


def file_name(given: str, kind: str = "") -> str:
    """A name for a list that was sent, safe as that of a file; its ending says what it is. Raises Refusal.

    ``kind`` is the content type, for a name without an ending that says it.
    """
    last = given.replace("\\", "/").rpartition("/")[2]
    plain = "".join(
        one for one in unicodedata.normalize("NFC", last) if unicodedata.category(one)[0] not in "CZ" or one == " "
    )
    path = PurePosixPath(plain.strip().lstrip(".") or "list")
    kind = kind.partition(";")[0].strip().lower()
    ending = path.suffix.lower() if path.suffix.lower() in ENDINGS else KINDS.get(kind, "")
    if not ending:
        remedy = "send text/csv, or a workbook, such as .xlsx; or give its name with ?name="
        raise Refusal(415, "this is no kind of list", remedy=remedy)
    stem = path.stem if path.suffix.lower() in ENDINGS else path.name
    short = stem.encode("utf-8", "replace")[:NAME_BYTES].decode("utf-8", "ignore").strip() or "list"
    return short + ending


def name_in(disposition: str) -> str:
    """The file's name in a Content-Disposition header; "" without one."""
    name = ""
    for part in disposition.split(";")[1:]:
        key, _, value = part.strip().partition("=")
        if key.lower() == "filename*":
            return unquote(value.rpartition("'")[2])
        if key.lower() == "filename":
            name = value.strip('"')
    return name


def refuse_source(asker: Asker, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Raises Refusal where somebody who may not would have the program read another database.

    A query reads whatever this machine can reach, its own ledger too: that is for who runs it.
    """
    if not asker.may(Role.ADMIN) and after.get("source") and after.get("source") != before.get("source"):
        remedy = "ask for a token: admin; a file can be uploaded instead"
        raise Refusal(403, "only an administrator may set a [source]", remedy=remedy)


def patched(target: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON merge patch (RFC 7396): tables are merged, null takes a key out."""
    result = dict(target)
    for key, value in patch.items():
        before = result.pop(key, None)
        if isinstance(value, Mapping):
            result[key] = patched(before if isinstance(before, Mapping) else {}, value)
        elif value is not None:
            result[key] = value
    return result


def import_document(one: Prepared) -> dict[str, Any]:
    """A list that was sent, as JSON keys."""
    upload, seen = one.upload, one.seen
    problem = {"detail": seen["problem"], "remedy": seen["remedy"]} if seen.get("problem") else None
    return {
        "import_id": upload.upload_id,
        "name": upload.name,
        "size": upload.size,
        "fingerprint": upload.fingerprint,
        "made_by": upload.made_by,
        "made_at": iso(upload.made_at),
        "settings": one.settings,
        "columns": seen.get("columns", {}),
        "header": seen.get("header", []),
        "rows": seen.get("rows", []),
        "counts": seen.get("counts", {}),
        "whole": seen.get("whole", True),
        "waits": seen.get("waits", {}),
        "callable_now": seen.get("now", 0),
        "notes": seen.get("notes", []),
        "seen_at": iso(seen.get("at")),
        "problem": problem,
        "report": one.brought,
    }
