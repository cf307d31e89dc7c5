"""``dialer redial``: those who did not answer are called once more, and what was asked wrongly is refused."""

import pytest

from tests.acceptance.conftest import OpenHome, OpenProvider
from tests.acceptance.dialer_process import Home, dialing, number, write_list

LIST = [number(n) for n in range(10)]
MISSED = {LIST[1], LIST[3]}


@pytest.fixture
def home(open_provider: OpenProvider, open_home: OpenHome) -> Home:
    """A list that was dialed: two did not answer."""
    provider = open_provider("--outcomes=answered=1", *(f"--outcome-by-number={one[-4:]}=no_answer" for one in MISSED))
    made = open_home(provider)
    made.command("run", str(write_list(made.path / "list.csv", 10)), *dialing())
    return made


def test_those_who_did_not_answer_are_called_once_more(home: Home) -> None:
    looked = home.command("redial", "list", "--outcome", "no_answer", "--check", "--json").json()
    assert looked == {"campaign": "list", "outcomes": ["no_answer"], "people": 2, "skipped": {}}
    assert home.report()["status"] == "finished"
    home.command("suppress", "add", LIST[3])
    asked = ("redial", "list", "--outcome", "no_answer,voicemail", "--reason", "again")
    said = home.command(*asked).out
    assert said == "list: called again: 1 (no_answer, voicemail)\n  not called again: 1, suppressed: do not call\n"
    home.command("run", str(home.path / "list.csv"), *dialing())
    tries = {row["phone"]: int(row["attempts"]) for row in home.export()}
    assert tries == {one: 2 if one == LIST[1] else 1 for one in LIST}


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ("no_anser", 'did you mean "no_answer"?'),
        ("invalid_number", "correct the number in the list"),
        (",", "give --outcome"),
    ],
)
def test_another_word_is_refused(home: Home, outcome: str, words: str) -> None:
    ended = home.command("redial", "list", "--outcome", outcome, code=2)
    assert words in ended.err
    assert "Traceback" not in ended.err
