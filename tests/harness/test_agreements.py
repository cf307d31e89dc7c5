"""The judges of a chaos run: a story that is in order passes, and each lie is found by the one it concerns."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.agreements import TOKEN, Evidence
from tests.chaos.faults import Happened, Span, Struck
from tests.chaos.leftovers import nothing_told
from tests.chaos.pace import others_go_on
from tests.chaos.records import Records
from tests.chaos.run import agreements_of
from tests.chaos.schedule import FLOORS_BY_FAULT, PROVIDER_FAULTS, THROTTLING, floor_by_chance, floor_of

PERSON, OTHER = "+919000000000", "+919000000001"
PATH = "/api/trigger-call/"
Story = dict[str, list[dict[str, Any]]]


def _story() -> Story:
    """One person, called once, who answered."""
    return {
        "calls": [
            {
                "call_id": "outbound-1", "to": PERSON, "variables": {TOKEN: "t1"}, "outcome": "answered",
                "asked_at": 100.0, "accepted_at": 100.0, "ended_at": 101.0, "visible_at": 101.3, "row_fault": None,
            }
        ],
        "requests": [{"at": 100.0, "method": "POST", "path": PATH, "status": 200, "fault": None}],
        "contacts": [{"phone": PERSON, "status": "reached"}],
        "attempts": [
            {
                "id": 1, "phone": PERSON, "state": "ended", "disposition": "answered", "dialed_at": 99.9,
                "worker": "host:1",
            }
        ],
        "sends": [
            {
                "token": "t1", "attempt_id": 1, "class": "placed", "requests": 1, "reason": "",
                "started_at": 99.9, "answered_at": 100.1,
            }
        ],
        "events": [
            {"attempt_id": 1, "before": "queued", "after": "dialing", "actor": "worker"},
            {"attempt_id": 1, "before": "dialing", "after": "placed", "actor": "worker"},
            {"attempt_id": 1, "before": "placed", "after": "ended", "actor": "reconciler"},
        ],
        "log_rows": [{"call_id": "outbound-1", "attempt_id": 1}],
    }  # fmt: skip


def _seen(story: Story, happened: Happened) -> Evidence:
    records = Records(
        campaigns=[],
        contacts=story["contacts"],
        attempts=story["attempts"],
        sends=story["sends"],
        events=story["events"],
        suppressions=[{"phone": phone} for phone in happened.suppressed_at],
        log_rows=story["log_rows"],
    )
    return Evidence(story["calls"], story["requests"], records)


def _broken(story: Story, happened: Happened) -> set[str]:
    found = agreements_of(_seen(story, happened), happened, {PERSON: 0})
    return {one.name for one in found if not one.holds}


def _calm() -> Happened:
    return Happened(rates=[(0.0, 1.0, 25.0)], lines=[(0.0, 1.0, 60.0)])


def test_a_story_in_order_passes() -> None:
    assert _broken(_story(), _calm()) == set()


def _called_twice(story: Story) -> None:
    story["calls"].append(story["calls"][0] | {"call_id": "outbound-2", "accepted_at": 200.0, "ended_at": 201.0})


def _two_at_once(story: Story) -> None:
    story["calls"].append(story["calls"][0] | {"call_id": "outbound-2", "accepted_at": 100.5})


def _called_again(story: Story, outcome: str, seconds: float) -> None:
    story["calls"][0]["outcome"] = story["attempts"][0]["disposition"] = outcome
    at = story["calls"][0]["ended_at"] + seconds
    story["calls"].append(
        story["calls"][0]
        | {"call_id": "outbound-2", "variables": {TOKEN: "t2"}, "outcome": "answered"}
        | {"asked_at": at, "accepted_at": at, "ended_at": at + 1, "visible_at": at + 1.3}
    )
    story["attempts"].append(story["attempts"][0] | {"id": 2, "disposition": "answered"})
    story["sends"].append(story["sends"][0] | {"attempt_id": 2, "token": "t2", "started_at": at, "answered_at": at})
    story["events"] += [event | {"attempt_id": 2} for event in story["events"]]
    story["requests"].append(story["requests"][0] | {"at": at})


@pytest.mark.parametrize(
    ("outcome", "seconds", "broken"),
    [
        ("no_answer", 3.7, set()),
        ("no_answer", 3.5, {"called again only when due"}),
        ("answered", 1000.0, {"called again only when due"}),
    ],
)
def test_a_second_call_has_to_be_due(outcome: str, seconds: float, broken: set[str]) -> None:
    story = _story()
    _called_again(story, outcome, seconds)
    assert _broken(story, _calm()) == broken


def test_a_second_call_is_due_when_the_log_hid_the_first() -> None:
    story = _story()
    _called_again(story, "answered", 40.0)
    story["calls"][0]["visible_at"] = None
    assert _broken(story, _calm()) == set()


def _change(table: str, **values: Any) -> Callable[[Story], None]:
    def change(story: Story) -> None:
        story[table][0] |= values

    return change


def _crowd(story: Story) -> None:
    story["requests"] += [story["requests"][0] | {"at": 100.0 + n / 30} for n in range(27)]


def _stranger(story: Story) -> None:
    story["log_rows"].append({"call_id": "outbound-9", "attempt_id": 1})


@pytest.mark.parametrize(
    ("lie", "found_by"),
    [
        (_called_twice, "no attempt called twice"),
        (_two_at_once, "no attempt called twice"),
        (_change("contacts", status="active"), "nobody lost"),
        (_change("contacts", phone=OTHER), "nobody lost"),
        (_change("attempts", state="placed"), "nobody lost"),
        (_change("sends", **{"class": "not_placed"}), "every call known"),
        (_change("sends", token="t2"), "every call known"),
        (_change("calls", to=OTHER), "every call known"),
        (_change("attempts", disposition="busy"), "outcomes equal"),
        (_change("attempts", state="refused", disposition="rejected"), "outcomes equal"),
        (lambda story: story["calls"].clear(), "attempts spent = calls + unconfirmed"),
        (_change("attempts", state="cancelled"), "attempts spent = calls + unconfirmed"),
        (lambda story: story["events"].pop(1), "events replay"),
        (_change("events", actor="feeder"), "events replay"),
        (_change("attempts", state="unconfirmed"), "absence from the log was true"),
        (_stranger, "calls of strangers belong to nobody"),
        (_crowd, "rate kept"),
        (lambda story: story["requests"].append(story["requests"][0]), "requests received = requests sent"),
        (lambda story: story["requests"].clear(), "requests received = requests sent"),
    ],
)
def test_each_lie_is_found(lie: Callable[[Story], object], found_by: str) -> None:
    story = _story()
    lie(story)
    assert found_by in _broken(story, _calm())


@pytest.mark.parametrize(
    ("change", "found_by"),
    [
        ({"lines": [(0.0, 1.0, 0.0)]}, "lines kept"),
        ({"pauses": [Span(99.0, 101.0)]}, "nothing sent while paused"),
        ({"suppressed_at": {PERSON: 99.0}}, "nobody suppressed is called"),
    ],
)
def test_what_an_operator_was_promised_is_judged(change: dict[str, Any], found_by: str) -> None:
    happened = _calm()
    for name, value in change.items():
        setattr(happened, name, value)
    assert _broken(_story(), happened) == {found_by}


def test_a_limit_that_was_raised_is_judged_by_the_higher_one_until_it_is_in_force() -> None:
    story, happened = _story(), _calm()
    _crowd(story)
    happened.rates = [(0.0, 1.0, 30.0), (99.0, 100.0, 25.0)]
    assert "rate kept" not in _broken(story, happened)
    happened.rates = [(0.0, 1.0, 30.0), (96.0, 97.0, 25.0)]
    assert "rate kept" in _broken(story, happened)


@pytest.mark.parametrize(
    ("dialed", "paused", "holds"),
    [
        ([(101.0, 2), (140.0, 1)], [], True),
        ([(101.0, 1), (140.0, 2)], [], False),
        ([(101.0, 1), (140.0, 2)], [Span(110.0, 111.0)], True),
        ([(101.0, 1), (110.0, 2)], [], True),
    ],
    ids=["another goes on", "nobody else calls", "everybody was paused", "the list is over"],
)
def test_whoever_is_killed_holds_up_nobody(dialed: list[tuple[float, int]], paused: list[Span], holds: bool) -> None:
    story, happened = _story(), Happened(struck=[Struck("killed", 1, 100.0)], pauses=paused)
    story["attempts"] = [story["attempts"][0] | {"dialed_at": at, "worker": f"host:{pid}"} for at, pid in dialed]
    assert others_go_on(_seen(story, happened), happened).holds is holds


@pytest.mark.parametrize("told", ["9000000007", "+91 90000 00007", "0091-9000000007", "sim-key"])
def test_a_number_or_a_key_in_a_log_is_found(tmp_path: Path, told: str) -> None:
    log = tmp_path / "worker.err"
    log.write_text(f'{{"event": "x", "to": "{told}"}}\n')
    assert not nothing_told([log], Happened(), 10, ["sim-key"]).holds
    log.write_text('{"event": "x", "id": "aa9000000007bb", "to": "9000000011"}\n')
    assert nothing_told([log], Happened(), 10, ["sim-key"]).holds


def test_floors_are_those_of_the_plan_at_full_size_and_what_chance_allows_below() -> None:
    assert (floor_of(20, 10_000), floor_of(0.3, 1000)) == (200, 1)
    floors = {what: floor_by_chance(names, share, 10_000, 30_000) for what, (names, share) in FLOORS_BY_FAULT.items()}
    assert (floors["429"], floors["500"], floors["request arrives 3 to 12 s late"]) == (400, 250, 10)
    assert min(floors.values()) >= 10
    assert floor_by_chance(("late",), 1, 300, 100) == 0
    assert {name for names, _ in FLOORS_BY_FAULT.values() for name in names} == set(PROVIDER_FAULTS) | set(THROTTLING)
