"""What every ledger promises: call logs, absence, late evidence, reports and stories."""

from dialer.domain.attempt import LIVE, Actor, allowed
from dialer.domain.attempt import AttemptState as S
from dialer.domain.call import CallLog, NotPlaced, Unknown
from dialer.domain.contact import ContactStatus
from dialer.domain.disposition import Disposition
from dialer.domain.redial import Redial, Settle
from dialer.ports import Absent, Admitted, Campaign, Denied, Matched
from tests.fakes.clock import START, ManualClock
from tests.ledger_steps import (
    ACCOUNT,
    EXHAUSTED,
    REACHED,
    FullLedger,
    attempt,
    claim,
    contact,
    dial,
    end,
    events,
    listed,
    log_of,
    moves,
    outcome,
    phone,
    place,
    running,
    state,
)

NO_TRACE = "no trace past the horizon"


async def test_a_final_row_ends_its_attempt_and_settles_the_contact(ledger: FullLedger) -> None:
    campaign = await running(ledger)
    (call,) = await place(ledger, campaign)
    assert await end(ledger, call, Disposition.ANSWERED, REACHED)
    row = await attempt(ledger, call.attempt_id)
    assert (row.state, row.disposition, row.ended_at) == (S.ENDED, Disposition.ANSWERED, START + 35)
    assert (row.duration_s, row.call_id, row.reason) == (30.0, f"call-{call.attempt_id}", "call log: call id")
    assert (await events(ledger, call.attempt_id))[-1].reason == "answered: answered (call id)"
    reached = await contact(ledger, campaign, phone(1))
    assert (reached.status, reached.disposition) == (ContactStatus.REACHED, Disposition.ANSWERED)
    assert (reached.duration_s, reached.call_id) == (30.0, f"call-{call.attempt_id}")


async def test_a_blocked_number_is_called_in_no_campaign_until_somebody_takes_it_off_the_list(
    ledger: FullLedger,
) -> None:
    campaign, other = await running(ledger), await running(ledger, name="autumn")
    (call,) = await place(ledger, campaign)
    assert await end(ledger, call, Disposition.BLOCKED, Settle(ContactStatus.SUPPRESSED))
    assert (await contact(ledger, campaign, phone(1))).status == ContactStatus.SUPPRESSED
    assert (await contact(ledger, other, phone(1))).status == ContactStatus.SUPPRESSED
    (entry,) = await listed(ledger.suppressions())
    assert (entry.phone, entry.source) == (phone(1), f"attempt {call.attempt_id}")
    assert await claim(ledger, await running(ledger, name="winter")) == []
    assert await ledger.unsuppress([phone(1)]) == [True]
    assert len(await claim(ledger, await running(ledger, name="spring again"))) == 1


async def test_a_repeated_row_changes_nothing(ledger: FullLedger) -> None:
    campaign = await running(ledger)
    (call,) = await place(ledger, campaign)
    row = Matched(log_of(call, Disposition.NO_ANSWER, "missed"), call.attempt_id, "call id", Redial(START + 9))
    assert await ledger.record_logs(ACCOUNT, [row, row]) == [True, False]
    assert await ledger.record_logs(ACCOUNT, [row]) == [False]
    told = await ledger.story(phone=phone(1))
    assert [(one.number_of, one.state, len(happened)) for one, happened in told] == [
        (1, S.ENDED, 4), (2, S.PLANNED, 0),
    ]  # fmt: skip


async def test_a_live_row_adopts_a_call_whose_answer_was_lost(ledger: FullLedger) -> None:
    campaign = await running(ledger)
    (call,) = await dial(ledger, campaign)
    await ledger.record_sends([outcome(call, Unknown("reset"))])
    assert await ledger.record_logs(ACCOUNT, [Matched(log_of(call), call.attempt_id, "token")]) == [False]
    row = await attempt(ledger, call.attempt_id)
    assert (row.state, row.call_id) == (S.PLACED, f"call-{call.attempt_id}")
    assert (await moves(ledger, call.attempt_id))[-1] == ("reconciler", "unknown", "placed")
    known = (await ledger.known_calls(ACCOUNT, [f"call-{call.attempt_id}"]))[f"call-{call.attempt_id}"]
    assert not known.settled, "it is not over"


