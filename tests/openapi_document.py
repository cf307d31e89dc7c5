"""Writes the description of the API: ``python -m tests.openapi_document > docs/openapi.json``."""

import json
import os
from pathlib import Path

from config import load_settings
from dialer.console import open_console
from dialer.web.app import Application


def text() -> str:
    """The document as it stands in ``docs/openapi.json``."""
    settings = load_settings(Path(os.devnull))
    document = Application(settings, lambda: open_console(settings)).openapi()
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(text(), end="")
