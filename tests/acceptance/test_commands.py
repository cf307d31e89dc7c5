"""What commands answer: usage errors that name the place, and JSON alone on stdout."""

import json
from typing import Any

import pytest

from dialer.domain.suppression import hash_of
from tests.acceptance.conftest import OpenHome, OpenProvider
from tests.acceptance.dialer_process import Home, Provider, dialing, number, write_list

pytestmark = pytest.mark.acceptance


@pytest.fixture
def home(open_home: OpenHome) -> Home:
    """A home whose provider is never asked."""
    return open_home(Provider("http://127.0.0.1:9"))


@pytest.mark.parametrize("command", [("campaigns",), ("report", "list"), ("worker",), ("run", "list.csv")])
def test_an_unknown_setting_is_refused_with_the_nearest(home: Home, command: tuple[str, ...]) -> None:
    ended = home.start(*command, DIALER_REDIS_ULR="redis://nowhere").ended()
    assert ended.code == 2
    assert "DIALER_REDIS_ULR" in ended.err
    assert "DIALER_REDIS_URL" in ended.err
    assert ended.out == ""


def test_a_setting_that_cannot_be_obeyed_is_named_and_not_shown(home: Home) -> None:
    ended = home.start("campaigns", DIALER_PROVIDER_TIMEOUT_S="soon").ended()
    assert ended.code == 2
    assert "DIALER_PROVIDER_TIMEOUT_S" in ended.err
    assert "soon" not in ended.err


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('name = "x"\nagnet = "a"\n', ('"agnet"', '"agent"')),
        ('name = "x"\nagent = "a"\n[pace]\ncals_per_second = 2\n', ("[pace]", '"cals_per_second"', "calls_per_second")),
        ('name = "x"\nagent = "a"\n[paces]\n', ("[paces]", '"pace"')),
        ('name = "x"\nagent = "a"\n[redial]\nbusy = "soon"\n', ("busy", "15m")),
        ('name = "x"\nagent = \n', ("line 2",)),
        ('agent = "a"\n', ("name",)),
    ],
)
def test_a_campaign_file_is_refused_at_the_place(home: Home, text: str, named: tuple[str, ...]) -> None:
    contacts = write_list(home.path / "list.csv", 3)
    file = home.path / "campaign.toml"
    file.write_text(text)
    ended = home.command("run", str(contacts), "--campaign", str(file), code=2)
    for word in (str(file), *named):
        assert word in ended.err
    assert len(ended.err.strip().splitlines()) == 1
    assert not (home.path / "home" / "ledger.db").exists()


def test_what_is_missing_is_named(home: Home) -> None:
    contacts = write_list(home.path / "list.csv", 3)
    for words, named in (
        (("run", "lst.csv", *dialing()), "lst.csv"),
        (("enqueue", "lst.csv", *dialing()), "lst.csv"),
        (("check", "lst.csv"), "lst.csv"),
        (("run", str(contacts), "--campaign", "no.toml"), "no.toml"),
        (("enqueue", str(contacts)), "agent"),
        (("suppress", "import", "lst.csv"), "lst.csv"),
    ):
        ended = home.command(*words, code=2)
        assert named in ended.err, words


def test_an_unknown_campaign_is_answered_with_the_nearest(home: Home) -> None:
    contacts = write_list(home.path / "october-renewals.csv", 3)
    home.command("enqueue", str(contacts), *dialing())
    for command in ("report", "export", "start", "pause", "resume", "cancel"):
        ended = home.command(command, "october-renewal", code=2)
        assert "october-renewals" in ended.err
        assert ended.out == ""
    ended = home.command("enqueue", str(contacts), "--campaign", "october-renewal", code=2)
    assert "october-renewals" in ended.err


@pytest.mark.parametrize("words", [("nonsense",), ("run",), ("report", "x", "--jsno"), ("run", "a.csv", "--rate", "x")])
def test_wrong_words_are_usage_errors(home: Home, words: tuple[str, ...]) -> None:
    assert home.command(*words, code=2).out == ""


def test_a_key_that_is_missing_is_named(home: Home) -> None:
    contacts = write_list(home.path / "list.csv", 3)
    for dialect, name in (("vaanivoice", "DIALER_VAANIVOICE_API_KEY"), ("vaani", "DIALER_VAANI_API_KEY")):
        ended = home.start("run", str(contacts), *dialing(dialect), **{name: ""}).ended()
        assert ended.code == 2
        assert name in ended.err