async def test_a_live_and_a_final_row_in_one_page_tell_the_true_story(ledger: FullLedger) -> None:
    campaign = await running(ledger)
    (call,) = await dial(ledger, campaign)
    await ledger.record_sends([outcome(call, Unknown("reset"))])
    rows = [
        Matched(log_of(call), call.attempt_id, "token"),
        Matched(log_of(call, Disposition.BUSY, "busy"), call.attempt_id, "token", EXHAUSTED),
    ]
    assert await ledger.record_logs(ACCOUNT, rows) == [False, True]
    assert (await moves(ledger, call.attempt_id))[-2:] == [
        ("reconciler", "unknown", "placed"), ("reconciler", "placed", "ended"),
    ]  # fmt: skip


async def test_an_unmapped_word_is_counted_and_never_final(ledger: FullLedger) -> None:
    campaign = await running(ledger)
    (call,) = await place(ledger, campaign)
    odd = log_of(call, None, "teleported", unmapped=True)
    assert await ledger.record_logs(ACCOUNT, [Matched(odd, call.attempt_id, "call id")]) == [False]
    assert await state(ledger, call.attempt_id) is S.PLACED
    assert (await ledger.report(campaign.campaign_id)).unmapped_words == {"teleported": 1}
    assert await end(ledger, call, Disposition.ANSWERED, REACHED)
    assert (await ledger.report(campaign.campaign_id)).unmapped_words == {}


async def test_calls_that_no_attempt_explains_are_counted(ledger: FullLedger) -> None:
    campaign = await running(ledger)
    (call,) = await place(ledger, campaign)
    rows = [
        log_of(call, Disposition.ANSWERED, call_id="stranger"),
        log_of(call, Disposition.ANSWERED, call_id="inbound", outbound=False),
        log_of(call, Disposition.ANSWERED, call_id="before-us", started_at=START - 1),
    ]
    assert await ledger.record_logs(ACCOUNT, [Matched(row, None) for row in rows]) == [False] * 3
    assert (await ledger.report(campaign.campaign_id)).unexplained_calls == 1
    assert (await ledger.known_calls(ACCOUNT, ["stranger"]))["stranger"].attempt_id is None
    await ledger.record_logs(ACCOUNT, [Matched(rows[0], call.attempt_id, "number and time", REACHED)])
    assert (await ledger.report(campaign.campaign_id)).unexplained_calls == 0
    known = await ledger.known_calls(ACCOUNT, ["stranger", "nobody"])
    assert {call_id: (row.attempt_id, row.settled) for call_id, row in known.items()} == {
        "stranger": (call.attempt_id, True)
    }
    assert await ledger.known_calls("vaani", ["stranger"]) == {}


async def test_absence_after_the_horizon_spends_the_attempt(ledger: FullLedger, clock: ManualClock) -> None:
    campaign = await running(ledger, 2)
    lost, silent = await place(ledger, campaign)
    clock.skip(3600)
    closed = await ledger.settle_absent(
        [
            Absent(lost.attempt_id, Disposition.UNCONFIRMED, NO_TRACE, Redial(START + 9000)),
            Absent(silent.attempt_id, Disposition.NO_ANSWER, "logs only calls that connected", EXHAUSTED),
            Absent(lost.attempt_id, Disposition.UNCONFIRMED, NO_TRACE, Redial(START + 1)),
            Absent(999, Disposition.UNCONFIRMED, NO_TRACE, EXHAUSTED),
        ]
    )
    assert closed == [True, True, False, False]
    rows = [await attempt(ledger, call.attempt_id) for call in (lost, silent)]
    assert [(row.state, row.disposition) for row in rows] == [
        (S.UNCONFIRMED, Disposition.UNCONFIRMED), (S.UNCONFIRMED, Disposition.NO_ANSWER),
    ]  # fmt: skip
    assert [row.ended_at for row in rows] == [START + 3600] * 2
    (_, (redial, _)) = await ledger.story(phone=lost.phone)
    assert (redial.number_of, redial.state, redial.due_at) == (2, S.PLANNED, START + 9000)
    assert await ledger.live_attempts(ACCOUNT) == []
    given_up = await contact(ledger, campaign, silent.phone)
    assert (given_up.status, given_up.call_id) == (ContactStatus.EXHAUSTED, f"call-{silent.attempt_id}")


