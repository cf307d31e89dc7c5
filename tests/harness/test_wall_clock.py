"""The watch beside tests of the wall clock notices a machine that stands still."""

from tests.wall_clock import stood_still, timekeeping


def test_a_stop_of_everything_is_noticed() -> None:
    with timekeeping():
        sum(range(10_000_000))  # one call that lets no other thread run
    assert stood_still()
    with timekeeping():
        pass
    assert not stood_still()
