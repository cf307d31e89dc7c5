"""The watch beside tests of the wall clock notices a machine that stands still, or has too much to do."""

from pathlib import Path

import pytest

from tests import wall_clock
from tests.wall_clock import last, stood_still, timekeeping, waited_s


@pytest.fixture
def pressure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    told = tmp_path / "cpu"
    told.write_text("some avg10=0.00 avg60=0.00 avg300=0.00 total=1000000\nfull avg10=0.00 total=0\n")
    monkeypatch.setattr(wall_clock, "PRESSURE", told)
    return told


@pytest.mark.usefixtures("pressure")
def test_a_stop_of_everything_is_noticed() -> None:
    with timekeeping():
        sum(range(10_000_000))  # one call that lets no other thread run
    assert stood_still()
    late_s = last.late_s
    with timekeeping():
        pass
    assert last.late_s < late_s


def test_a_machine_with_too_much_to_do_is_noticed(pressure: Path) -> None:
    with timekeeping():
        pressure.write_text("some avg10=90.00 avg60=9.00 avg300=0.00 total=2000000\n")
    assert stood_still()


def test_a_kernel_that_does_not_tell_is_no_excuse(pressure: Path) -> None:
    assert waited_s() == 1.0
    pressure.unlink()
    assert waited_s() == 0.0