async def test_an_attempt_still_being_dialed_is_not_absent(ledger: FullLedger) -> None:
    campaign = await running(ledger)
    (call,) = await dial(ledger, campaign)
    absent = Absent(call.attempt_id, Disposition.UNCONFIRMED, NO_TRACE, EXHAUSTED)
    assert await ledger.settle_absent([absent]) == [False]
    assert await ledger.record_logs(ACCOUNT, [Matched(log_of(call, Disposition.BUSY), call.attempt_id, "token")]) == [
        False
    ]
    assert await state(ledger, call.attempt_id) is S.DIALING


async def unconfirmed(ledger: FullLedger, follow: Redial | None = None) -> tuple[int, int]:
    """A placed call that left no trace; answers (its attempt, the attempt of its redial or 0)."""
    campaign = await ledger.campaign("spring")
    (call,) = await place(ledger, campaign, 1)
    await ledger.settle_absent([Absent(call.attempt_id, Disposition.UNCONFIRMED, NO_TRACE, follow or EXHAUSTED)])
    rows = [row for row, _ in await ledger.story(phone=call.phone)]
    return call.attempt_id, rows[1].attempt_id if len(rows) > 1 else 0


async def late_row(ledger: FullLedger, attempt_id: int, disposition: Disposition) -> CallLog:
    row = await attempt(ledger, attempt_id)
    assert row.dialed_at is not None and row.call_id is not None
    ended_at = row.dialed_at + 35
    return CallLog(row.call_id, row.phone, "agent-1", row.dialed_at + 5, ended_at, 30.0, disposition, disposition)


async def test_late_evidence_reaches_the_contact_and_cancels_the_redial(ledger: FullLedger) -> None:
    campaign = await running(ledger)
    first, redial = await unconfirmed(ledger, Redial(START + 60))
    (open_one,) = await ledger.open_attempts(ACCOUNT, START - 1)
    assert (open_one.attempt_id, open_one.state) == (first, S.UNCONFIRMED)
    late = await late_row(ledger, first, Disposition.ANSWERED)
    assert await ledger.record_logs(ACCOUNT, [Matched(late, first, "call id", REACHED)]) == [True]
    assert (await moves(ledger, first))[-1] == ("reconciler", "unconfirmed", "ended")
    assert await moves(ledger, redial) == [("reconciler", "planned", "cancelled")]
    assert (await attempt(ledger, redial)).reason == "contact reached"
    assert (await contact(ledger, campaign, phone(1))).status is ContactStatus.REACHED
    assert await ledger.open_attempts(ACCOUNT, START - 1) == []


async def test_late_evidence_reaches_an_exhausted_contact(ledger: FullLedger) -> None:
    campaign = await running(ledger)
    first, _ = await unconfirmed(ledger)
    assert (await contact(ledger, campaign, phone(1))).status is ContactStatus.EXHAUSTED
    late = await late_row(ledger, first, Disposition.ANSWERED)
    assert await ledger.record_logs(ACCOUNT, [Matched(late, first, "call id", REACHED)]) == [True]
    assert (await contact(ledger, campaign, phone(1))).status is ContactStatus.REACHED


async def test_late_evidence_that_settles_otherwise_cancels_the_redial_too(ledger: FullLedger) -> None:
    campaign = await running(ledger)
    first, redial = await unconfirmed(ledger, Redial(START))
    queued = await claim(ledger, campaign)
    assert [one.attempt_id for one in queued] == [redial]
    late = await late_row(ledger, first, Disposition.REJECTED)
    await ledger.record_logs(ACCOUNT, [Matched(late, first, "call id", EXHAUSTED)])
    assert (await moves(ledger, redial))[-1] == ("reconciler", "queued", "cancelled")
    assert (await contact(ledger, campaign, phone(1))).status is ContactStatus.EXHAUSTED


async def test_a_reached_contact_gets_no_redial_from_a_later_call(ledger: FullLedger) -> None:
    campaign = await running(ledger)
    first, redial = await unconfirmed(ledger, Redial(START))
    (call,) = await place(ledger, campaign)
    assert call.attempt_id == redial
    late = await late_row(ledger, first, Disposition.ANSWERED)
    await ledger.record_logs(ACCOUNT, [Matched(late, first, "call id", REACHED)])
    assert await end(ledger, call, Disposition.NO_ANSWER, Redial(START))
    assert await claim(ledger, campaign) == []
    assert (await contact(ledger, campaign, phone(1))).status is ContactStatus.REACHED


