"""Call logs become dispositions, over fakes."""

from dataclasses import replace

from structlog.testing import capture_logs

from dialer.domain.attempt import AttemptState
from dialer.domain.call import LogPage, NotPlaced, Placed, PlaceResult, Unknown
from dialer.domain.campaign import CampaignStatus, Pace
from dialer.domain.contact import ContactStatus
from dialer.domain.disposition import Disposition
from dialer.errors import OutcomeUnknown
from dialer.pipeline.reconcile_calls import CORRECT_EVERY_S
from dialer.ports import AttemptRow, Matched
from tests.fakes.provider import ScriptedProvider, log_row
from tests.house import HORIZON_S, SPEC, House, phone

S, D = AttemptState, Disposition


def page(*rows: object, **more: object) -> LogPage:
    return LogPage(tuple(rows), **more)  # type: ignore[arg-type]


async def placed(people: int = 1, **provider: object) -> House:
    """Calls that were accepted as call-1, call-2, ..."""
    ids = iter(range(1, 100))
    told = {"answer": lambda _: Placed(f"call-{next(ids)}")} | provider
    house = await House(spec=replace(SPEC, pace=Pace(0, 50)), provider=ScriptedProvider(**told)).opened(people)  # type: ignore[arg-type]
    await house.dialed()
    await house.clock.advance(30)
    return house


async def lost(**provider: object) -> House:
    """One call whose answer was lost."""
    return await placed(1, **({"answer": lambda _: Unknown("read time-out")} | provider))


async def only(house: House) -> AttemptRow:
    return (await house.attempts())[0]


async def test_a_row_ends_its_attempt_frees_the_line_and_settles_the_contact() -> None:
    house = await placed()
    at = house.clock.now() - 25
    house.provider.pages = [page(log_row("call-1", phone(0), at, disposition=D.ANSWERED, duration_s=12.5))]
    told = await house.reconciler.tick()
    attempt = await only(house)
    assert (told.ended, attempt.state, attempt.disposition, attempt.duration_s) == (1, S.ENDED, D.ANSWERED, 12.5)
    assert await house.lines() == 0
    assert (await house.ledger.report(house.campaign_id)).contacts[ContactStatus.REACHED] == 1


async def test_no_answer_plans_a_redial_after_the_rule() -> None:
    house = await placed()
    at = house.clock.now()
    house.provider.pages = [page(log_row("call-1", phone(0), at - 25, ended_at=at, disposition=D.NO_ANSWER))]
    await house.reconciler.tick()
    first, second = await house.attempts()
    assert (first.state, second.state, second.number_of, second.due_at) == (S.ENDED, S.PLANNED, 2, at + 7200)


async def test_a_call_that_is_not_over_stays_open() -> None:
    house = await placed()
    house.provider.pages = [page(log_row("call-1", phone(0), house.clock.now() - 25, ended_at=None))]
    told = await house.reconciler.tick()
    assert (told.ended, (await only(house)).state, await house.lines()) == (0, S.PLACED, 1)


async def test_a_lost_answer_is_found_again_by_token() -> None:
    house = await lost()
    token = house.provider.sent[0].token
    house.provider.pages = [page(log_row("call-9", phone(0), house.clock.now() - 25, token=token, disposition=D.BUSY))]
    await house.reconciler.tick()
    attempt = await only(house)
    assert (attempt.state, attempt.disposition, attempt.call_id) == (S.ENDED, D.BUSY, "call-9")


async def test_a_lost_answer_is_adopted_while_its_call_lasts() -> None:
    house = await lost()
    house.provider.pages = [page(log_row("call-9", phone(0), house.clock.now() - 25, ended_at=None))]
    await house.reconciler.tick()
    attempt = await only(house)
    assert (attempt.state, attempt.call_id, await house.lines()) == (S.PLACED, "call-9", 1)


async def test_a_lost_answer_is_found_again_by_number_and_time() -> None:
    house = await lost()
    house.provider.pages = [page(log_row("call-9", phone(0), house.clock.now() - 25, disposition=D.ANSWERED))]
    await house.reconciler.tick()
    assert (await only(house)).state is S.ENDED


async def test_a_hint_ends_its_attempt_by_id_token_or_number_and_time_without_a_reading() -> None:
    for by in ("id", "token", "number"):
        house = await (placed() if by == "id" else lost())
        at, token = house.clock.now() - 25, house.provider.sent[0].token if by == "token" else ""
        row = log_row("call-1", phone(0), at, token=token, disposition=D.ANSWERED)
        assert [await house.reconciler.hear([row]) for _ in range(2)] == [1, 0], by
        assert ((await only(house)).state, await house.lines()) == (S.ENDED, 0)


