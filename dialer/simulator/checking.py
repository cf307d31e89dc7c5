"""Reading requests the way FastAPI does, and saying what is wrong with them in its words."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from typing import Any

from starlette.requests import Request

from dialer.simulator.schemas import Schema, maybe

Problem = dict[str, Any]
"""One entry of a FastAPI 422: ``{"loc": [...], "msg": str, "type": str}``."""

MAX_DEPTH = 100
E164 = re.compile(r"\+[1-9][0-9]{6,14}")


class Invalid(Exception):
    """Parameters that failed validation; carries every problem found."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("invalid")
        self.problems = problems


def problem(where: str, field: str, msg: str, kind: str) -> Problem:
    """One problem; ``where`` is ``body`` or ``query``."""
    return {"type": kind, "loc": [where, field] if field else [where], "msg": msg}


def _finite(text: str) -> float:
    value = float(text)
    if not isfinite(value):
        raise ValueError(text)
    return value


def _check_depth(value: Any, left: int) -> None:
    if left < 0:
        raise ValueError("nested too deeply")
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _check_depth(inner, left - 1)


_JSON = json.JSONDecoder(parse_float=_finite, parse_constant=_finite)
"""What cannot be written as JSON again is not read either."""


async def json_object(request: Request) -> dict[str, Any]:
    """The body as an object, or ``Invalid``."""
    raw = await request.body()
    try:
        body = _JSON.decode(raw.decode())
        if raw.count(b"{") + raw.count(b"[") > MAX_DEPTH:
            _check_depth(body, MAX_DEPTH)
    except (ValueError, RecursionError):
        raise Invalid([problem("body", "", "JSON decode error", "json_invalid")]) from None
    if not isinstance(body, dict):
        raise Invalid([problem("body", "", "Input should be a valid dictionary", "dict_type")])
    return body


@dataclass(frozen=True, slots=True)
class Whole:
    """A query parameter that is a whole number from 1 to ``most``."""

    name: str
    default: int
    most: int | None = None

    required = False

    @property
    def schema(self) -> Schema:
        """What is let in."""
        most = {} if self.most is None else {"maximum": self.most}
        return {"type": "integer", "minimum": 1, "default": self.default, **most}

    def of(self, request: Request) -> int:
        """Its value, or ``Invalid``."""
        text = request.query_params.get(self.name, str(self.default))
        if not re.fullmatch(r"-?[0-9]{1,1000}", text):
            raise self._invalid("Input should be a valid integer", "int_parsing")
        value = int(text)
        if value < 1:
            raise self._invalid("Input should be greater than or equal to 1", "greater_than_equal")
        if self.most is not None and value > self.most:
            raise self._invalid(f"Input should be less than or equal to {self.most}", "less_than_equal")
        return value

    def _invalid(self, msg: str, kind: str) -> Invalid:
        return Invalid([problem("query", self.name, msg, kind)])


@dataclass(frozen=True, slots=True)
class Moment:
    """An ISO 8601 query parameter; without a zone it is UTC, and a bare date is a whole day."""

    name: str
    end_of_day: bool = False

    required = False

    @property
    def schema(self) -> Schema:
        """What is let in."""
        return {"anyOf": [{"type": "string", "format": each} for each in ("date", "date-time")]}

    def of(self, request: Request) -> float | None:
        """Unix seconds, None when not given, or ``Invalid``."""
        text = request.query_params.get(self.name)
        if text is None:
            return None
        try:
            at = datetime.fromisoformat(text)
            seconds = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            problems = [problem("query", self.name, "Input should be a valid datetime", "datetime_parsing")]
            raise Invalid(problems) from None
        return seconds + 86_400 - 1e-6 if self.end_of_day and len(text) == len("2026-11-21") else seconds


@dataclass(frozen=True, slots=True)
class Word:
    """A query parameter that is a text; one of ``allowed`` when they are named."""

    name: str
    allowed: tuple[str, ...] = ()
    required: bool = False

    @property
    def schema(self) -> Schema:
        """What is let in."""
        least = {"minLength": 1} if self.required else {}
        return {"type": "string", "enum": list(self.allowed)} if self.allowed else {"type": "string", **least}

    def of(self, request: Request) -> str | None:
        """Its value, None when not given, or ``Invalid``."""
        text = request.query_params.get(self.name)
        if text is not None and self.allowed and text not in self.allowed:
            words = " or ".join(f"'{word}'" for word in self.allowed)
            raise Invalid([problem("query", self.name, f"Input should be {words}", "enum")])
        return text


