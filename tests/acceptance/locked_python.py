"""Environments of their own for tools that ours must not depend on."""

import subprocess
import sys
import tempfile
from hashlib import sha256
from pathlib import Path


def locked_python(name: str, lock: Path) -> Path:
    """The Python of an environment with the packages of ``lock``, made once and kept beside our own."""
    inside = sys.prefix != sys.base_prefix
    home = Path(sys.prefix) / name if inside else Path(tempfile.gettempdir()) / f"dialer-{name}"
    python, ready = home / "bin" / "python", home / ".ready"
    digest = sha256(lock.read_bytes()).hexdigest()
    if not ready.exists() or ready.read_text() != digest:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
        subprocess.run([*install, "-r", str(lock)], check=True)
        ready.write_text(digest)
    return python