async def test_a_hint_that_matches_nothing_changes_nothing() -> None:
    house = await lost()
    strangers = [log_row("call-8", phone(9), house.clock.now() - 25, disposition=D.ANSWERED)]
    assert await house.reconciler.hear(strangers) == 0
    assert (await only(house)).state is S.UNKNOWN
    assert (await house.ledger.report(house.campaign_id)).unexplained_calls == 0


async def test_silence_after_a_hint_is_no_evidence_of_absence() -> None:
    house = await lost()
    await house.clock.advance(HORIZON_S + 60)
    for _ in range(3):
        await house.reconciler.hear([])
    assert (await only(house)).state is S.UNKNOWN


async def test_a_call_to_the_same_number_at_another_time_is_not_ours() -> None:
    house = await lost()
    house.provider.pages = [page(log_row("call-9", phone(0), house.clock.now() - 4000, disposition=D.ANSWERED))]
    await house.reconciler.tick()
    assert (await only(house)).state is S.UNKNOWN


async def test_a_row_with_another_id_is_another_call_where_ids_are_final() -> None:
    house = await placed()
    row = log_row("call-77", phone(0), house.clock.now() - 25, disposition=D.ANSWERED)
    house.provider.pages = [page(row)]
    await house.reconciler.tick()
    assert (await only(house)).state is S.PLACED
    assert (await house.ledger.report(house.campaign_id)).unexplained_calls == 1


async def test_where_ids_are_not_final_number_and_time_decide() -> None:
    house = await placed(ids_are_final=False)
    house.provider.pages = [page(log_row("log-77", phone(0), house.clock.now() - 25, disposition=D.ANSWERED))]
    await house.reconciler.tick()
    assert ((await only(house)).state, (await only(house)).call_id) == (S.ENDED, "log-77")


async def test_nothing_in_a_complete_log_past_the_horizon_is_unconfirmed_and_spent() -> None:
    house = await lost()
    house.provider.pages = [page()]
    await house.reconciler.tick()
    assert (await only(house)).state is S.UNKNOWN
    await house.clock.advance(HORIZON_S)
    await house.reconciler.tick()
    await house.reconciler.tick()
    first, second = await house.attempts()
    assert (first.state, first.disposition, second.number_of) == (S.UNCONFIRMED, D.UNCONFIRMED, 2)
    assert await house.lines() == 0


async def test_a_row_that_never_closes_does_not_keep_its_attempt_for_ever() -> None:
    house = await placed()
    row = log_row("call-1", phone(0), house.clock.now() - 25, ended_at=None, raw_status="In progress")
    house.provider.pages = [page(row)]
    await house.reconciler.tick()
    await house.clock.advance(HORIZON_S)
    await house.reconciler.tick()
    await house.reconciler.tick()
    attempt = await only(house)
    assert (attempt.state, attempt.reason) == (
        S.UNCONFIRMED,
        'no outcome in the call log past the horizon: its row still says "In progress"',
    )


async def test_a_row_that_can_never_be_read_halts_and_is_somebody_else_s_by_the_operator_s_word() -> None:
    house = await lost(pages=[page(unreadable=1)])
    await house.clock.advance(HORIZON_S + 1)
    for _ in range(2):
        await house.reconciler.tick()
    campaign = await house.ledger.campaign("october")
    assert (campaign.status, await house.states()) == (CampaignStatus.HALTED, [S.UNKNOWN])
    assert "they cannot be read" in campaign.halt_reason
    await house.ledger.move_campaign(house.campaign_id, "start", "")
    await house.reconciler.tick()
    assert (await house.states())[0] is S.UNCONFIRMED
    assert (await house.ledger.campaign("october")).status is CampaignStatus.RUNNING


async def test_one_scan_is_not_enough_to_believe_in_absence() -> None:
    house = await lost(pages=[page()])
    await house.clock.advance(HORIZON_S)
    await house.reconciler.tick()
    house.provider.pages = [OutcomeUnknown("500")]
    await house.reconciler.tick()
    assert (await only(house)).state is S.UNKNOWN


async def test_a_log_that_cannot_be_read_proves_no_absence() -> None:
    house = await lost(pages=[page(), OutcomeUnknown("500")])
    await house.clock.advance(HORIZON_S + 100)
    await house.reconciler.tick()
    told = await house.reconciler.tick()
    assert (told.complete, (await only(house)).state) == (False, S.UNKNOWN)


