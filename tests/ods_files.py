"""Small .ods files for tests, as much of the format as a list needs."""

import zipfile
from pathlib import Path

NAMES = "urn:oasis:names:tc:opendocument:xmlns"


def text(value: str) -> str:
    """A cell with a text."""
    return f'<table:table-cell office:value-type="string"><text:p>{value}</text:p></table:table-cell>'


def number(kind: str, value: str) -> str:
    """A cell with a "float" or a "date"."""
    name = "date-value" if kind == "date" else "value"
    kept = f'office:value-type="{kind}" office:{name}="{value}"'
    return f"<table:table-cell {kept}><text:p>shown</text:p></table:table-cell>"


def row(*cells: str) -> str:
    """A row of cells."""
    return f"<table:table-row>{''.join(cells)}</table:table-row>"


def write_ods(path: Path, *rows: str) -> Path:
    """A workbook with one sheet."""
    spaces = " ".join(f'xmlns:{name}="{NAMES}:{name}:1.0"' for name in ("office", "table", "text"))
    sheet = f'<table:table table:name="People">{"".join(rows)}</table:table>'
    body = f"<office:body><office:spreadsheet>{sheet}</office:spreadsheet></office:body>"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        book.writestr("META-INF/manifest.xml", f'<manifest:manifest xmlns:manifest="{NAMES}:manifest:1.0"/>')
        book.writestr("content.xml", f"<office:document-content {spaces}>{body}</office:document-content>")
    return path
