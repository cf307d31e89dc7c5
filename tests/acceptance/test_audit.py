"""``dialer audit``: whoever acted on a campaign or on the list is found again, and a changed row is noticed."""

import os
import platform
import pwd
import sqlite3

import pytest

from tests.acceptance.conftest import OpenHome
from tests.acceptance.dialer_process import Provider, dialing, number, write_list

pytestmark = pytest.mark.acceptance


def test_every_act_of_an_operator_is_told_with_who_and_why(open_home: OpenHome) -> None:
    home = open_home(Provider("http://127.0.0.1:9"))
    contacts = write_list(home.path / "list.csv", 3)
    home.command("enqueue", str(contacts), *dialing())
    home.command("pause", "list", "--reason", "the agent says the wrong thing")
    home.command("enqueue", str(contacts), *dialing(rate=3))
    home.command("resume", "list")
    home.command("suppress", "add", number(0), "--reason", "asked us")
    home.command("suppress", "remove", number(0), "--reason", "changed their mind")
    home.command("suppress", "list")
    home.command("export", "list", "--reason", "for the client")
    home.command("cancel", "list")
    acts = home.command("audit", "--json").json()
    me = f"{pwd.getpwuid(os.getuid()).pw_name}@{platform.node()}"
    assert {act["who"] for act in acts} == {me}
    assert [(act["act"], act["campaign"]) for act in acts] == [
        ("create", "list"), ("import", "list"), ("reopen", "list"), ("pause", "list"), ("change", "list"),
        ("import", "list"), ("resume", "list"), ("suppress", ""), ("unsuppress", ""), ("export", ""),
        ("export", "list"), ("cancel", "list"),
    ]  # fmt: skip
    why = {act["act"]: act["why"] for act in acts if act["act"] != "export"}
    assert (why["pause"], why["unsuppress"]) == ("the agent says the wrong thing", "changed their mind")
    assert acts[-2]["why"] == "for the client"
    told = home.command("audit", "list")
    assert "pace.calls_per_second 0.0 -> 3.0" in told.out
    assert "running -> paused" in told.out
    everything = told.out + home.command("audit").out
    assert number(0)[3:] not in "".join(everything.split())
    assert f"last moved      cancel by {me}" in home.command("report", "list").out
    assert "whole: 12 acts" in home.command("audit", "--verify").err
    assert home.command("audit", "lost", code=2).out == ""


def test_a_row_that_was_changed_behind_the_programs_back_is_noticed(open_home: OpenHome) -> None:
    home = open_home(Provider("http://127.0.0.1:9"))
    home.command("enqueue", str(write_list(home.path / "list.csv", 1)), *dialing())
    home.command("pause", "list")
    with sqlite3.connect(home.path / "home" / "ledger.db") as ledger:
        ledger.execute("DROP TRIGGER acts_kept_UPDATE")
        ledger.execute("UPDATE acts SET who = 'nobody' WHERE act = 'pause'")
    ledger.close()
    ended = home.command("audit", "--verify", code=1)
    assert "broken: act 4 is not as it was written" in ended.err


def test_words_that_are_no_text_are_kept_as_far_as_they_are(open_home: OpenHome) -> None:
    home = open_home(Provider("http://127.0.0.1:9"))
    contacts = write_list(home.path / os.fsdecode(b"bad\xff.csv"), 1)
    reason = os.fsdecode(b"asked\xff")
    home.command("enqueue", str(contacts), "--name", "list", *dialing())
    home.command("pause", "list", "--reason", reason)
    home.command("suppress", "add", number(0), "--reason", reason)
    told = {act["act"]: (act["subject"], act["why"]) for act in home.command("audit", "--json").json()}
    assert told["import"][0].endswith("bad\ufffd.csv")
    assert (told["pause"][1], told["suppress"][1]) == ("asked\ufffd", "asked\ufffd")
