"""Errors as answers."""

import inspect
from http import HTTPStatus

import pytest
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from dialer import errors
from dialer.web.problems import CODES, HTTP_CODES, Refusal, answer, of_error, status_of

EVERY = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.DialerError)]
NUMBERS = ["+14155550123", "+1 415-555-0123", "+1 (415) 555-0123", "919000000001"]


def made(kind: type[errors.DialerError], said: str) -> errors.DialerError:
    if kind is errors.InputFileError:
        return errors.InputFileError("list.csv:3", said, f"mend {said}")
    return kind() if kind is errors.ReadingStopped else kind(said)


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
def test_every_error_has_a_status_and_a_code(kind: type[errors.DialerError]) -> None:
    status, code = status_of(made(kind, "x"))

    assert 400 <= status < 600
    assert HTTPStatus(status)
    assert code == code.lower()
    if kind is not errors.DialerError:
        assert (status, code) != CODES[errors.DialerError], f"{kind.__name__} is no fault of the program"


def test_a_code_means_one_status() -> None:
    both = [(code, status) for status, code in CODES.values()] + [(code, status) for status, code in HTTP_CODES.items()]
    statuses: dict[str, set[int]] = {}
    for code, status in both:
        statuses.setdefault(code, set()).add(status)
    assert {code: found for code, found in statuses.items() if len(found) > 1} == {}


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
def test_no_number_stands_in_an_answer(kind: type[errors.DialerError], number: str) -> None:
    body = bytes(answer(made(kind, f"{number} cannot be called")).body).decode()

    assert number not in body


@pytest.mark.parametrize("number", NUMBERS)
def test_no_number_stands_in_what_was_wrong_with_a_request(number: str) -> None:
    wrong = RequestValidationError([{"loc": ("body", number, "a/b~c"), "msg": f"{number} is not valid", "type": "x"}])
    problem, _ = of_error(wrong)

    assert number not in str(problem)
    assert problem["errors"][0]["pointer"].endswith("/a~1b~0c")


@pytest.mark.parametrize("status", [status for status in HTTPStatus if status >= 400])
def test_every_status_can_be_answered(status: HTTPStatus) -> None:
    problem, _ = of_error(HTTPException(status.value, "x"))
    assert problem["status"] == status
    assert problem["type"] == f"urn:dialer:problem:{problem['code']}"


def test_what_cannot_be_answered_now_says_when_to_ask_again() -> None:
    assert answer(errors.LedgerUnavailable("away")).headers["retry-after"] == "5"
    assert answer(Refusal(429, "too many", headers={"Retry-After": "7"})).headers["retry-after"] == "7"


def test_a_fault_of_the_program_says_nothing_of_itself() -> None:
    problem, _ = of_error(ZeroDivisionError("+14155550123 of Person 1"))
    assert (problem["status"], problem["code"]) == (500, "internal")
    assert "Person" not in str(problem)


def test_half_a_character_is_no_fault() -> None:
    assert b"a ? name" in answer(errors.UsageError("a \ud800 name")).body
    assert answer(OverflowError("int too big")).status_code == 422
