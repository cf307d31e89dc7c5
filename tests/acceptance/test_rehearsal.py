"""A rehearsal leaves no trace on reality: `dialer run LIST`, and then the same list in earnest."""

import pytest

from tests.acceptance.conftest import OpenHome, OpenProvider
from tests.acceptance.dialer_process import campaign_file, dialing, number, write_list

pytestmark = pytest.mark.acceptance

PEOPLE = 8
LIMITED = """provider = "vaanivoice"
[limits]
per_day = 1
lifetime = 1
silence = "7d"
[window]
days = "always"
rules = "off"
rules_reason = "a test"
"""


@pytest.mark.parametrize("ledger", ["sqlite", "postgresql"])
def test_the_first_real_run_after_a_rehearsal_calls_everybody_once(
    open_provider: OpenProvider, open_home: OpenHome, ledger: str, request: pytest.FixtureRequest
) -> None:
    provider = open_provider("--outcomes=answered=1")
    url = {"DIALER_DATABASE_URL": request.getfixturevalue("empty_database")} if ledger == "postgresql" else {}
    home = open_home(provider, **url)
    contacts = write_list(home.path / "list.csv", PEOPLE)
    barred = home.path / "barred.csv"
    barred.write_text(f"phone\n{number(0)}\n", encoding="utf-8")
    home.command("suppress", "import", str(barred))

    rehearsed = home.command("run", str(contacts), "--json").json()
    assert (rehearsed["provider"], rehearsed["contacts"]["suppressed"]) == ("simulator", 1)
    assert home.report()["provider"] == "simulator"
    assert provider.placed() == 0

    limits = campaign_file(home, LIMITED)
    real = home.command("run", str(contacts), *limits, "--json").json()
    assert (real["campaign"], real["provider"], real["contacts"]["reached"]) == ("list", "vaanivoice", PEOPLE - 1)
    called = {phone: len(calls) for phone, calls in provider.books().by_number().items()}
    assert called == {number(n): 1 for n in range(1, PEOPLE)}

    assert home.report()["provider"] == "vaanivoice"
    assert home.report("rehearsal:list")["provider"] == "simulator"
    told = home.command("attempts", number(1)).out
    assert "· list (rehearsal) ·" in told
    assert "· list · " in told
    again = home.command("run", str(contacts), "--json").json()
    assert again["provider"] == "simulator"
    assert provider.placed() == PEOPLE - 1


def test_a_campaign_that_has_begun_keeps_its_provider(open_provider: OpenProvider, open_home: OpenHome) -> None:
    provider = open_provider("--outcomes=answered=1")
    home = open_home(provider)
    contacts = write_list(home.path / "list.csv", 2)
    home.command("run", str(contacts), *dialing("vaanivoice", rate=20))
    for command in ("run", "enqueue"):
        refused = home.command(command, str(contacts), *dialing("vaani"), code=2)
        assert "--name" in refused.err
        assert "vaanivoice" in refused.err
        assert len(refused.err.strip().splitlines()) == 1
    assert provider.placed() == 2
    home.command("run", str(contacts), *dialing("vaani", rate=20), "--name", "other")
    assert provider.placed() == 4
