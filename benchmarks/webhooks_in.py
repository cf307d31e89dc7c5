"""How soon ``dialer serve`` answers webhooks, at a rate that does not wait for the answers.

python benchmarks/webhooks_in.py [--rate 1000] [--seconds 60] [--connections 50] [--engines sqlite,postgresql] [--json]

Each webhook is signed and another one; a fifth say that a call is over, and ring for the log. Every answer is timed
from the moment when its webhook was due to leave. Printed are the times within which half and 99 % were answered, the
longest, the answers by status, how many the ledger then holds, and the CPU of the server as a share of a core.
"""

import argparse
import asyncio
import hmac
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from hashlib import sha256
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.console import SQLITE, TOKEN, connected, database, served
from benchmarks.cost_per_call import cpu_s
from dialer.adapters.ledger.migrate import migrate
from tests.acceptance.dialer_process import Home
from tests.hook_steps import ANSWERED
from tests.redis_server import running_redis

SECRET = "a-secret-of-this-benchmark"
PATH = "the-path-of-this-bench00"
KEEP_PATH = f"INSERT INTO ledger_facts (name, value) VALUES ('webhook-path:vaanivoice', '{PATH}')"


@dataclass(frozen=True, slots=True)
class Answered:
    """All of a run; ms."""

    engine: str
    rate: float
    half_ms: float
    p99_ms: float
    longest_ms: float
    statuses: dict[str, int]
    kept: int
    cpu_share: float


def requests(host: str) -> Iterator[bytes]:
    """Webhooks as they go over the wire."""
    for n in count():
        body = json.dumps({"event": ANSWERED[n % len(ANSWERED)], "room_name": f"room-{n // 5}", "status": "x"}).encode()
        digest = hmac.new(SECRET.encode(), body, sha256).hexdigest()
        head = f"POST /hooks/vaanivoice/{PATH} HTTP/1.1\r\nHost: {host}\r\nX-Webhook-Signature: {digest}\r\n"
        yield f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def one_sender(
    host: str, port: int, due: "asyncio.Queue[tuple[float, bytes] | None]", took: list[float], statuses: Counter[str]
) -> None:
    """A connection that sends what is due, one after another."""
    reader, writer = await asyncio.open_connection(host, port)
    while (one := await due.get()) is not None:
        at, request = one
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        took.append((time.perf_counter() - at) * 1000)
        statuses[head.split(b" ", 2)[1].decode()] += 1
    writer.close()


async def send_all(url: str, rate: float, seconds: float, connections: int) -> tuple[list[float], Counter[str]]:
    """Times and statuses of the answers."""
    where = urlsplit(url)
    due: asyncio.Queue[tuple[float, bytes] | None] = asyncio.Queue()
    took, statuses = list[float](), Counter[str]()
    host, port = str(where.hostname), int(where.port or 80)
    senders = [asyncio.create_task(one_sender(host, port, due, took, statuses)) for _ in range(connections)]
    made, began = requests(where.netloc), time.perf_counter()
    for n in range(int(rate * seconds)):
        at = began + n / rate
        await asyncio.sleep(max(0.0, at - time.perf_counter()))
        due.put_nowait((at, next(made)))
    for _ in senders:
        due.put_nowait(None)
    await asyncio.gather(*senders)
    return took, statuses


def run(engine: str, rate: float, seconds: float, connections: int) -> Answered:
    """One engine."""
    with tempfile.TemporaryDirectory() as folder, database(engine, Path(folder)) as url, running_redis() as redis:
        migrate(url)
        with connected(url) as connection:
            connection.execute(KEEP_PATH)
        settings = {"DIALER_WEB_TOKEN": TOKEN, "DIALER_WEBHOOK_SECRET": SECRET, "DIALER_REDIS_URL": redis.url}
        if engine != SQLITE:
            settings["DIALER_DATABASE_URL"] = url
        with served(Home(Path(folder), settings)) as (address, pid):
            before, began = cpu_s(pid), time.perf_counter()
            took, statuses = asyncio.run(send_all(address, rate, seconds, connections))
            share = (cpu_s(pid) - before) / (time.perf_counter() - began)
            with connected(url) as connection:
                kept = connection.execute("SELECT count(*) FROM webhooks").fetchone()[0]
    took.sort()
    half, p99 = took[len(took) // 2], took[int(len(took) * 0.99)]
    return Answered(engine, rate, half, p99, took[-1], dict(statuses), kept, share)


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=1000)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--engines", default="sqlite,postgresql")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    runs = [run(engine, given.rate, given.seconds, given.connections) for engine in given.engines.split(",")]
    if given.json:
        print(json.dumps([asdict(one) for one in runs]))
        return
    for one in runs:
        print(
            f"{one.engine}: {one.rate:g}/s, half within {one.half_ms:.1f} ms, 99 % within {one.p99_ms:.1f} ms, longest "
            f"{one.longest_ms:.0f} ms; {one.statuses}, {one.kept} kept; {one.cpu_share:.2f} of a core"
        )


if __name__ == "__main__":
    main()
