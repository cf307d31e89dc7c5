"""Logs whose clock, numbers or agents are not as expected: nobody who talked is called again."""

from dataclasses import replace
from typing import Any

import pytest

from dialer.adapters.ledger import SqlLedger
from dialer.domain.attempt import AttemptState
from dialer.domain.call import CallLog
from dialer.domain.campaign import CampaignStatus
from dialer.domain.contact import ContactStatus
from dialer.domain.disposition import Disposition as D
from dialer.domain.log_clock import shifted
from tests.fakes.clock import ManualClock
from tests.fakes.provider import log_row
from tests.ledger_steps import FullLedger, phone
from tests.log_desk import HORIZON_S, LogDesk


@pytest.fixture
async def ledger(sqlite_ledger_url: str, clock: ManualClock):  # type: ignore[no-untyped-def]
    opened = await SqlLedger.open(sqlite_ledger_url, clock)
    yield opened
    await opened.aclose()


@pytest.mark.parametrize("hours", [5.5, -5.0, 1.0, 12.75, -0.25])
@pytest.mark.parametrize("people", [1, 4])
async def test_a_clock_in_another_zone_is_learned_from_the_first_calls(
    ledger: FullLedger, clock: ManualClock, hours: float, people: int
) -> None:
    desk = await LogDesk(ledger, clock).placed(people)
    desk.show(*(shifted(desk.row(n), hours * 3600) for n in range(people)))
    await desk.tick()
    assert await desk.came_to() == [D.ANSWERED] * people
    ended = [row.ended_at for row in await desk.attempts()]
    assert all(at is not None and abs(at - call.dialed_at) < 60 for at, call in zip(ended, desk.calls, strict=True))


async def test_a_clock_that_was_learned_is_known_after_a_restart(ledger: FullLedger, clock: ManualClock) -> None:
    desk = await LogDesk(ledger, clock).placed(3)
    desk.show(*(shifted(desk.row(n), 19_800) for n in range(2)))
    await desk.tick()
    desk.reconciler = desk.another()
    desk.show(shifted(desk.row(2), 19_800))
    await desk.tick()
    assert await desk.came_to() == [D.ANSWERED] * 3
    assert (await desk.report()).log_notes == ("the log's clock is 5.5 h ahead; its times are read so",)


async def test_where_ids_tell_whose_a_row_is_its_times_are_corrected_too(
    ledger: FullLedger, clock: ManualClock
) -> None:
    desk = await LogDesk(ledger, clock, ids=True).placed(1)
    desk.show(shifted(desk.row(0, D.NO_ANSWER), -5 * 3600))
    await desk.tick()
    first, redial = await desk.attempts()
    assert first.ended_at == desk.calls[0].dialed_at + 21
    assert redial.due_at == first.ended_at + 7200


async def test_an_old_call_to_the_same_person_teaches_no_clock(ledger: FullLedger, clock: ManualClock) -> None:
    desk = await LogDesk(ledger, clock).placed(3)
    before = shifted(desk.row(0, call_id="morning"), -4 * 3600)
    desk.show(desk.row(1), desk.row(2), before)
    await desk.tick()
    assert await desk.came_to() == ["placed", D.ANSWERED, D.ANSWERED]
    await desk.past_horizon()
    assert (await desk.came_to())[0] == D.NO_ANSWER, "the clock was proven by the others, and that row was there before"


async def test_calls_that_agree_on_no_clock_halt_the_account(ledger: FullLedger, clock: ManualClock) -> None:
    desk = await LogDesk(ledger, clock).placed(2)
    desk.show(shifted(desk.row(0), 7200), shifted(desk.row(1), -18_000))
    await desk.tick()
    await desk.past_horizon()
    campaign = await desk.ledger.campaign(desk.campaign.spec.name)
    assert (await desk.came_to(), campaign.status) == (["placed", "placed"], CampaignStatus.HALTED)
    assert "2 calls in the log that nobody explains, beside 2 of ours" in campaign.halt_reason
    assert "its clock is" in campaign.halt_reason and "dialer start" in campaign.halt_reason


def masked(row: CallLog, shown: str) -> CallLog:
    return replace(row, to_number=shown)


async def test_masked_numbers_are_compared_by_what_shows(ledger: FullLedger, clock: ManualClock) -> None:
    desk = await LogDesk(ledger, clock).placed(4)
    desk.show(*(masked(desk.row(n), f"+1415?{call.phone[-4:]}") for n, call in enumerate(desk.calls)))
    await desk.tick()
    assert await desk.came_to() == [D.ANSWERED] * 4


