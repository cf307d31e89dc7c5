"""Which attempt does a row of the call log belong to?"""

from dataclasses import dataclass, replace

import pytest

from dialer.domain.call import CallLog
from dialer.domain.matching import Match, Matcher, contradicts, is_agents, same_number

NUMBER, OTHER = "+14155550001", "+14155550002"


@dataclass(frozen=True)
class Waiting:
    attempt_id: int
    call_id: str | None = None
    token: str = ""
    phone: str = NUMBER
    agent: str = "agent"
    dialed_at: float = 1000.0


ROW = CallLog("call-1", NUMBER, "agent", 1010.0, None, None, None, "")


def matcher(*waiting: Waiting, ids_are_final: bool = True) -> Matcher:
    made = Matcher(before_s=300.0, after_s=600.0, ids_are_final=ids_are_final)
    made.add(waiting)
    return made


def test_the_call_id_is_the_strongest_evidence() -> None:
    found = matcher(Waiting(1, dialed_at=1010.0), Waiting(2, call_id="call-1"))
    assert found.by_id(ROW) == Match(2, "call id")


@pytest.mark.parametrize("shown", [replace(ROW, to_number=OTHER), replace(ROW, token="t-other")])
def test_an_id_whose_row_shows_another_number_or_token_proves_nothing(shown: CallLog) -> None:
    found = matcher(Waiting(1, call_id="call-1", token="t1"))
    assert found.by_id(shown) is None
    ours = replace(ROW, call_id="call-2", token="t1")
    assert found.by_token(ours) == Match(1, "token"), "its own row is found by other evidence"


def test_two_attempts_that_were_told_one_id_get_their_own_rows() -> None:
    found = matcher(Waiting(1, call_id="call-1"), Waiting(2, call_id="call-1", phone=OTHER))
    assert found.by_id(replace(ROW, to_number=NUMBER)) == Match(1, "call id")
    assert found.likely(replace(ROW, call_id="call-2", to_number=OTHER)) == Match(2, "number and time")


def test_our_token_comes_next() -> None:
    found = matcher(Waiting(1, token="t1"), Waiting(2, token="t2"))
    assert found.by_token(replace(ROW, token="t2")) == Match(2, "token")
    assert found.by_token(replace(ROW, token="t3")) is None
    assert found.by_token(ROW) is None


def test_number_and_time_are_the_last() -> None:
    assert matcher(Waiting(7)).likely(ROW) == Match(7, "number and time")
    assert matcher(Waiting(7, phone=OTHER)).likely(ROW) is None


@pytest.mark.parametrize(("started_at", "fits"), [(699.9, False), (700.0, True), (1600.0, True), (1600.1, False)])
def test_a_call_begins_near_its_intent(started_at: float, fits: bool) -> None:
    assert (matcher(Waiting(7)).likely(replace(ROW, started_at=started_at)) is not None) is fits


@pytest.mark.parametrize(
    "row",
    [replace(ROW, outbound=False), replace(ROW, started_at=None), replace(ROW, token="somebody else's")],
)
def test_a_call_of_another_kind_is_not_ours(row: CallLog) -> None:
    assert matcher(Waiting(7)).likely(row) is None


def test_of_several_that_fit_the_nearest_in_time_has_the_row() -> None:
    older, nearer = Waiting(1, dialed_at=720.0), Waiting(2, dialed_at=1015.0)
    assert matcher(older, nearer).likely(ROW) == Match(2, "number and time")
    assert matcher(older, nearer).likely(replace(ROW, started_at=730.0)) == Match(1, "number and time")


def test_an_attempt_is_given_to_one_row_only() -> None:
    found = matcher(Waiting(1, token="t1"), Waiting(2, dialed_at=900.0))
    assert found.by_token(replace(ROW, token="t1")) == Match(1, "token")
    assert found.likely(ROW) == Match(2, "number and time")
    assert found.likely(replace(ROW, call_id="call-2")) is None


def test_an_attempt_whose_call_id_is_known_is_not_guessed() -> None:
    known = Waiting(1, call_id="call-9")
    assert matcher(known).likely(ROW) is None
    assert matcher(known, ids_are_final=False).likely(ROW) == Match(1, "number and time")


@pytest.mark.parametrize(
    ("row", "evidence"),
    [
        (replace(ROW, token="t1"), "token"),
        (replace(ROW, token="t2"), ""),
        (replace(ROW, started_at=995.0), "number and time"),
        (replace(ROW, started_at=994.9), ""),
        (replace(ROW, started_at=1120.0), "number and time"),
        (replace(ROW, started_at=1120.1), ""),
        (replace(ROW, started_at=None), ""),
        (replace(ROW, to_number=OTHER), ""),
        (replace(ROW, token="t1", outbound=False), ""),
    ],
)
def test_a_row_may_give_the_lie_to_an_answer(row: CallLog, evidence: str) -> None:
    assert contradicts(row, "t1", NUMBER, 1000.0) == evidence