async def test_a_row_that_cannot_be_read_proves_no_absence() -> None:
    house = await lost(pages=[page(unreadable=1)])
    await house.clock.advance(HORIZON_S + 100)
    await house.reconciler.tick()
    await house.reconciler.tick()
    assert (await only(house)).state is S.UNKNOWN


async def test_an_accepted_call_without_a_row_was_not_answered_where_the_log_keeps_silent() -> None:
    house = await placed(silent_when_unanswered=True, pages=[page()])
    await house.clock.advance(HORIZON_S)
    await house.reconciler.tick()
    await house.reconciler.tick()
    assert ((await house.attempts())[0].state, (await only(house)).disposition) == (S.UNCONFIRMED, D.NO_ANSWER)


async def test_a_late_row_corrects_unconfirmed_and_calls_nobody_again() -> None:
    house = await lost(pages=[page()])
    dialed_at = house.clock.now() - 30
    await house.clock.advance(HORIZON_S)
    await house.reconciler.tick()
    await house.reconciler.tick()
    await house.ledger.add_contacts(house.campaign_id, [house.contact(5)])
    await house.dialed()
    house.provider.pages = [page(log_row("call-9", phone(0), dialed_at + 5, disposition=D.ANSWERED))]
    await house.reconciler.tick()
    first, redial = (await house.attempts())[:2]
    assert (first.state, first.disposition, redial.state) == (S.ENDED, D.ANSWERED, S.CANCELLED)


async def test_an_unmapped_word_is_never_final_and_is_shown() -> None:
    house = await placed()
    row = log_row("call-1", phone(0), house.clock.now() - 25, unmapped=True, raw_status="Vanished")
    house.provider.pages = [page(row)]
    told = await house.reconciler.tick()
    report = await house.ledger.report(house.campaign_id)
    assert (told.unmapped, (await only(house)).state, report.unmapped_words) == (1, S.PLACED, {"Vanished": 1})


async def test_an_unmapped_word_is_logged_once_while_its_call_stays_open() -> None:
    house = await placed()
    row = log_row("call-1", phone(0), house.clock.now() - 25, unmapped=True, raw_status="Vanished")
    with capture_logs() as said:
        for word in ("Vanished", "Vanished", "Gone"):
            house.provider.pages = [page(replace(row, raw_status=word))]
            await house.reconciler.tick()
    told = [event["words"] for event in said if event["event"] == "log.unmapped_words"]
    assert told == [["Vanished"], ["Gone"]]


async def test_a_repeated_row_ends_its_attempt_once() -> None:
    house = await placed()
    row = log_row("call-1", phone(0), house.clock.now() - 25, disposition=D.ANSWERED)
    house.provider.pages = [page(row, row), page(row)]
    assert ((await house.reconciler.tick()).ended, (await house.reconciler.tick()).ended) == (1, 0)


async def test_a_scan_stops_at_rows_older_than_anything_that_waits() -> None:
    house = await placed()
    now = house.clock.now()
    old = [page(log_row(f"old-{n}", phone(9), now - 9000 - n)) for n in range(5)]
    house.provider.pages = [page(log_row("call-1", phone(0), now - 25, ended_at=None)), *old]
    told = await house.reconciler.tick()
    assert (told.pages, told.complete) == (2, True)


async def test_a_log_that_runs_from_old_to_new_is_read_to_its_end() -> None:
    house = await placed()
    now = house.clock.now()
    old = [page(log_row(f"old-{n}", phone(9), now - 9000 + n)) for n in range(5)]
    house.provider.pages = [*old, page(log_row("call-1", phone(0), now - 25, disposition=D.ANSWERED))]
    told = await house.reconciler.tick()
    assert (told.pages, told.ended) == (6, 1)


async def test_nothing_open_reads_no_log() -> None:
    house = await House().opened()
    assert (await house.reconciler.tick()).pages == 0
    assert house.provider.asked_since == []


async def test_full_lines_are_reported_as_scarce() -> None:
    house = await House(spec=replace(SPEC, pace=Pace(0, 1)), provider=ScriptedProvider(pages=[page()])).opened()
    await house.dialed()
    assert (await house.reconciler.tick()).scarce is True


async def denied(result: PlaceResult) -> House:
    """The provider said that it placed nothing."""
    return await placed(1, answer=lambda _: result)


REFUSAL = NotPlaced("429 too many requests", retry_after_s=600, http_status=429)


