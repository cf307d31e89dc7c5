"""Whether the workers on this host are well, by the files they write. Nothing but the standard library is imported.

``python -m jobs.health`` is the health check of a container: it costs a fiftieth of a whole command. Where the process
answers at DIALER_METRICS_PORT, it is asked there, be it a worker or the page.
"""

import json
import os
import socket
import sys
import time
from pathlib import Path

STALE_S = 15.0
ANSWER_WITHIN_S = 4.0


def uptime_s() -> float:
    """A clock that all processes of this machine share and nobody sets; it goes on while the machine is suspended."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


def heartbeat_file(home: Path) -> Path:
    """Where this process, a worker, says that it is well: one does not vouch for another on its host."""
    return home / "health" / f"{os.uname().nodename}.{os.getpid()}.json"


def forget_the_gone(home: Path) -> None:
    """Remove what workers on this host said that do not run any more."""
    for path in _words(home):
        if not _runs(path):
            path.unlink(missing_ok=True)


def _words(home: Path) -> list[Path]:
    return sorted((home / "health").glob(f"{os.uname().nodename}.*.json"))


def _runs(path: Path) -> bool:
    try:
        os.kill(int(path.name.split(".")[-2]), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        pass  # another user's
    return True


def write_heartbeat(path: Path, well_at: float | None, why: str) -> None:
    """Say when the worker was well last (by ``uptime_s``), and why it is not well now ("": it is)."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps({"well_at": well_at, "why": why}))
    partial.chmod(0o600)
    partial.replace(path)


def ailment(home: Path, now: float) -> str:
    """What is wrong with a worker on this host, in words; "" when each that runs said lately that it is well."""
    words = _words(home)
    running = [path for path in words if _runs(path)]
    if not running:
        return "none runs here any more" if words else "no worker has run here"
    return next(filter(None, (_ailment_of(path, now) for path in running)), "")


def _ailment_of(path: Path, now: float) -> str:
    try:
        ailment = json.loads(path.read_text())
        well_at, why = ailment["well_at"], str(ailment["why"])
    except (OSError, ValueError, KeyError, TypeError) as broken:
        return f"its word cannot be read ({type(broken).__name__})"
    if isinstance(well_at, int | float) and 0 <= now - well_at <= STALE_S:
        return ""
    return why or "no word from it lately"


def not_ready(port: int) -> str:
    """What the process at this port of this host says that is not well with it; "" when it is ready."""
    try:
        with socket.create_connection(("127.0.0.1", port), ANSWER_WITHIN_S) as connection:
            connection.sendall(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            said = b""
            while piece := connection.recv(4096):
                said += piece
    except OSError as failed:
        return f"it does not answer at port {port} ({type(failed).__name__})"
    head, _, body = said.partition(b"\r\n\r\n")
    return "" if head.split(b" ")[1:2] == [b"200"] else body.decode(errors="replace").strip() or "it is not ready"


def main() -> int:
    """Answers the exit code: 0 when it is well. Home and port are those of the environment."""
    port = os.environ.get("DIALER_METRICS_PORT", "")
    home = Path(os.environ.get("DIALER_HOME") or ".dialer").expanduser()
    wrong = not_ready(int(port)) if port.isdecimal() and int(port) else ailment(home, uptime_s())
    print(f"health: {wrong or 'well'}", file=sys.stderr)  # noqa: T201 - a command
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
