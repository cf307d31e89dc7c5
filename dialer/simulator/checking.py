"""What is asked for, read and checked by pydantic, and what is wrong with it in FastAPI's words."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from fastapi import Query
from fastapi.exceptions import RequestValidationError
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError, from_json
from starlette.requests import Request

E164 = re.compile(r"\+[1-9][0-9]{6,14}")
BAD_NUMBER = "Invalid phone number format"


class Body(BaseModel):
    """A JSON object: null counts as absent, unknown fields are let through."""

    model_config = ConfigDict(strict=True)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, sent: Any) -> Any:
        return {name: value for name, value in sent.items() if value is not None} if isinstance(sent, dict) else sent


def _e164(text: str) -> str:
    if not E164.fullmatch(text):
        raise PydanticCustomError("value_error", BAD_NUMBER)
    return text


Filled = Annotated[str, Field(pattern=r"\S")]
"""A string that is not empty."""
Phone = Annotated[str, AfterValidator(_e164), WithJsonSchema({"type": "string", "pattern": f"^{E164.pattern}$"})]
"""A phone number in E.164."""
Free = dict[str, Any]
"""Any object."""
PageNumber = Annotated[int, Query(ge=1)]

Model = TypeVar("Model", bound=BaseModel)


def validated(model: type[Model], fields: Mapping[str, Any]) -> Model:
    """``fields`` of a body as ``model`` reads them. Raises ``RequestValidationError``."""
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        problems = error.errors(include_url=False)
        raise RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in problems]) from None


async def read(model: type[Model], request: Request) -> Model:
    """The JSON body of ``request``. Raises ``RequestValidationError``."""
    try:
        return validated(model, from_json(await request.body(), allow_inf_nan=False))
    except ValueError:
        raise invalid("", "JSON decode error", "json_invalid") from None


def invalid(field: str, text: str, kind: str = "value_error") -> RequestValidationError:
    """What is wrong with ``field`` of the body, or with the whole body."""
    return RequestValidationError([{"type": kind, "loc": ("body", field) if field else ("body",), "msg": text}])


def iso(at: float | None) -> str | None:
    """ISO 8601 in UTC with microseconds and no zone, as both vendors write it (section 3.5)."""
    return None if at is None else zoned(at)[:-1]


def zoned(at: float) -> str:
    """The same with a Z."""
    return f"{datetime.fromtimestamp(at, UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"