@pytest.mark.parametrize(
    ("rows", "word"),
    [
        ({"to_number": "+1415555?"}, "masked"),
        ({"to_number": ""}, "no number"),
        ({"to_number": "+33999999999"}, "not those that were called"),
        ({"started_at": None, "ended_at": None}, "no time"),
        ({"agent": "another"}, "another agent"),
    ],
)
async def test_rows_that_may_be_the_missing_calls_halt_the_account_and_nobody_is_called_again(
    ledger: FullLedger, clock: ManualClock, rows: dict[str, Any], word: str
) -> None:
    desk = await LogDesk(ledger, clock).placed(3)
    desk.show(*(desk.row(n, **rows) for n in range(3)))
    await desk.tick()
    await desk.past_horizon()
    campaign = await desk.ledger.campaign(desk.campaign.spec.name)
    assert (await desk.came_to(), campaign.status) == (["placed"] * 3, CampaignStatus.HALTED)
    assert word in campaign.halt_reason
    report = await desk.report()
    assert report.unexplained_calls == 3
    assert any(word in note for note in report.log_notes)


async def test_the_operator_s_start_says_that_those_rows_are_not_ours(ledger: FullLedger, clock: ManualClock) -> None:
    desk = await LogDesk(ledger, clock).placed(1)
    desk.show(desk.row(to_number=""))
    await desk.tick()
    await desk.past_horizon()
    await ledger.move_campaign(desk.campaign.campaign_id, "start", "")
    await desk.tick(2, every_s=20)
    assert await desk.came_to() == [D.NO_ANSWER]


async def test_calls_in_doubt_are_given_up_in_the_end_and_nobody_is_called_again(
    ledger: FullLedger, clock: ManualClock
) -> None:
    desk = await LogDesk(ledger, clock).placed(1)
    desk.show(desk.row(to_number=""))
    await desk.tick()
    clock.skip(86_400 + HORIZON_S)
    await desk.tick(3, every_s=20)
    assert (await desk.came_to(), len(await desk.attempts())) == ([D.UNCONFIRMED], 1)


async def test_other_calls_of_the_account_keep_nobody_from_being_called_again(
    ledger: FullLedger, clock: ManualClock
) -> None:
    """Another agent calls other people all along, and one of ours shows how this log is written."""
    desk = await LogDesk(ledger, clock).placed(2)
    others = [log_row(f"other-{n}", phone(900 + n), clock.now() - n, agent="agent-2") for n in range(5)]
    ours_by_hand = log_row("by-hand", phone(800), clock.now() - 5, agent="agent-1")
    desk.show(*others, ours_by_hand, desk.row(0))
    await desk.tick()
    await desk.past_horizon()
    assert await desk.came_to() == [D.ANSWERED, D.NO_ANSWER]


async def test_another_agent_s_call_to_the_same_person_is_not_ours(ledger: FullLedger, clock: ManualClock) -> None:
    desk = await LogDesk(ledger, clock).placed(2)
    other = desk.row(1, call_id="other", agent="agent-2")
    desk.show(other, desk.row(0))
    await desk.tick()
    await desk.past_horizon()
    assert await desk.came_to() == [D.ANSWERED, D.NO_ANSWER]


async def test_a_row_that_is_not_over_is_never_no_answer(ledger: FullLedger, clock: ManualClock) -> None:
    desk = await LogDesk(ledger, clock).placed(2)
    live = {"ended_at": None, "raw_status": "In progress"}
    desk.show(desk.row(0, None, **live), desk.row(1, None, **live))
    await desk.tick()
    desk.show(desk.row(0, None, **live))
    await desk.past_horizon()
    reasons = [row.reason for row in await desk.attempts() if row.number_of == 1]
    assert await desk.came_to() == [D.UNCONFIRMED] * 2
    assert 'still says "In progress"' in reasons[0]
    assert 'is gone from the log, where it said "In progress"' in reasons[1]


async def test_nobody_is_called_again_while_the_row_says_queued(ledger: FullLedger, clock: ManualClock) -> None:
    desk = await LogDesk(ledger, clock).placed(1)
    desk.show(desk.row(0, None, ended_at=None, raw_status="queued", still_to_come=True))
    await desk.past_horizon()
    assert await desk.came_to() == ["placed"]
    assert "still to be made" in (await desk.report()).log_notes[0]


async def test_two_rows_of_one_call_are_one_call_and_talk_counts_more_than_silence(
    ledger: FullLedger, clock: ManualClock
) -> None:
    desk = await LogDesk(ledger, clock).placed(2)
    silent = [desk.row(n, D.NO_ANSWER, call_id=f"leg-{n}", duration_s=None) for n in range(2)]
    desk.show(silent[0], desk.row(0), silent[1])
    await desk.tick()
    assert await desk.came_to() == [D.ANSWERED, D.NO_ANSWER]
    assert (await desk.report()).unexplained_calls == 0


async def test_a_row_that_comes_later_says_that_somebody_talked_after_all(
    ledger: FullLedger, clock: ManualClock
) -> None:
    desk = await LogDesk(ledger, clock).placed(2)
    leg = desk.row(0, D.NO_ANSWER, call_id="leg", duration_s=None)
    desk.show(leg)
    await desk.tick()
    desk.show(desk.row(0), leg)
    await desk.tick()
    first, redial = (row for row in await desk.attempts() if row.phone == desk.calls[0].phone)
    assert (first.disposition, redial.state) == (D.ANSWERED, AttemptState.CANCELLED)
    assert (await desk.report()).contacts[ContactStatus.REACHED] == 1
