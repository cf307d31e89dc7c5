"""A process may open its ledger more than once: what it opens later costs the first one nothing."""

import asyncio
import sys
from pathlib import Path

from dialer.adapters.ledger import SqlLedger
from tests.fakes.clock import ManualClock
from tests.house import SPEC

ANOTHER_PROCESS = """
import asyncio, sys
from dialer.adapters.ledger import SqlLedger
from dialer.adapters.local.system_clock import SystemClock
from tests.house import SPEC

async def use():
    ledger = await SqlLedger.open(sys.argv[1], SystemClock())
    await ledger.open_campaign(SPEC)
    await ledger.aclose()

asyncio.run(use())
"""


async def test_another_process_that_closes_the_ledger_leaves_it_to_who_has_it_open(tmp_path: Path) -> None:
    url, clock = f"sqlite:///{tmp_path / 'ledger.db'}", ManualClock()
    first = await SqlLedger.open(url, clock)
    await first.open_campaign(SPEC)
    assert len(await first.campaigns()) == 1
    second = await SqlLedger.open(url, clock)  # looks at the file, which must not take the first one's locks away

    other = await asyncio.create_subprocess_exec(
        sys.executable, "-c", ANOTHER_PROCESS, url, cwd=Path(__file__).parents[2]
    )
    assert await other.wait() == 0

    assert (tmp_path / "ledger.db-wal").exists(), "the other process thought that it was the last one"
    await first.move_campaign(1, "start", "test")
    assert [one.status for one in await second.campaigns()] == ["running"]
    await second.aclose()
    await first.aclose()
