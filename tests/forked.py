"""``dialer`` and its simulator as processes, without the start of an interpreter for each of them.

A process that has imported what they import forks itself for every command. Such a command has its own pid, working
directory, environment, umask, streams, signals and end, and is a child of the process that asked for it. It does not
show what the start of an interpreter decides (``PYTHON*`` variables, the encodings of its streams, modules beside it),
nor its own words, environment and memory in ``/proc``: tests of those start ``sys.executable``.
"""

import atexit
import ctypes
import gc
import json
import os
import pkgutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import typer.main

ROOT = Path(__file__).parents[1]
SERVE = "from tests.forked import serve; serve()"
LAZY = ("alembic.command", "anyio._backends._asyncio", "encodings.idna", "rich._emoji_codes", "sqlalchemy.ext.compiler",
        "uvicorn.lifespan.off")  # fmt: skip
"""What is imported only where it is used, by our packages and others."""
LONGEST_ORDER = 2**17
PR_SET_CHILD_SUBREAPER = 36
ONE_AT_A_TIME = threading.Lock()
"""Threads share one server, and whether this process adopts."""


class Forked(subprocess.Popen[Any]):
    """As Popen of ``["dialer", ...]`` or ``["dialer.simulator", ...]``; takes no group, user or session."""

    def _execute_child(self, args: Any, _x: Any, _p: Any, _c: Any, _f: Any, cwd: Any, env: Any, *rest: Any) -> None:
        """What Popen calls to start the process: see subprocess.py."""
        pipes, umask = rest[3:9], rest[13]
        order = {
            "words": list(map(str, args)),
            "folder": str(cwd or Path.cwd()),
            "environment": dict(os.environ if env is None else env),
            "umask": umask,
        }
        ours = (pipes[0], pipes[3], pipes[5])
        with ONE_AT_A_TIME:
            self.pid = _server().start(order, [number if fd == -1 else fd for number, fd in enumerate(ours)])
        self._child_created = True
        self._close_pipe_fds(*pipes)  # type: ignore[attr-defined]


def run_forked(words: Sequence[str], **more: Any) -> "subprocess.CompletedProcess[Any]":
    """As ``subprocess.run(words, capture_output=True, stdin=DEVNULL)``."""
    pipe = subprocess.PIPE
    with Forked(words, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, **more) as process:
        try:
            out, err = process.communicate(timeout=300)
        finally:
            process.kill()
    return subprocess.CompletedProcess(words, process.returncode, out, err)


class _Server:
    """The process that forks."""

    def __init__(self) -> None:
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        clean = {name: value for name, value in os.environ.items() if not name.startswith("DIALER_")}
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", SERVE, str(theirs.fileno())],
                cwd=ROOT, env=clean | {"PYTHONPATH": str(ROOT)}, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL,
            )  # fmt: skip
        atexit.register(self._end)

    def start(self, order: dict[str, Any], streams: list[int]) -> int:
        """Its pid. It is a child of ours, which can be waited for."""
        _adopt(True)
        socket.send_fds(self._channel, [json.dumps(order).encode()], streams)
        pid = int(self._channel.recv(16))
        assert self._channel.recv(16) == b"ours"
        _adopt(False)
        # Of a process that is nobody's child, Popen would say that it ended well.
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        return pid

    def _end(self) -> None:
        self._channel.close()
        self._process.wait()


@cache
def _server() -> _Server:
    return _Server()


def _adopt(whether: bool) -> None:
    """Whether a process becomes our child when its parent, a descendant of ours, is gone."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, int(whether))


def serve() -> None:
    """Fork for every order, until nobody can order any more."""
    mains = _everything_imported()
    channel = socket.socket(fileno=int(sys.argv[1]))
    while True:
        order, streams, *_ = socket.recv_fds(channel, LONGEST_ORDER, 3)
        if not order:
            os._exit(0)
        between = os.fork()
        if not between:
            if pid := os.fork():
                channel.send(str(pid).encode())
                os._exit(0)  # and the process that adopts is the parent
            return _run(mains[_become(json.loads(order), streams)])
        os.waitpid(between, 0)
        channel.send(b"ours")
        for stream in streams:
            os.close(stream)


def _run(main: Callable[[], object]) -> None:
    """As the interpreter does, which then only takes itself apart, and would copy all its memory for it."""
    code = 0
    try:
        main()
    except SystemExit as ended:
        assert ended.code is None or isinstance(ended.code, int)
        code = ended.code or 0
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    os._exit(code)


def _everything_imported() -> dict[str, Callable[[], object]]:
    """What can be run, by its name."""
    for name in LAZY:
        import_module(name)
    for name in ("dialer", "jobs", "config"):
        package = import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            if ".versions" not in module.name and not module.name.endswith(".env"):
                import_module(module.name)
    from dialer.cli import main
    from dialer.cli.app import app
    from dialer.domain.phone_number import parse_phone
    from dialer.simulator.__main__ import main as simulate

    parse_phone("+919000000001", "IN")  # reads what it knows of the country
    typer.main.get_command = cache(typer.main.get_command)
    typer.main.get_command(app)
    gc.collect()
    gc.freeze()
    return {"dialer": main, "dialer.simulator": lambda: sys.exit(simulate())}


def _become(order: dict[str, Any], streams: list[int]) -> str:
    """Be the process that was ordered, and return what it runs."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.closerange(3, max(os.sysconf("SC_OPEN_MAX"), 1024))
    os.chdir(order["folder"])
    if order["umask"] != -1:
        os.umask(order["umask"])
    os.environ.clear()
    os.environ.update(order["environment"])
    time.tzset()
    sys.stdin = sys.__stdin__ = os.fdopen(0, closefd=False)  # type: ignore[misc]
    sys.stdout = sys.__stdout__ = os.fdopen(1, "w", closefd=False)  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = os.fdopen(2, "w", 1, errors="backslashreplace", closefd=False)  # type: ignore[misc]
    name: str
    name, *words = order["words"]
    sys.argv = ["-c", *words]
    return name
