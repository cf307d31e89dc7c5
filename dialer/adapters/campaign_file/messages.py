"""What is wrong in a campaign file, in a line with the place, the key, the fault and the remedy."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from dialer.adapters.campaign_file.values import number_text
from dialer.errors import CampaignFileError

KINDS = {
    "string_type": "text", "list_type": "a list", "bool_type": "true or false", "int_type": "a number",
    "float_type": "a number", "finite_number": "a number", "model_type": "a table",
}  # fmt: skip
"""Pydantic's types of errors -> what the value must be."""


@contextmanager
def naming(place: str, model: type[BaseModel]) -> Iterator[None]:
    """Raises CampaignFileError with ``place`` for what ``model``, or a CampaignFileError, says is wrong."""
    try:
        yield
    except ValidationError as invalid:
        raise CampaignFileError(f"{place}: {_in_words(invalid.errors(include_url=False)[0], model)}") from None
    except CampaignFileError as wrong:
        raise CampaignFileError(f"{place}: {wrong}") from None


def tables_of(model: type[BaseModel]) -> Mapping[str, type[BaseModel]]:
    """The fields that are models themselves."""
    kinds = {name: field.annotation for name, field in model.model_fields.items()}
    return {name: kind for name, kind in kinds.items() if isinstance(kind, type) and issubclass(kind, BaseModel)}


def _in_words(error: ErrorDetails, model: type[BaseModel]) -> str:
    path, tables, where, top = list(error["loc"]), tables_of(model), "", True
    if path[0] in tables:
        where, model, top = f"[{path[0]}] ", tables[str(path.pop(0))], False
    key, value = str(path.pop(0)) if path else "", error["input"]
    match error["type"]:
        case "extra_forbidden" if top and isinstance(value, dict):
            return f"there is no table [{key}]{_nearest(key, tables)}"
        case "extra_forbidden":
            return f'there is no key {where}"{key}"{_nearest(key, model.model_fields.keys() - tables)}'
        case "value_error" | "literal_error":
            choices = error["ctx"].get("expected", "").replace("'", '"')
            wrong = error["ctx"].get("error") or f"must be {choices}"
            if not key:
                return f"{where}{wrong}"
            return f"{where}{_shown_as(model, key)}{':' if path else '' if top else ' ='} {_shown(value)} {wrong}"
        case kind:
            must = 'must list words in quotes, e.g. ["a", "b"]' if path else f"must be {KINDS.get(kind, kind)}"
            return f"{where}{_shown_as(model, key)} {must}"


def _shown_as(model: type[BaseModel], key: str) -> str:
    field = model.model_fields.get(key)
    return (field and field.alias) or key


def _nearest(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, sorted(known), n=1, cutoff=0.0)
    return f': did you mean "{near[0]}"?' if near else ""


def _shown(value: Any) -> str:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number_text(value) if number else f'"{value}"'
