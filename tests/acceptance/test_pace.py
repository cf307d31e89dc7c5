"""Calls per second and lines, computed from the provider's books."""

import pytest

from tests.acceptance.conftest import OpenHome, OpenProvider
from tests.acceptance.dialer_process import Books, dialing, write_list
from tests.wall_clock import WALL_CLOCK

pytestmark = [pytest.mark.acceptance, *WALL_CLOCK]

LOG_DELAY_S, INTERVAL_S = 0.5, 1.0


def pace_used(books: Books, rate: float) -> float:
    """The part of the pace that was used between the first and the last request."""
    at = books.placing
    return (len(at) - 1) / (at[-1] - at[0]) / rate


def idle_s(books: Books, lines: int) -> list[float]:
    """For each call's end after which a contact was left: how long until another call took the line."""
    begun = sorted(call["accepted_at"] for call in books.calls)
    ends = sorted(call["ended_at"] for call in books.calls)
    return [start - end for start, end in zip(begun[lines:], ends, strict=False)]


def test_300_calls_at_25_a_second(open_provider: OpenProvider, open_home: OpenHome) -> None:
    provider = open_provider()
    home = open_home(provider)
    contacts = write_list(home.path / "list.csv", 300)
    report = home.command("run", str(contacts), *dialing(rate=25), "--json").json()
    books = provider.books()
    assert len(books.placing) == 300
    assert books.most_in_a_second() <= 26
    assert pace_used(books, 25) >= 0.985
    assert report["calls_per_second"]["configured"] == 25
    assert report["calls_per_second"]["measured"] == pytest.approx(25 * pace_used(books, 25), rel=0.03)


def test_twelve_lines_are_kept_busy_and_never_thirteen(open_provider: OpenProvider, open_home: OpenHome) -> None:
    provider = open_provider(f"--log-delay-s={LOG_DELAY_S}", "--talk-s=0.5,2")
    home = open_home(provider, DIALER_RECONCILE_INTERVAL_S=str(INTERVAL_S))
    contacts = write_list(home.path / "list.csv", 120)
    home.command("run", str(contacts), *dialing(lines=12), within_s=90)
    books = provider.books()
    assert len(books.calls) == 120
    assert books.most_live() == 12
    idle = sorted(idle_s(books, 12))
    told = ", ".join(f"{share:.0%}: {idle[int(share * (len(idle) - 1))]:.2f} s" for share in (0, 0.5, 0.9, 0.99, 1))
    assert idle[-1] <= LOG_DELAY_S + INTERVAL_S, f"lines idle for {told}"


def test_the_rate_and_the_lines_of_the_account_hold_over_campaigns(
    open_provider: OpenProvider, open_home: OpenHome
) -> None:
    provider = open_provider()
    home = open_home(
        provider, DIALER_VAANIVOICE_CALLS_PER_SECOND="20", DIALER_VAANIVOICE_CONCURRENT_CALLS="15"
    )  # fmt: skip
    for name, first in (("one", 0), ("two", 100)):
        contacts = write_list(home.path / f"{name}.csv", 60, first)
        home.command("enqueue", str(contacts), "--name", name, *dialing())
    home.start("worker")
    home.until_status("finished", name="one")
    home.until_status("finished", name="two")
    books = provider.books()
    assert {len(one) for one in books.by_number().values()} == {1}
    assert len(books.calls) == 120
    assert books.most_in_a_second() <= 21
    assert books.most_live() <= 15
