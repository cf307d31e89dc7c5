"""Reading requests the way FastAPI does, and saying what is wrong with them in its words."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request

Problem = dict[str, Any]
"""One entry of a FastAPI 422: ``{"loc": [...], "msg": str, "type": str}``."""

E164 = re.compile(r"\+[1-9][0-9]{6,14}")


class Invalid(Exception):
    """Parameters that failed validation; carries every problem found."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("invalid")
        self.problems = problems


def problem(where: str, field: str, msg: str, kind: str) -> Problem:
    """One problem; ``where`` is ``body`` or ``query``."""
    return {"type": kind, "loc": [where, field] if field else [where], "msg": msg}


async def json_object(request: Request) -> dict[str, Any]:
    """The body as an object, or ``Invalid``."""
    try:
        body = json.loads(await request.body())
    except ValueError:
        raise Invalid([problem("body", "", "JSON decode error", "json_invalid")]) from None
    if not isinstance(body, dict):
        raise Invalid([problem("body", "", "Input should be a valid dictionary", "dict_type")])
    return body


def whole_number(request: Request, name: str, default: int, most: int | None) -> int:
    """A query parameter from 1 to ``most``, or ``Invalid``."""
    text = request.query_params.get(name, str(default))
    if not re.fullmatch(r"-?[0-9]{1,18}", text):
        raise Invalid([problem("query", name, "Input should be a valid integer", "int_parsing")])
    value = int(text)
    if value < 1:
        raise Invalid([problem("query", name, "Input should be greater than or equal to 1", "greater_than_equal")])
    if most is not None and value > most:
        raise Invalid([problem("query", name, f"Input should be less than or equal to {most}", "less_than_equal")])
    return value


def moment(request: Request, name: str, *, end_of_day: bool = False) -> float | None:
    """An ISO 8601 query parameter as unix seconds; without a zone it is UTC, and a bare date is a whole day."""
    text = request.query_params.get(name)
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid([problem("query", name, "Input should be a valid datetime", "datetime_parsing")]) from None
    seconds = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    return seconds + 86_400 - 1e-6 if end_of_day and len(text) == len("2026-11-21") else seconds


def iso(at: float | None) -> str | None:
    """ISO 8601 in UTC with microseconds and no zone, as both vendors write it (section 3.5)."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).replace(tzinfo=None).isoformat(timespec="microseconds")


Check = Callable[[Any], str | None]
"""Says what is wrong with a value, or None."""


def text(value: Any) -> str | None:
    """A string."""
    return None if isinstance(value, str) else "Input should be a valid string"


def filled(value: Any) -> str | None:
    """A string that is not empty."""
    return text(value) or (None if value.strip() else "String should have at least 1 character")


def number(value: Any) -> str | None:
    """A phone number in E.164."""
    return text(value) or (None if E164.fullmatch(value) else "Invalid phone number format")


def flag(value: Any) -> str | None:
    """A boolean."""
    return None if isinstance(value, bool) else "Input should be a valid boolean"


def mapping(value: Any) -> str | None:
    """An object."""
    return None if isinstance(value, dict) else "Input should be a valid dictionary"


def one_of(*allowed: str) -> Check:
    """One of a few words."""
    words = " or ".join(f"'{word}'" for word in allowed)
    return lambda value: None if value in allowed else f"Input should be {words}"


def within(low: float, high: float) -> Check:
    """A number from ``low`` to ``high``."""

    def check(value: Any) -> str | None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return "Input should be a valid number"
        return None if low <= value <= high else f"Input should be between {low:g} and {high:g}"

    return check


def object_of(*allowed: str) -> Check:
    """An object with none but these keys."""

    def check(value: Any) -> str | None:
        strange = None if mapping(value) else next((key for key in value if key not in allowed), None)
        return mapping(value) or (f"Unknown section '{strange}'" if strange is not None else None)

    return check


def check_body(body: dict[str, Any], checks: dict[str, Check], required: tuple[str, ...]) -> None:
    """Raise ``Invalid`` with every problem; null counts as absent, unknown fields are let through."""
    problems = [problem("body", name, "Field required", "missing") for name in required if body.get(name) is None]
    for name, check in checks.items():
        wrong = None if body.get(name) is None else check(body[name])
        if wrong:
            problems.append(problem("body", name, wrong, "value_error"))
    if problems:
        raise Invalid(problems)
