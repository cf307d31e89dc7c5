"""What many ask for at once goes to the disk together, also while others have the gate."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from dialer.adapters.ledger import SqlLedger, leases
from dialer.adapters.ledger.engines import open_engine
from dialer.adapters.ledger.transaction import Transaction
from tests.fakes.clock import ManualClock


async def test_a_group_grows_while_the_gate_is_waited_for(ledger_url: str, clock: ManualClock) -> None:
    ledger, other = await SqlLedger.open(ledger_url, clock), open_engine(ledger_url)
    store, loop, at_the_gate, commits = ledger._store, asyncio.get_running_loop(), asyncio.Event(), []
    writing = store._engine.writing

    @contextmanager
    def counted(*, serial: bool) -> Iterator[Transaction]:
        commits.append(serial)
        loop.call_soon_threadsafe(at_the_gate.set)
        with writing(serial=serial) as transaction:
            yield transaction

    store._engine.writing = counted  # type: ignore[method-assign]
    try:
        async with asyncio.TaskGroup() as asked:
            with other.writing(serial=True):
                asked.create_task(ledger.sweep())
                await at_the_gate.wait()
                asked.create_task(ledger.finish_campaigns())
                # A lease is renewed in whatever commit comes next.
                renewal = asked.create_task(store.submit(leases.hold, ["feeder"], "one", 3.0, serial=False, first=True))
                await asyncio.sleep(0)
        assert commits == [True]
        assert renewal.result() == [True]
    finally:
        other.close_writer()
        await ledger.aclose()
