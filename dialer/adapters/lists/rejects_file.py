"""The rows that cannot be called, as a CSV to correct and enqueue again.

The columns are the list's own, then ``reject_line,reject_reason,reject_remedy``. UTF-8 with a byte-order mark,
so that Excel shows every script. What a spreadsheet would run, or rewrite, has an apostrophe before it, which the
import takes off again: a row comes back as it was read.
"""

import csv
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from dialer.adapters.lists.columns import REJECT_COLUMNS
from dialer.adapters.lists.spreadsheet_cells import harmless
from dialer.ports import Reject


class RejectsFile:
    """Writes ``path``, readable by its owner alone, once the first reject comes and ``close`` was called.

    Until then it is ``path`` with ".partial" added, so that the list read may be the rejects file itself.
    Raises OSError when it cannot be written.
    """

    def __init__(self, path: Path, header: Sequence[str]) -> None:
        self._path, self._header = path, tuple(header)
        self._partial = path.with_name(path.name + ".partial")
        self._file: TextIO | None = None

    def add(self, rejects: Sequence[Reject]) -> None:
        """Append rows; a row with too many cells keeps them after our columns, and is a reject again."""
        if not rejects:
            return
        file = self._file or self._create()
        width = len(self._header)
        writer = csv.writer(file)
        for reject in rejects:
            cells = [*reject.cells, *[""] * (width - len(reject.cells))]
            row = [*cells[:width], reject.row, reject.reason, reject.remedy, *cells[width:]]
            writer.writerow(harmless(row))

    def close(self) -> str:
        """Put the file in its place. Answers its path, or "" when nothing was rejected."""
        if self._file is None:
            return ""
        self._file.close()
        self._file = None
        self._partial.replace(self._path)
        return str(self._path)

    def discard(self) -> None:
        """Leave nothing behind, for an import that failed. Safe to call after ``close``."""
        if self._file is not None:
            self._file.close()
            self._file = None
            with suppress(FileNotFoundError):
                self._partial.unlink()

    def _create(self) -> TextIO:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            self._partial.unlink()
        descriptor = os.open(self._partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._file = os.fdopen(descriptor, "w", encoding="utf-8-sig", newline="")
        # Quoted, so that no character of a header is taken for the delimiter when the file is read again.
        csv.writer(self._file, quoting=csv.QUOTE_ALL).writerow(harmless([*self._header, *REJECT_COLUMNS]))
        return self._file
