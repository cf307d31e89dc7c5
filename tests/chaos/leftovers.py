"""What must not be found: numbers and keys in logs and in Redis, jobs and lines that nobody needs any more."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dialer.adapters.pacing.script import PacerScript, read_look
from dialer.adapters.queue.arq_queue import pacing_redis
from tests.chaos.agreements import Agreement
from tests.chaos.faults import DIAL_QUEUE, Happened
from tests.chaos.machinery import ACCOUNT
from tests.chaos.numbers import numbers_in


def nothing_told(files: Iterable[Path], happened: Happened, contacts: int, secrets: Iterable[str]) -> Agreement:
    """No log and no look into Redis showed a number or a key."""
    agreement = Agreement("no number and no key in logs and Redis", against=sorted(set(happened.leaks)))
    size = count = 0
    for path in files:
        text = path.read_text(errors="replace")
        size, count = size + len(text), count + 1
        if found := numbers_in(text, contacts):
            agreement.against.append(f"{path.name} holds {len(found)} numbers")
        agreement.against += [f"{path.name} holds a key" for secret in secrets if secret in text]
    agreement.told = (
        f"{count} files with {size:,} characters, {happened.counts['look into Redis']} looks into Redis, "
        f"{contacts:,} numbers"
    )
    return agreement


def jobs_left(client: Any) -> tuple[int, int]:
    """Calls still handed over in Redis: those a worker would take now, and those a killed worker had taken.

    arq keeps a mark on the latter, and drops them when it runs out.
    """
    free = sum(1 for _ in client.scan_iter(match="arq:job:dial:*", count=1000))
    marked = 0
    for job in client.zrange(DIAL_QUEUE, 0, -1):
        if client.pttl(b"arq:in-progress:" + job) > 0:
            marked += 1
        else:
            free += 1
    return free, marked


def lines_held(url: str, identity: str) -> int:
    """Lines that the pacer believes to be in use."""

    async def look() -> int:
        client = pacing_redis(url)
        try:
            return read_look(await PacerScript(client, f"dialer:{identity}:{{{ACCOUNT}}}", 5.0)("look")).lines
        finally:
            await client.aclose()

    return asyncio.run(look())
