"""No line that leaves the process holds a phone number or a secret, whoever wrote it."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import structlog

from config.logs import configure_logs, mask_phones

DIGITS = "4155550123"
SECRET = "k-93ab-secret"
Read = Callable[[], str]


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture(params=["json", "text"])
def written(request: pytest.FixtureRequest) -> Read:
    """What was logged since, in either format."""
    out = io.StringIO()
    configure_logs(level="debug", fmt=request.param, stream=out, secrets=[SECRET, ""])
    return out.getvalue


def digits_of(text: str) -> str:
    return "".join(filter(str.isdigit, text))


@pytest.mark.parametrize(
    "text",
    [
        "+14155550123",
        "14155550123",
        "0014155550123",
        "+1 415 555 0123",
        "+1-415-555-0123",
        "+1 (415) 555-0123",
        "(415) 555-0123",
        "[415] 555-0123",
        "1.415.555.0123",
        "+1\u00a0415\u2013555\u20110123",
        "%2B14155550123",
        "tel:+14155550123",
        "to:14155550123",
        "sip:14155550123:5060",
        "caller_+14155550123",
        "https://host/calls/14155550123/end?to=14155550123",
        "14155550123: refused",
        "no answer from 14155550123.",
        '{"to": "14155550123"}',
        "14155550123.0",
        "14155550123 14155550124",
        "+૧૪૧૫૫૫૫૦૧૨૩",
    ],
)
def test_a_number_is_cut_to_its_last_digits(text: str) -> None:
    masked = mask_phones(text)

    assert "…" in masked
    assert DIGITS[:6] not in digits_of(masked)
    assert len(digits_of(masked.replace("5060", "").replace("+1", ""))) <= 4


def test_the_last_two_digits_stay() -> None:
    assert mask_phones("call to +1 (415) 555-0123 failed") == "call to …23 failed"


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22T02:00:01.047500Z",
        "2026-11-22T02:00:01.047+00:00",
        "opens at 2026-11-22 09:00",
        "read in 0.12345678 s",
        "550e8400-e29b-41d4-a716-446655440000",
        "12345678-abcd-4bcd-8abc-123456789012",
        "12345678-1234-1234-1234-123456789012",
        "9f86d081884c7d659a2feaa0c55ad015",
        "outbound-1790000000-0a1b2c3d",
        "attempt 1234567 of 7654321",
        "10.200.100.112:6379",
        "1,234,567 rows",
    ],
)
def test_what_is_no_number_stays(text: str) -> None:
    assert mask_phones(text) == text


def test_the_password_of_an_address_goes() -> None:
    assert mask_phones("redis://:hunter2@host:6379/0 is down") == "redis://[secret]@host:6379/0 is down"


def test_the_event_and_every_value_are_masked(written: Read) -> None:
    structlog.get_logger().info(f"dialing +1{DIGITS}", to=f"+1{DIGITS}", note=f"asked for 1-{DIGITS}", raw=b"1" * 10)

    assert DIGITS not in digits_of(written())
    assert "…23" in written()
    assert "1111111111" not in written()


def test_integers_as_long_as_a_number_are_masked(written: Read) -> None:
    structlog.get_logger().info("row", phone=int(f"1{DIGITS}"), attempt=123_456_789)

    assert DIGITS not in written()
    assert "123456789" in written()


def test_nested_values_and_their_keys_are_masked(written: Read) -> None:
    number = f"+1{DIGITS}"
    structlog.get_logger().info(
        "batch", rows=[{"to": number}, (number, {number})], by_number={number: 1}, headers={"X-API-Key": "abc-99"}
    )

    assert DIGITS not in written()
    assert "abc-99" not in written()


def test_objects_are_masked_as_they_print(written: Read) -> None:
    @dataclass
    class Row:
        phone: str

    structlog.get_logger().info("row", row=Row(f"+1{DIGITS}"))

    assert DIGITS not in written()
    assert "Row(" in written()


def test_exception_texts_are_masked(written: Read) -> None:
    def fail() -> None:
        raise ValueError(f"1{DIGITS}: refused with {SECRET}")

    log = structlog.get_logger()
    try:
        fail()
    except ValueError as error:
        log.exception("send.failed", error=error)
        logging.getLogger("library").exception("it broke")

    assert written().count("ValueError: …23: refused with [secret]") == 2
    assert DIGITS not in written()


def test_lines_of_other_libraries_are_masked(written: Read) -> None:
    logging.getLogger("library").warning("POST https://host/?to=%s %s", f"%2B1{DIGITS}", SECRET, extra={"to": DIGITS})

    assert DIGITS not in written()
    assert SECRET not in written()
    assert "…23" in written()


def test_what_the_context_carries_is_masked(written: Read) -> None:
    with structlog.contextvars.bound_contextvars(caller=f"+1{DIGITS}"):
        structlog.get_logger().info("line")

    assert DIGITS not in written()


def test_a_secret_never_appears(written: Read) -> None:
    log = structlog.get_logger()
    log.info(f"key {SECRET}", header=f"X-API-Key: {SECRET}", rows=[{"key": SECRET}], token="another one")
    log.info("login", password="third", Authorization="Bearer fourth")

    for hidden in (SECRET, "another one", "third", "fourth"):
        assert hidden not in written()


def test_a_secret_within_another_does_not_uncover_it() -> None:
    out = io.StringIO()
    configure_logs(fmt="json", stream=out, secrets=["abc", "abc-def"])
    structlog.get_logger().info("key abc-def")

    assert "def" not in out.getvalue()


def logged(**values: Any) -> dict[str, Any]:
    out = io.StringIO()
    configure_logs(fmt="json", stream=out)
    structlog.get_logger().info("event", **values)
    line: dict[str, Any] = json.loads(out.getvalue())
    return line


def test_numbers_and_times_stay_what_they_are() -> None:
    kept = {"at": 1790000000.047, "rate": 24.98, "attempt": 12345, "ok": True, "none": None}

    assert {name: value for name, value in logged(**kept).items() if name in kept} == kept


def test_a_line_is_json_with_its_level_and_its_time() -> None:
    line = logged()

    assert (line["event"], line["level"]) == ("event", "info")
    assert line["timestamp"].startswith("20")
    assert line["timestamp"].endswith("Z")


def test_below_the_level_nothing_is_written() -> None:
    out = io.StringIO()
    configure_logs(level="warning", fmt="json", stream=out)
    structlog.get_logger().info("quiet")
    logging.getLogger("library").info("quiet")
    logging.getLogger("httpx").info("quiet")

    assert out.getvalue() == ""