def test_a_second_call_for_one_request_stays_unexplained() -> None:
    found = matcher(Waiting(1, call_id="call-1", token="t1"))
    assert found.by_token(replace(ROW, call_id="call-2", token="t1")) is None
    lost = matcher(Waiting(1, token="t1"))
    assert lost.by_token(replace(ROW, token="t1")) == Match(1, "token")
    assert lost.by_token(replace(ROW, call_id="call-2", token="t1")) is None


@pytest.mark.parametrize(
    ("shown", "fits"),
    [("+4155550001", True), ("+04155550001", True), ("+5550001", True), ("+550001", False), ("+444155550001", False),
     ("", False)],
)  # fmt: skip
def test_a_number_may_be_shown_without_its_country_code(shown: str, fits: bool) -> None:
    row = replace(ROW, to_number=shown)
    assert (matcher(Waiting(7)).likely(row) is not None) is fits
    assert (contradicts(row, "t1", NUMBER, 1000.0) == "number and time") is fits


def test_an_id_that_never_came_up_leaves_room_for_other_evidence() -> None:
    waiting = (Waiting(1, call_id="gone", token="t1"), Waiting(2, call_id="gone too", phone=OTHER))
    for stranded, found in (((), None), ((1, 2), Match(1, "token"))):
        made = Matcher(300.0, 600.0, ids_are_final=True, stranded=stranded)
        made.add(waiting)
        assert made.by_token(replace(ROW, token="t1")) == found
        by_number = made.likely(replace(ROW, to_number=OTHER))
        assert by_number == (Match(2, "number and time") if stranded else None)


@pytest.mark.parametrize(
    ("shown", "fits"),
    [
        ("+1415555?", True), ("+1?0001", True), ("+?0001", True), ("+141?5550001", True), ("+1415?0002", False),
        ("+1416?0001", False), ("+?01", False), ("+1415?5?01", True), ("+01114155550001", True),
    ],
)  # fmt: skip
def test_of_a_masked_number_what_shows_is_compared(shown: str, fits: bool) -> None:
    assert same_number(shown, NUMBER) is fits


def test_a_masked_row_that_fits_two_people_is_nobody_s() -> None:
    masked = replace(ROW, to_number="+1415555?")
    assert matcher(Waiting(1), Waiting(2, phone=OTHER)).likely(masked) is None
    assert matcher(Waiting(1), Waiting(2, phone=OTHER)).likely(replace(ROW, to_number="+1415?0002")) == Match(
        2, "number and time"
    )


@pytest.mark.parametrize(
    ("shown", "name", "agent", "said"),
    [
        ("agent-1", "", "agent-1", True),
        ("agent-2", "", "agent-1", False),
        ("", "", "agent-1", None),
        ("", "desk", "desk", True),
        ("+14155550100", "", "+1 415 555 0100", True),
        ("+4155550100", "", "+14155550100", True),
        ("+14155550199", "", "+14155550100", False),
        ("+1415?", "", "+14155550100", True),
        ("+14?", "", "+14155550100", None),
        ("ag_1", "", "+14155550100", None),
        ("Front Desk", "Front Desk", "front_desk_2", None),
        ("Front Desk", "Front Desk", "front_desk", True),
        ("8cf3373e-0000-4000-8000-000000000001", "Sales Desk", "sales_desk", True),
        ("8cf3373e-0000-4000-8000-000000000001", "Sales Desk", "front", None),
        ("8cf3373e-0000-4000-8000-000000000001", "", "8cf3373e-0000-4000-8000-000000000002", False),
    ],
)
def test_an_agent_is_compared_with_what_is_like_it(shown: str, name: str, agent: str, said: bool | None) -> None:
    assert is_agents(replace(ROW, agent=shown, agent_name=name), agent) is said


def test_another_agent_s_row_is_not_ours() -> None:
    assert matcher(Waiting(1)).likely(replace(ROW, agent="another")) is None


def test_a_row_that_stood_in_the_log_before_the_call_is_not_its_row() -> None:
    found = Matcher(300.0, 600.0, ids_are_final=False, first_seen={"call-1": 990.0})
    found.add([Waiting(1)])
    assert found.likely(replace(ROW, started_at=985.0)) is None