Query = Whole | Moment | Word


def iso(at: float | None) -> str | None:
    """ISO 8601 in UTC with microseconds and no zone, as both vendors write it (section 3.5)."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).replace(tzinfo=None).isoformat(timespec="microseconds")


@dataclass(frozen=True, slots=True)
class Check:
    """What a value must be: ``says`` what is wrong with it, or None; ``schema`` tells callers the same."""

    says: Callable[[Any], str | None]
    schema: Schema


def _text(value: Any) -> str | None:
    return None if isinstance(value, str) else "Input should be a valid string"


def _filled(value: Any) -> str | None:
    return _text(value) or (None if value.strip() else "String should have at least 1 character")


def _number(value: Any) -> str | None:
    return _text(value) or (None if E164.fullmatch(value) else "Invalid phone number format")


def _flag(value: Any) -> str | None:
    return None if isinstance(value, bool) else "Input should be a valid boolean"


def _mapping(value: Any) -> str | None:
    return None if isinstance(value, dict) else "Input should be a valid dictionary"


text = Check(_text, {"type": "string"})
"""A string."""
filled = Check(_filled, {"type": "string", "pattern": r"\S"})
"""A string that is not empty."""
number = Check(_number, {"type": "string", "pattern": r"^\+[1-9][0-9]{6,14}$"})
"""A phone number in E.164."""
flag = Check(_flag, {"type": "boolean"})
"""A boolean."""
mapping = Check(_mapping, {"type": "object"})
"""An object."""


def _objects(value: Any) -> str | None:
    fits = isinstance(value, list) and all(isinstance(each, dict) for each in value)
    return None if fits else "Input should be a valid list of dictionaries"


objects = Check(_objects, {"type": "array", "items": {"type": "object"}})
"""A list of objects."""


def one_of(*allowed: str) -> Check:
    """One of a few words."""
    words = " or ".join(f"'{word}'" for word in allowed)
    return Check(
        lambda value: None if value in allowed else f"Input should be {words}",
        {"type": "string", "enum": list(allowed)},
    )


def within(low: float, high: float, *, whole: bool = False) -> Check:
    """A number from ``low`` to ``high``, with or without a fraction."""

    def says(value: Any) -> str | None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return "Input should be a valid number"
        if whole and value != int(value):
            return "Input should be a valid integer"
        return None if low <= value <= high else f"Input should be between {low:g} and {high:g}"

    return Check(says, {"type": "integer" if whole else "number", "minimum": low, "maximum": high})


def object_of(*allowed: str) -> Check:
    """An object with none but these keys, each an object."""

    def says(value: Any) -> str | None:
        if _mapping(value):
            return _mapping(value)
        strange = next((key for key in value if key not in allowed), None)
        if strange is not None:
            return f"Unknown section '{strange}'"
        wrong = next((key for key in value if not isinstance(value[key], dict)), None)
        return None if wrong is None else f"Section '{wrong}' should be a valid dictionary"

    sections = {name: {"type": "object"} for name in allowed}
    return Check(says, {"type": "object", "properties": sections, "additionalProperties": False})


def check_body(body: dict[str, Any], checks: Mapping[str, Check], required: tuple[str, ...]) -> None:
    """Raise ``Invalid`` with every problem; null counts as absent, unknown fields are let through."""
    problems = [problem("body", name, "Field required", "missing") for name in required if body.get(name) is None]
    for name, value in body.items():
        if value is not None and name in checks and (wrong := checks[name].says(value)):
            problems.append(problem("body", name, wrong, "value_error"))
    if problems:
        raise Invalid(problems)


def body_schema(checks: Mapping[str, Check], required: tuple[str, ...]) -> Schema:
    """What ``check_body`` lets through."""
    fields = {name: check.schema if name in required else maybe(check.schema) for name, check in checks.items()}
    return {"type": "object", "properties": fields, **({"required": list(required)} if required else {})}
