"""Commands that threads start at the same moment are each a child of ours, with a code and an end of its own."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from tests import forked

THREADS = 6
ROUNDS = 10


def test_threads_that_start_commands_at_the_same_moment_get_each_its_own_code() -> None:
    forked._server.cache_clear()  # so that the threads also race for the server
    together = Barrier(THREADS)

    def codes(_: int) -> list[int]:
        together.wait()
        return [forked.run_forked(["dialer", "no-such-command"]).returncode for _ in range(ROUNDS)]

    with ThreadPoolExecutor(THREADS) as pool:
        assert list(pool.map(codes, range(THREADS))) == [[2] * ROUNDS] * THREADS
