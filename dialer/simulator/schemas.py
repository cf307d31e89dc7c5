"""JSON Schema in few words, for what is asked and answered."""

from typing import Any

Schema = dict[str, Any]

ANY: Schema = {}
TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
REAL: Schema = {"type": "number"}
FLAG: Schema = {"type": "boolean"}
FREE: Schema = {"type": "object"}
TIME: Schema = {"type": "string", "description": "ISO 8601, UTC"}


def record(optional: tuple[str, ...] = (), /, **fields: Schema) -> Schema:
    """An object with these fields, required unless ``optional``; more of them are let through."""
    required = [name for name in fields if name not in optional]
    return {"type": "object", "properties": fields, **({"required": required} if required else {})}


def listed(item: Schema) -> Schema:
    """A list of ``item``."""
    return {"type": "array", "items": item}


def maybe(schema: Schema) -> Schema:
    """``schema`` or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def one(*schemas: Schema) -> Schema:
    """Any of ``schemas``: what a switch of the simulator, or the vendor's documents, leave open."""
    return {"anyOf": list(schemas)}


def word(*allowed: str) -> Schema:
    """One of a few words."""
    return {"type": "string", "enum": list(allowed)}


def mapped(names: tuple[str, ...], schema: Schema) -> dict[str, Schema]:
    """``schema`` under every name."""
    return dict.fromkeys(names, schema)


PROBLEM = record(type=TEXT, loc=listed(TEXT), msg=TEXT)
DETAIL = record(detail=one(TEXT, listed(PROBLEM)))
GATEWAY = record(status_code=WHOLE, error=TEXT, message=TEXT, code=TEXT)
ERROR = one(DETAIL, GATEWAY)
"""The two shapes of an error body (section 3.2)."""