async def test_a_call_that_was_said_not_placed_halts_the_account_and_is_not_dialed_again() -> None:
    house = await denied(REFUSAL)
    token = house.provider.sent[0].token
    await keep_open(house)
    row = log_row("call-9", phone(0), house.clock.now() - 25, token=token, ended_at=None)
    house.provider.pages = [page(row)]
    await house.reconciler.tick()
    campaign = await house.ledger.campaign("october")
    assert campaign.status is CampaignStatus.HALTED
    assert "attempt 1 (by token)" in campaign.halt_reason
    assert '"429 too many requests"' in campaign.halt_reason
    assert (await house.attempts())[0].state is S.REVIEW


async def test_a_call_in_review_ends_by_its_row() -> None:
    house = await denied(REFUSAL)
    await keep_open(house)
    row = log_row("call-9", phone(0), house.clock.now() - 25, disposition=D.ANSWERED)
    house.provider.pages = [page(row)]
    await house.reconciler.tick()
    first = (await house.attempts())[0]
    assert (first.state, first.disposition, first.call_id) == (S.ENDED, D.ANSWERED, "call-9")
    assert (await house.ledger.report(house.campaign_id)).contacts[ContactStatus.REACHED] == 1


async def test_a_call_with_another_token_or_long_after_gives_no_lie() -> None:
    house = await denied(REFUSAL)
    await keep_open(house)
    now = house.clock.now()
    house.provider.pages = [page(log_row("a", phone(0), now - 25, token="another"), log_row("b", phone(0), now + 200))]
    await house.reconciler.tick()
    assert (await house.ledger.campaign("october")).status is CampaignStatus.RUNNING


async def test_a_call_whose_log_names_it_otherwise_is_found_before_it_is_given_up() -> None:
    house = await placed()
    token, at = house.provider.sent[0].token, house.clock.now() - 30
    house.provider.pages = [page(log_row("other-1", phone(0), at, token=token, disposition=D.BUSY))]
    await house.reconciler.tick()
    assert (await only(house)).state is S.PLACED
    await house.clock.advance(HORIZON_S)
    await house.reconciler.tick()
    attempt = await only(house)
    assert (attempt.state, attempt.disposition, attempt.call_id) == (S.ENDED, D.BUSY, "other-1")


async def keep_open(house: House) -> None:
    """Another call is open, so that the log is read."""
    house.provider.answer = lambda _: Placed("other")
    await house.ledger.add_contacts(house.campaign_id, [house.contact(7)])
    await house.dialed()


async def test_two_readings_that_overlap_lose_no_outcome() -> None:
    house = await placed()
    at = house.clock.now() - 25
    live = log_row("call-1", phone(0), at, ended_at=None)
    over = log_row("call-1", phone(0), at, disposition=D.ANSWERED)
    await house.ledger.record_logs("vaanivoice", [Matched(live, 1, "call id")])
    await house.ledger.record_logs("vaanivoice", [Matched(over, None)])
    house.provider.pages = [page(over)]
    await house.reconciler.tick()
    assert ((await only(house)).state, (await only(house)).disposition) == (S.ENDED, D.ANSWERED)


async def test_late_rows_are_looked_for_though_nothing_else_is_open() -> None:
    house = await lost(pages=[page()])
    dialed_at = house.clock.now() - 30
    await house.clock.advance(HORIZON_S)
    for _ in range(2):
        await house.reconciler.tick()
    house.provider.pages = [page(log_row("call-9", phone(0), dialed_at, disposition=D.ANSWERED))]
    await house.reconciler.tick()
    assert (await only(house)).state is S.UNCONFIRMED
    await house.clock.advance(CORRECT_EVERY_S)
    await house.reconciler.tick()
    assert (await only(house)).state is S.ENDED


async def test_a_call_that_is_being_dialed_gives_no_lie_to_an_older_answer() -> None:
    house = await denied(REFUSAL)
    await keep_open(house)
    other = await house.ledger.open_campaign(replace(SPEC, name="november"))
    await house.ledger.add_contacts(other.campaign_id, [house.contact(0)])
    await house.ledger.move_campaign(other.campaign_id, "start", "")
    attempt = (await house.queued())[0]
    await house.ledger.pass_gate([house.gate_request(attempt)])
    house.provider.pages = [page(log_row("call-9", phone(0), house.clock.now()))]
    await house.reconciler.tick()
    assert (await house.ledger.campaign("october")).status is CampaignStatus.RUNNING
