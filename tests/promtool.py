"""Debian's ``prometheus`` package: its server and its checker."""

import shutil
import socket
import subprocess
from pathlib import Path

MISSING = "promtool is missing: install Debian's package `prometheus`"


def promtool(*words: str, given: str | None = None, cwd: Path | None = None) -> str:
    """What it says; AssertionError where it does not agree, or is not there."""
    path = shutil.which("promtool")
    assert path is not None, MISSING
    done = subprocess.run([path, *words], input=given, capture_output=True, text=True, cwd=cwd, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said


def prometheus_binary() -> str:
    """Its server."""
    path = shutil.which("prometheus")
    assert path is not None, MISSING.replace("promtool", "prometheus", 1)
    return path


def free_port() -> int:
    """One that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
