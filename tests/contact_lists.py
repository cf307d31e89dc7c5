"""Lists of people as the program opens them, with fewer words."""

from pathlib import Path
from typing import Any

from dialer.adapters.lists.contacts import TableContacts
from dialer.adapters.lists.csv_table import CsvTable
from dialer.adapters.lists.database_table import DatabaseTable
from dialer.adapters.lists.workbook_table import WorkbookTable
from dialer.domain.campaign import ContactColumns, Reminder

NO_COLUMNS = ContactColumns()


def csv_contacts(
    path: Path, columns: ContactColumns | None = None, region: str = "", encoding: str | None = None, **more: Any
) -> TableContacts:
    """The list in a CSV file; ``more`` as for TableContacts."""
    return TableContacts(CsvTable(path, columns.phone if columns else "", encoding), columns, region, **more)


def workbook_contacts(path: Path, columns: ContactColumns = NO_COLUMNS, **more: Any) -> TableContacts:
    """The list in a workbook; ``more`` as for TableContacts."""
    return TableContacts(WorkbookTable(path, columns), columns, **more)


def database_contacts(
    url: str,
    query: str,
    columns: ContactColumns = NO_COLUMNS,
    region: str = "",
    reminder: Reminder | None = None,
    **more: Any,
) -> TableContacts:
    """The list in a database; ``more`` as for DatabaseTable."""
    return TableContacts(DatabaseTable(url, query, **more), columns, region, reminder=reminder)
