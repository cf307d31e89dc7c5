"""What the rows of both dialects tell of what was said."""

from datetime import UTC, datetime

import pytest

from dialer.adapters.providers.answers.call_log_rows import call_back_at, entities
from dialer.adapters.providers.vaani import adapter as vaani
from dialer.adapters.providers.vaanivoice import adapter as vaanivoice
from dialer.domain.disposition import Disposition as D
from dialer.domain.suppression import OptOut, opted_out

ROW = {"call_id": "c-1", "to_number": "+919000000001", "Start_time": "2026-09-21T10:00:00", "call_status": "completed"}


def test_extracted_fields_are_flat_text() -> None:
    told = entities({"opt_out": True, "plan": "gold", "inner": {"call_disposition": "DNC"}, "list": [1]}, '{"n": 2}', 3)
    assert told == {"opt_out": "true", "plan": "gold", "call_disposition": "DNC", "list": "1", "n": "2"}


def test_a_vaanivoice_row_tells_entities_and_callbacks() -> None:
    row = ROW | {"call_entity": {"opt_out": True}, "call_eval_tag": "dnc", "callback_requested": True}
    found = vaanivoice.read_row(row)
    assert found.entities == {"opt_out": "true", "tag": "dnc"}
    assert (found.callback_requested, found.callback_at, found.analysed) == (True, None, True)
    assert not vaanivoice.read_row(row | {"post_processing_status": "processing"}).analysed
    assert not vaanivoice.read_row(row | {"callback_id": "cb-1"}).callback_requested, "the provider calls back itself"
    assert not vaanivoice.read_row(ROW | {"callback_requested": "false"}).callback_requested


def test_a_vaani_row_tells_entities() -> None:
    row = {"call_log_id": "c-1", "start_time": "2026-09-21T10:00:00", "conversation_analysis": '{"opt_out": "yes"}'}
    found = vaani.read_row(row | {"disposition": "do not call"})
    assert found.entities == {"opt_out": "yes", "disposition": "do not call"}


def test_a_time_for_the_callback_needs_a_zone() -> None:
    at = datetime(2026, 9, 21, 12, 30, tzinfo=UTC).timestamp()
    assert call_back_at({"callback_at": "2026-09-21T18:00:00+05:30"}, {}) == at
    assert call_back_at({}, {"callback_time": "2026-09-21T12:30:00Z"}) == at
    for naive in ("2026-09-21T18:00:00", "tomorrow at six", ""):
        assert call_back_at({"callback_at": naive}, {}) is None


DEEP: object = {"opt_out": True}
for _ in range(6):
    DEEP = {"inner": [DEEP]}


@pytest.mark.parametrize(
    "told",
    [
        {"opt_out": {"value": True, "rationale": "asked to be taken off the list"}},
        {"opt_out": {"value": "Yes", "confidence": 0.9}},
        [{"name": "opt_out", "value": True}],
        {"fields": [{"key": "plan", "value": "gold"}, {"key": "Opt-Out", "value": 1}]},
        '```json\n{"opt_out": true}\n```',
        'Here it is:\n```\n{"opt_out": "yes"}\n```\nDone.',
        '{"opt_out": true, "why": "cut he',
        {"opt_out": "Yes, he said that nobody should call again"},
        {"do_not_call": 1.0},
        {"dispositions": ["callback", "do not call"]},
        {"analysis": '{"result": {"dnc": "true"}}'},
        DEEP,
        {"opt_out": [False, True]},
    ],
)
@pytest.mark.parametrize(
    ("read", "key"), [(vaanivoice.read_row, "call_entity"), (vaani.read_row, "conversation_analysis")]
)
def test_an_opt_out_counts_in_whatever_shape_it_comes(read: object, key: str, told: object) -> None:
    found = read(ROW | {key: told})  # type: ignore[operator]
    assert opted_out(OptOut(), found), found.entities


@pytest.mark.parametrize(
    "told",
    [
        {"opt_out": {"value": False, "rationale": "Yes, she was asked"}},
        {"opt_out": "no"},
        "Yes",
        {"opt_out": "0"},
        [],
        {},
    ],
)
def test_what_says_no_is_no_opt_out(told: object) -> None:
    assert not opted_out(OptOut(), vaanivoice.read_row(ROW | {"call_entity": told}))


@pytest.mark.parametrize("told", [True, "true", "yes", 1, "1", "Yes, tomorrow"])
def test_who_asks_to_be_called_back_may_say_so_in_any_form(told: object) -> None:
    assert vaanivoice.read_row(ROW | {"callback_requested": told}).callback_requested
    assert vaani.read_row(ROW | {"conversation_analysis": {"callback_requested": {"value": told}}}).callback_requested


