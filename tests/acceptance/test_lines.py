"""Lines, counted from the provider's books: what holds at any speed. Speeds are printed by benchmarks/run_pace.py."""

import pytest

from tests.acceptance.conftest import OpenHome, OpenProvider
from tests.acceptance.dialer_process import dialing, write_list

pytestmark = pytest.mark.acceptance


def test_no_line_more_than_a_campaign_has_is_ever_used(open_provider: OpenProvider, open_home: OpenHome) -> None:
    provider = open_provider("--log-delay-s=0.5", "--talk-s=0.5,2")
    home = open_home(provider)
    contacts = write_list(home.path / "list.csv", 60)
    home.command("run", str(contacts), *dialing(lines=12))
    books = provider.books()
    assert {len(calls) for calls in books.by_number().values()} == {1}
    assert len(books.calls) == 60
    assert books.most_live() <= 12


def test_the_lines_of_the_account_hold_over_campaigns(open_provider: OpenProvider, open_home: OpenHome) -> None:
    provider = open_provider("--talk-s=0.5,2")
    home = open_home(provider, DIALER_VAANIVOICE_CONCURRENT_CALLS="15")
    for name, first in (("one", 0), ("two", 100)):
        contacts = write_list(home.path / f"{name}.csv", 40, first)
        home.command("enqueue", str(contacts), "--name", name, *dialing())
    home.start("worker")
    home.until_status("finished", name="one")
    home.until_status("finished", name="two")
    books = provider.books()
    assert {len(calls) for calls in books.by_number().values()} == {1}
    assert len(books.calls) == 80
    assert books.most_live() <= 15