async def test_what_was_not_placed_to_a_reached_contact_ends(ledger: FullLedger) -> None:
    campaign = await running(ledger)
    first, _ = await unconfirmed(ledger, Redial(START))
    (call,) = await dial(ledger, campaign)
    late = await late_row(ledger, first, Disposition.ANSWERED)
    await ledger.record_logs(ACCOUNT, [Matched(late, first, "call id", REACHED)])
    assert await ledger.record_sends([outcome(call, NotPlaced("refused connection"), START)]) == [True]
    assert await state(ledger, call.attempt_id) is S.CANCELLED
    assert (await contact(ledger, campaign, phone(1))).status is ContactStatus.REACHED


async def test_late_no_answer_keeps_the_one_redial(ledger: FullLedger) -> None:
    await running(ledger)
    first, redial = await unconfirmed(ledger, Redial(START + 60))
    late = await late_row(ledger, first, Disposition.NO_ANSWER)
    assert await ledger.record_logs(ACCOUNT, [Matched(late, first, "call id", Redial(START + 5))]) == [True]
    rows = [row for row, _ in await ledger.story(phone=phone(1))]
    assert [(row.attempt_id, row.state) for row in rows] == [(first, S.ENDED), (redial, S.PLANNED)]
    assert rows[1].due_at == START + 60


async def denied(ledger: FullLedger) -> tuple[Campaign, Admitted]:
    """A call that the provider says it did not place."""
    campaign = await running(ledger)
    (call,) = await dial(ledger, campaign)
    await ledger.record_sends([outcome(call, NotPlaced("429 too many requests"), START + 60)])
    return campaign, call


async def test_requests_that_placed_nothing_by_the_providers_word_are_remembered(ledger: FullLedger) -> None:
    campaign, call = await denied(ledger)
    told = Denied(call.attempt_id, campaign.campaign_id, 1, phone(1), call.token, START, "429 too many requests")
    assert await ledger.denied_sends(ACCOUNT, START) == [told]
    assert await ledger.denied_sends(ACCOUNT, START + 1) == await ledger.denied_sends("vaani", START) == []


async def test_a_late_denial_of_an_unknown_call_is_no_proof(ledger: FullLedger, clock: ManualClock) -> None:
    (call,) = await dial(ledger, await running(ledger))
    clock.skip(60)
    await ledger.sweep()
    assert await ledger.record_sends([outcome(call, NotPlaced("late"), START)]) == [False]
    assert await ledger.denied_sends(ACCOUNT, START) == []


async def test_a_call_that_should_not_exist_waits_in_review_till_its_row_is_final(ledger: FullLedger) -> None:
    campaign, call = await denied(ledger)
    seen = Matched(log_of(call), call.attempt_id, "the log shows a call")
    assert await ledger.record_phantoms(ACCOUNT, [seen]) == [False]
    assert await state(ledger, call.attempt_id) is S.REVIEW
    assert (await ledger.report(campaign.campaign_id)).waiting == {"waiting for a person": 1}
    final = Matched(log_of(call, Disposition.ANSWERED), call.attempt_id, "the log shows a call", REACHED)
    assert await ledger.record_phantoms(ACCOUNT, [final]) == [True]
    assert (await moves(ledger, call.attempt_id))[-2:] == [
        ("reconciler", "planned", "review"), ("reconciler", "review", "ended"),
    ]  # fmt: skip
    assert (await contact(ledger, campaign, phone(1))).status is ContactStatus.REACHED


