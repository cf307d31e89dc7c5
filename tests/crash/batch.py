"""Many cases at the same time: each mostly waits for its own processes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager

from tests.crash.cases import Case, tell

AT_ONCE = 4
DEATHS = 0.75
"""Of the cases: where two share the work, the other may be quicker at all of it, and nobody dies."""
Told = Mapping[Case, "Future[bool]"]


@contextmanager
def all_told(chosen: Sequence[Case], ledger: Callable[[int], AbstractContextManager[str]]) -> Iterator[Told]:
    """Every case, begun; ``ledger`` opens the nth empty one and closes it again."""

    def live(nth: int, case: Case) -> bool:
        with ledger(nth) as url:
            return tell(case, url)

    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        yield {case: pool.submit(live, nth, case) for nth, case in enumerate(chosen)}
    finally:
        pool.shutdown(cancel_futures=True)
