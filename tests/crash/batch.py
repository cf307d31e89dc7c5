"""Many cases at the same time: each mostly waits for its own processes."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager

import pytest

from tests.acceptance.dialer_process import QUICK, Provider, provider_process
from tests.crash.cases import FAULTS, PEOPLE, Case, cases, tell

AT_ONCE = 5
Told = Mapping[Case, "Future[None]"]


@contextmanager
def all_told(ledger: Callable[[int], AbstractContextManager[str]]) -> Iterator[Told]:
    """Every case, begun; ``ledger`` opens the nth empty one and closes it again."""
    options = [*QUICK, "--answer-s=0.05,0.1", "--stall-s=3"]
    with provider_process(options) as calm, provider_process(options) as faulty:
        faulty.change(faults=FAULTS)

        def live(nth: int, case: Case) -> None:
            with ledger(nth) as url:
                tell(case, url, _at(calm, faulty, case), nth * PEOPLE)

        pool = ThreadPoolExecutor(AT_ONCE)
        try:
            yield {case: pool.submit(live, nth, case) for nth, case in enumerate(cases())}
        finally:
            pool.shutdown(cancel_futures=True)


def _at(calm: Provider, faulty: Provider, case: Case) -> Provider:
    return faulty if case.faulty else calm


each_case = pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