NOTHING = (
    "None",
    "null",
    "-",
    "",
    0,
    False,
    None,
    "0001-01-01T00:00:00Z",
    "1970-01-01T00:00:00",
    "0000-00-00 00:00:00",
)


@pytest.mark.parametrize("nothing", NOTHING)
def test_a_time_that_stands_for_nothing_is_none(nothing: object) -> None:
    over = ROW | {"End_time": "2026-09-21T10:01:00", "user_picked_up_at": nothing}
    assert vaanivoice.read_row(over).disposition is D.NO_ANSWER
    ringing = {"End_time": nothing, "user_picked_up_at": None, "call_status": "ringing"}
    found = vaanivoice.read_row(ROW | ringing)
    assert (found.ended_at, found.disposition) == (None, None)
    assert (
        vaani.read_row({"call_log_id": "c", "end_time": nothing, "duration": 3, "status": "Completed"}).disposition
        is None
    )


def test_a_pick_up_in_a_form_that_nobody_knows_is_one_all_the_same() -> None:
    found = vaanivoice.read_row(ROW | {"End_time": "2026-09-21T10:01:00", "user_picked_up_at": "half past 9"})
    assert found.disposition is D.ANSWERED


@pytest.mark.parametrize(
    ("word", "picked", "came_to", "unmapped"),
    [
        ("voicemail_reached", True, D.VOICEMAIL, False),
        ("machine_end_beep", True, D.VOICEMAIL, False),
        ("left_message", True, D.VOICEMAIL, False),
        ("AMD: machine", True, D.VOICEMAIL, False),
        ("SIP_TRUNK_FAILURE", False, D.FAILED, False),
        ("CONGESTION", False, D.FAILED, False),
        ("balance-low", False, D.FAILED, False),
        ("marked_as_spam", False, D.FAILED, False),
        ("invalid_destination", False, D.INVALID_NUMBER, False),
        ("dial_busy", False, D.BUSY, False),
        ("user_declined", False, D.REJECTED, False),
        ("486", False, D.BUSY, False),
        ("486 Busy Here", False, D.BUSY, False),
        ("SIP_486_BUSY_HERE", False, D.BUSY, False),
        ("SIP_603_DECLINE", False, D.REJECTED, False),
        ("SIP_603_NETWORK_BLOCKED", False, D.FAILED, False),
        ("flummoxed", True, D.ANSWERED, True),
        ("flummoxed", False, D.NO_ANSWER, True),
    ],
)
def test_a_word_means_the_same_in_both_dialects_and_an_unknown_one_is_shown(
    word: str, picked: bool, came_to: D, unmapped: bool
) -> None:
    times = {"Start_time": "2026-09-21T10:00:00", "End_time": "2026-09-21T10:01:00"}
    b = vaanivoice.read_row(
        {"call_id": "c", "call_status": word, "user_picked_up_at": "2026-09-21T10:00:20" if picked else None} | times
    )
    a = vaani.read_row({"call_log_id": "c", "call_end_reason": word, "duration": 40 if picked else 0} | times)
    for found in (a, b):
        assert (found.disposition, found.unmapped, found.raw_status) == (came_to, unmapped, word)


@pytest.mark.parametrize("word", ["answered", "connected", "completed", "disconnected", "in progress", "queued"])
def test_a_call_is_not_over_before_its_row_has_an_end(word: str) -> None:
    live = {
        "call_status": word,
        "call_end_reason": word,
        "user_picked_up_at": "2026-09-21T10:00:20",
        "duration": 3,
    }
    for found in (vaanivoice.read_row(ROW | live), vaani.read_row(ROW | live)):
        assert (found.disposition, found.still_to_come) == (None, word == "queued")


def test_no_talk_is_longer_than_its_call() -> None:
    times = {"start_time": "2026-09-21T10:00:00", "end_time": "2026-09-21T10:02:00", "call_end_reason": "Completed"}
    assert vaani.read_row({"id": "c", "duration": 83_000} | times).duration_s == 83.0
    assert vaani.read_row({"id": "c", "duration": 83} | times).duration_s == 83.0


@pytest.mark.parametrize("said", ["International", "internal", "outbound", "Outbound", ""])
def test_only_what_came_in_is_inbound(said: str) -> None:
    assert vaani.read_row(ROW | {"call_direction": said}).outbound
    assert not vaani.read_row(ROW | {"call_direction": "Inbound"}).outbound


def test_a_row_without_an_id_is_the_same_row_when_its_call_is_over() -> None:
    row = {"to_number": "+919000000001", "Start_time": "2026-09-21T10:00:00"}
    live, over = row | {"call_status": "ringing"}, row | {"call_status": "busy", "End_time": "2026-09-21T10:01:00"}
    assert vaanivoice.read_row(live).call_id == vaanivoice.read_row(over).call_id
    with pytest.raises(ValueError, match="which call"):
        vaanivoice.read_row({"call_status": "busy"})
