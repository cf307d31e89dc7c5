"""What the models of both APIs have in common: tolerant fields, and the vendor's own object kept beside them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from dialer.adapters.providers.answers.proof import Json
from dialer.adapters.providers.answers.times import when
from dialer.adapters.providers.answers.values import mapping, number, phone, text
from dialer.errors import AnswerUnreadable


class ApiModel(BaseModel):
    """Something a vendor answered. ``raw`` is the object as it came, unknown fields included.

    A field that is missing, null or of another type than documented is empty or None; only what a caller cannot do
    without is required.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, protected_namespaces=())

    raw: Json = Field(default_factory=dict, repr=False)

    @classmethod
    def read(cls, answer: object) -> Self:
        """From the vendor's object. Raises AnswerUnreadable, naming what is missing."""
        if not isinstance(answer, Mapping):
            raise AnswerUnreadable(f"not the object of a {cls.__name__}")
        try:
            return cls.model_validate({**answer, "raw": dict(answer)})
        except ValidationError as invalid:
            missing = ", ".join(".".join(map(str, one["loc"])) for one in invalid.errors(include_input=False))
            raise AnswerUnreadable(f"a {cls.__name__} without {missing}") from None


def _utc(value: object) -> datetime | None:
    seconds = _seconds(value)
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _moment(value: object) -> datetime | None:
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value.strip())
        except ValueError:
            return None
    return _utc(value)


def _seconds(value: object) -> float | None:
    seconds = when(value.isoformat() if isinstance(value, datetime) else value)
    return seconds if seconds is not None and 0 <= seconds < 253_402_300_800 else None


def _flag(value: object) -> bool | None:
    said = {"true": True, "false": False}.get(str(value).lower())
    return value if isinstance(value, bool) else said


def _whole(value: object) -> int | None:
    parsed = number(value)
    return None if parsed is None else int(parsed)


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


Text = Annotated[str, BeforeValidator(text)]
"""Empty when missing."""
Name = Annotated[str, BeforeValidator(text), Field(min_length=1)]
"""Text that must be there."""
Phone = Annotated[str, BeforeValidator(phone)]
"""``+`` and digits; empty when there are none ("N/A")."""
Number = Annotated[float | None, BeforeValidator(number)]
Whole = Annotated[int | None, BeforeValidator(_whole)]
Flag = Annotated[bool | None, BeforeValidator(_flag)]
Object = Annotated[Json, BeforeValidator(lambda value: dict(mapping(value)))]
"""Also when it came as JSON in a string; empty when missing."""
List = Annotated[list[Any], BeforeValidator(_list)]
Utc = Annotated[datetime | None, BeforeValidator(_utc)]
"""A time that is proven to be UTC when it names no zone; always aware."""
Moment = Annotated[datetime | None, BeforeValidator(_moment)]
"""A time as it came: without a zone when the vendor names none, for then nobody knows which it is."""


def seconds_between(start: datetime | None, end: datetime | None) -> float | None:
    """Seconds from ``start`` to ``end``, never below 0; None when either is missing."""
    if start is None or end is None or (start.tzinfo is None) != (end.tzinfo is None):
        return None
    return max(0.0, (end - start).total_seconds())