async def test_open_attempts_come_oldest_first(ledger: FullLedger, clock: ManualClock) -> None:
    campaign = await running(ledger, 3)
    (one,) = await dial(ledger, campaign, 1)
    clock.skip(10)
    (two,) = await place(ledger, campaign, 1)
    clock.skip(10)
    await dial(ledger, campaign, 1)
    await ledger.record_sends([outcome(one, Unknown("lost"))])
    found = await ledger.open_attempts(ACCOUNT, START)
    assert [(o.attempt_id, o.state, o.call_id, o.dialed_at) for o in found] == [
        (one.attempt_id, S.UNKNOWN, None, START),
        (two.attempt_id, S.PLACED, f"call-{two.attempt_id}", START + 10),
    ]
    assert (found[0].agent, found[0].token, found[0].phone) == ("agent-1", one.token, one.phone)
    await ledger.settle_absent([Absent(one.attempt_id, Disposition.UNCONFIRMED, NO_TRACE, EXHAUSTED)])
    assert [o.attempt_id for o in await ledger.open_attempts(ACCOUNT, START + 19)] == [one.attempt_id, two.attempt_id]
    assert [o.attempt_id for o in await ledger.open_attempts(ACCOUNT, START + 20)] == [two.attempt_id]
    assert await ledger.open_attempts("vaani", START) == []


async def test_a_report_counts_everything(ledger: FullLedger, clock: ManualClock) -> None:
    campaign = await running(ledger, 7)
    calls = await place(ledger, campaign, 3)
    await end(ledger, calls[0], Disposition.ANSWERED, REACHED)
    await end(ledger, calls[1], Disposition.NO_ANSWER, Redial(START + 60))
    clock.skip(1)
    (lost,) = await dial(ledger, campaign, 1)
    await ledger.record_sends([outcome(lost, Unknown("lost"))])
    await claim(ledger, campaign, 1)
    report = await ledger.report(campaign.campaign_id)
    assert {k.value: v for k, v in report.contacts.items() if v} == {"pending": 3, "active": 3, "reached": 1}
    assert {k.value: v for k, v in report.attempts.items() if v} == {
        "planned": 1, "queued": 1, "placed": 1, "unknown": 1, "ended": 2,
    }  # fmt: skip
    assert {k.value: v for k, v in report.dispositions.items() if v} == {"answered": 1, "no_answer": 1}
    assert report.waiting == {
        "redial after no_answer": 1, "being dialed": 1, "waiting for the call log": 2, "waiting for its turn": 2,
    }  # fmt: skip
    assert (report.cost, report.first_dialed_at, report.last_dialed_at) == (1.0, START, START + 1)
    assert sum(report.contacts.values()) == report.imported.queued == 7
    assert report.campaign == await ledger.campaign("spring")


async def test_a_story_is_told_by_number_and_by_attempt(ledger: FullLedger, clock: ManualClock) -> None:
    spring = await running(ledger)
    (call,) = await place(ledger, spring)
    clock.skip(40)
    await end(ledger, call, Disposition.BUSY, Redial(START + 900))
    by_number = await ledger.story(phone=phone(1))
    assert [(row.campaign, row.number_of) for row, _ in by_number] == [("spring", 1), ("spring", 2)]
    assert await ledger.story(attempt_id=call.attempt_id) == by_number[:1]
    assert [(event.at, event.reason) for event in by_number[0][1]] == [
        (START, "first attempt"), (START, "window always"), (START, "accepted by the provider"),
        (START + 40, "busy: busy (call id)"),
    ]  # fmt: skip
    assert await ledger.story(phone=phone(7)) == await ledger.story(attempt_id=999) == []


async def test_i9_events_replay_to_the_state_by_allowed_moves_only(ledger: FullLedger, clock: ManualClock) -> None:
    campaign = await running(ledger, 6)
    await place(ledger, campaign, 2)
    dialed = await dial(ledger, campaign, 2)
    await ledger.record_sends([outcome(dialed[0], NotPlaced("refused connection"), START)])
    clock.skip(60)
    await claim(ledger, campaign, 1)
    await ledger.sweep()
    await ledger.move_campaign(campaign.campaign_id, "pause", "")
    await end(ledger, dialed[1], Disposition.NO_ANSWER, Redial(START + 100))
    await ledger.move_campaign(campaign.campaign_id, "cancel", "")
    live = [one.attempt_id for one in await ledger.live_attempts(ACCOUNT)]
    for row in await listed(ledger.attempt_rows(campaign.campaign_id)):
        at = S.PLANNED
        for event in await events(ledger, row.attempt_id):
            assert event.before == at
            assert allowed(S(event.before), S(event.after), Actor(event.actor))
            assert event.reason
            at = S(event.after)
        assert at is row.state
        assert (row.state in LIVE) == (row.attempt_id in live)
