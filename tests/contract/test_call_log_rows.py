"""What the rows of both dialects tell of what was said."""

from datetime import UTC, datetime

from dialer.adapters import vaani, vaanivoice
from dialer.adapters.call_log_rows import call_back_at, entities

ROW = {"call_id": "c-1", "to_number": "+919000000001", "Start_time": "2026-09-21T10:00:00", "call_status": "completed"}


def test_extracted_fields_are_flat_text() -> None:
    told = entities({"opt_out": True, "plan": "gold", "inner": {"call_disposition": "DNC"}, "list": [1]}, '{"n": 2}', 3)
    assert told == {"opt_out": "true", "plan": "gold", "call_disposition": "DNC", "n": "2"}


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