def one_document(home: Home, *words: str, code: int = 0) -> Any:
    """What a command with --json prints: one document and a line end, nothing else."""
    ended = home.command(*words, "--json", code=code)
    document, end = json.JSONDecoder().raw_decode(ended.out)
    assert ended.out[end:] == "\n", words
    return document


def test_json_is_one_document_and_alone(open_provider: OpenProvider, open_home: OpenHome) -> None:
    home = open_home(open_provider("--outcomes=answered=1"))
    contacts, more = write_list(home.path / "list.csv", 5), write_list(home.path / "more.csv", 5, 3)
    barred = home.path / "barred.csv"
    barred.write_text(f"phone,reason\n{number(4)},asked us to stop\n", encoding="utf-8")
    assert one_document(home, "check", str(contacts))["queued"] == 5
    assert one_document(home, "suppress", "import", str(barred))["added"] == 1
    assert one_document(home, "suppress", "add", number(3))["added"] == 1
    assert one_document(home, "suppress", "add", number(3))["already_listed"] == 1
    assert len(one_document(home, "suppress", "list")) == 2
    assert one_document(home, "suppress", "remove", number(3)) == {"removed": 1, "not_listed": 0}
    assert one_document(home, "check", str(contacts))["suppressed"] == 1
    report = one_document(home, "run", str(contacts), *dialing(rate=20))
    assert report.pop("notes") == ['phone numbers from column "Mobile Number"', 'names from column "name"']
    assert (report["import"]["queued"], report["import"]["suppressed"]) == (4, 1)
    assert report["contacts"]["reached"] == 4
    assert one_document(home, "report", "list") == report | {"calls_per_second": home.report()["calls_per_second"]}
    assert one_document(home, "enqueue", str(more), "--name", "later", *dialing())["rows"] == 5
    assert [row["campaign"] for row in one_document(home, "campaigns")] == ["list", "later"]
    (story,) = one_document(home, "attempts", number(0))
    assert story["disposition"] == "answered"
    assert [event["after"] for event in story["events"]][-2:] == ["placed", "ended"]
    assert one_document(home, "attempts", str(story["attempt_id"])) == [story]
    for verb, status in (("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")):
        assert one_document(home, verb, "later") == {"campaign": "later", "status": status}


def test_a_suppression_list_goes_out_and_in_again(home: Home) -> None:
    home.command("enqueue", str(write_list(home.path / "list.csv", 4)), *dialing())
    hashed = hash_of(number(2))
    home.command("suppress", "add", "090000 00000", hashed, "--region", "IN", "--reason", "=asked")
    home.command("suppress", "add", number(1), "--campaign", "list")
    told = home.command("suppress", "list", "--format", "csv").out
    assert [line.rpartition(",")[0] for line in told.splitlines()] == [
        "phone,reason,source,campaign", f"'{number(0)},'=asked,command line,", f"{hashed},'=asked,command line,",
        f"'{number(1)},do not call,command line,list",
    ]  # fmt: skip
    for line in told.splitlines()[1:]:
        of_campaign = ["--campaign", "list"] if ",list," in line else []
        gone = one_document(home, "suppress", "remove", line.split(",")[0], *of_campaign)
        assert gone == {"removed": 1, "not_listed": 0}
    assert home.command("suppress", "list").out.count("\n") == 1
    (home.path / "back.csv").write_text(told + "123,x,,,\n+919000000003,x,,no such,\n", encoding="utf-8")
    again = one_document(home, "suppress", "import", str(home.path / "back.csv"), code=1)
    assert (again["added"], [bad["row"] for bad in again["invalid"]]) == (3, [5, 6])
    assert 'there is no campaign "no such"' in again["invalid"][1]["reason"]
    rows = [json.loads(line) for line in home.command("suppress", "list", "--format", "jsonl").out.splitlines()]
    assert [(row["phone"], row["campaign"]) for row in rows] == [
        (number(0), ""), (hashed, ""), (number(1), "list"),
    ]  # fmt: skip
    assert home.command("suppress", "add", number(1), "--campaign", "none", code=2).out == ""


def test_export_in_json_lines_is_one_object_a_line(home: Home) -> None:
    contacts = write_list(home.path / "list.csv", 3)
    home.command("enqueue", str(contacts), *dialing())
    rows = [json.loads(line) for line in home.command("export", "list", "--format", "jsonl").out.splitlines()]
    assert [row["phone"] for row in rows] == [number(n) for n in range(3)]
    assert rows[0]["variables"]["city"] == "Pune"
